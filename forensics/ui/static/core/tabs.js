// Keep the chosen tab and the address bar in step.

import { set, state, watch } from "./store.js";

const button = (name) => document.querySelector(`#tab-${name}-button`);

/** Follow clicks on the tabs, and open the tab that the state names. */
export function followTabs() {
  for (const name of ["case", "attention", "clusters", "triggers", "repair"]) button(name)?.addEventListener("click", () => set({ tab: name }));
  const open = () => { if (button(state.tab)?.getAttribute("aria-selected") !== "true") button(state.tab)?.click(); };
  watch(["tab"], open);
  open();
}
