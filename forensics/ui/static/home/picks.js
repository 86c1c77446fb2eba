// Two runs, or two cases, that shall stand beside each other. The choice is part of the address.

import { set, state, watch } from "../core/store.js";

let picked = [state.a, state.b].filter(Boolean);
const watchers = [];

export const isPicked = (key) => picked.includes(key);
export const onPick = (callback) => watchers.push(callback);

const kind = (key) => key.includes(".");

/** Take a case (`case`) or a run (`case.run`) into the comparison, or out; a third one replaces the older. */
export function pick(key) {
  if (isPicked(key)) picked = picked.filter((one) => one !== key);
  else picked = [...picked.filter((one) => kind(one) === kind(key)), key].slice(-2);
  tell();
}

/** End the comparison. */
export function unpick() {
  picked = [];
  tell();
}

function tell() {
  set(picked.length === 2 ? { a: picked[0], b: picked[1] } : { a: null, b: null });
  for (const callback of watchers) callback(picked);
}

watch(["a", "b"], () => {
  if (!state.a || !state.b || (isPicked(state.a) && isPicked(state.b))) return;
  picked = [state.a, state.b];
  for (const callback of watchers) callback(picked);
});
