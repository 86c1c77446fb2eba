// Keys of the whole page. They do nothing while somebody types, and can be turned off.

import { set, state } from "./store.js";

const OFF = "triggerlens-keys-off";

export const keysOff = () => localStorage.getItem(OFF) === "1";
export const setKeysOff = (off) => localStorage.setItem(OFF, off ? "1" : "0");

function typing(target) {
  return target.closest?.("input, textarea, select, [contenteditable], [role=listbox], [role=tab]") !== null;
}

/** Listen once for the page. */
export function listen() {
  document.addEventListener("keydown", (event) => {
    if (keysOff() || typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (state.tab !== "attention") return;
    if (event.key === "Escape" && state.selection) set({ selection: null, page: 0 });
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    document.dispatchEvent(new CustomEvent("tl-step", { detail: step }));
  });
}
