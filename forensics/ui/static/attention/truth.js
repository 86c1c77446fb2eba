// Ground truth: fetched only when somebody presses Reveal, and forgotten with the run.

import { decisionQuery, recall, runPath } from "../core/api.js";
import { el, show } from "../core/dom.js";
import { count, percent } from "../core/format.js";
import { set, state, watch } from "../core/store.js";
import { isFlagged } from "./ranking.js";

/** Poisoned rows and the scores of both rules; `null` while hidden. */
export async function truth() {
  if (!state.revealed) return null;
  const answer = await recall(`${runPath(state)}/truth${decisionQuery(state)}`);
  return { ...answer, poisoned: new Set(answer.poisoned_rows) };
}

/** Precision, recall and F1 of the cut on the page. */
export function score(found, known, cut) {
  let hit = 0;
  let flagged = 0;
  let poisoned = 0;
  for (const i of found.order) {
    const bad = known.poisoned.has(found.rows[i]);
    const flag = isFlagged(found, i, cut);
    if (bad) poisoned += 1;
    if (flag) flagged += 1;
    if (bad && flag) hit += 1;
  }
  const precision = flagged ? hit / flagged : null;
  const recall = poisoned ? hit / poisoned : null;
  const f1 = precision !== null && recall !== null && hit ? (2 * precision * recall) / (precision + recall) : null;
  return { hit, flagged, poisoned, precision, recall, f1 };
}

/** The Reveal button and, once pressed, how well the cut on the page does. */
export function truthBar() {
  const node = el("div", { class: "tl-truth" });
  let found = null;
  let known = null;

  function draw() {
    if (!found) return;
    if (!found.summary.has_truth) {
      show(node, el("span", { class: "tl-sub" }, "This data set has no ground-truth column, so there is nothing to reveal."));
      return;
    }
    const button = el("button", { type: "button", class: "tl-ghost", id: "tl-reveal", "aria-pressed": String(state.revealed),
      title: "Show which samples really are poisoned. No method reads this.",
      onclick: () => set({ revealed: !state.revealed }) }, state.revealed ? "Hide ground truth" : "Reveal ground truth");
    if (!known) { show(node, button); return; }
    const s = score(found, known, state.cut);
    show(node, el("span", { id: "tl-truth-score" },
      s.poisoned === 0
        ? `No sample is poisoned; ${count(s.flagged)} flagged.`
        : `${count(s.hit)} of ${count(s.poisoned)} poisoned samples flagged: precision ${percent(s.precision, 1)}, recall ${percent(s.recall, 1)}, F1 ${percent(s.f1, 1)}`),
    button);
  }

  watch(["revealed"], draw); // the button says at once what it will do next
  return {
    node,
    update(next) { found = next; draw(); },
    reveal(next) { known = next; draw(); },
    redraw: draw,
  };
}
