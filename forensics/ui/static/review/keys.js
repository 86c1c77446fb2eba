// The keys of the tab. They do nothing while somebody types, and can be turned off.

import { keysOff } from "../core/keys.js";
import { state } from "../core/store.js";
import { el } from "../core/dom.js";

const VERDICT = { k: "keep", f: "flag", u: "unsure" };
const STEP = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1, PageUp: -10, PageDown: 10 };
const TYPING = "input:not([type=checkbox]), textarea, select, [contenteditable]";
const WALKED = "[role=tab]"; // arrows walk these; letters mean the same as anywhere

export const LIST = [["K", "keep, and go on"], ["F", "flag, and go on"], ["U", "unsure, and go on"], ["← ↑ / → ↓", "the sample before / after"], ["Page Up / Down", "ten at once"],
  ["H", "where the model looks"], ["N", "write a note (Esc leaves it)"], ["Ctrl-Z", "take back your latest decision"], ["?", "show or hide these keys"]];

/** A legend of the keys. */
export const legend = () => el("dl", { class: "tl-rv-keys" }, LIST.map(([key, text]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, text)]));

/** Listen for the tab; `act` has `decide`, `step`, `note`, `undo`, `heat` and `keys`. */
export function listenReview(act) {
  document.addEventListener("keydown", (event) => {
    if (state.tab !== "review" || keysOff() || event.target.closest?.(TYPING)) return;
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "z") { event.preventDefault(); act.undo(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (STEP[event.key] && event.target.closest?.(WALKED)) return;
    const verdict = VERDICT[event.key.toLowerCase()];
    const action = verdict ? () => act.decide(verdict) : STEP[event.key] ? () => act.step(STEP[event.key])
      : { n: act.note, N: act.note, h: act.heat, H: act.heat, "?": act.keys }[event.key];
    if (!action || (event.repeat && verdict)) return;
    event.preventDefault();
    action();
  });
}
