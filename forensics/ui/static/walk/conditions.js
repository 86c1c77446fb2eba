// Whether what a step asks for was done, as far as the page can see it.

import { state } from "../core/store.js";

const SETTLES = 1500; // a tab chooses a layer and a sample by itself when it opens

/** Watches one step; `met()` tells whether it was done since. */
export function watcher(walk, step) {
  const demo = new RegExp(`^demo-${walk.demo}-[0-9a-f]{6}-`);
  let [before, since] = [state[step.until.of], performance.now()];
  const here = () => state.case !== null && demo.test(state.case);
  function chosen({ of, value }) {
    if (state.tab !== step.tab) { since = performance.now(); before = state[of]; return false; }
    const now = state[of];
    if (value) return here() && String(now) === value;
    if (performance.now() - since < SETTLES && typeof now !== "boolean") { before = now; return false; }
    return here() && now !== null && now !== undefined && now !== false && now !== before;
  }
  const tests = {
    opened: here,
    finished: ({ of }) => here() && (state.methods ?? []).some((line) => of.split(" ").includes(line.name) && line.said),
    tab: ({ of }) => state.tab === of,
    chosen,
    answered: () => true,
  };
  return { met: () => Boolean(tests[step.until.what]?.(step.until)), here };
}
