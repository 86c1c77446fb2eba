// Keep the chosen tab and the address bar in step, and let arrow keys walk the tabs.
//
// Which tabs there are is read from the page: whoever adds one edits nothing here.

import { whenThere } from "./dom.js";
import { set, startingTab, state, watch } from "./store.js";

const TABS = "#tabs > .tab-wrapper [role=tab][data-tab-id]";
const PATIENCE = 3000; // ms that Gradio may take to show its tabs
const all = () => [...document.querySelectorAll(TABS)];
const nameOf = (button) => button.dataset.tabId;
const STEPS = { ArrowLeft: (at, n) => (at + n - 1) % n, ArrowRight: (at, n) => (at + 1) % n, Home: () => 0, End: (at, n) => n - 1 };

/** One tab is in the page's order of focus; the others are reached from it by arrows. */
function rove() {
  for (const button of all()) button.tabIndex = nameOf(button) === state.tab ? 0 : -1;
}

/** Whoever clicked a tab goes on in its panel, once Gradio has made and shown it: on the button keys would walk the tabs. */
function enter(button, until = Date.now() + PATIENCE) {
  if (document.activeElement !== button || Date.now() > until) return;
  const panel = document.getElementById(button.getAttribute("aria-controls"));
  panel?.setAttribute("tabindex", "-1");
  panel?.focus({ preventScroll: true });
  requestAnimationFrame(() => enter(button, until));
}

function open() {
  const found = all().find((button) => nameOf(button) === state.tab);
  if (!found) { set({ tab: startingTab() }); return; } // a link to a tab that this page does not have
  if (found.getAttribute("aria-selected") !== "true") found.click();
  rove();
}

function walk(event) {
  const from = event.target.closest("[role=tab][data-tab-id]");
  const step = STEPS[event.key];
  if (!from || !step || event.ctrlKey || event.metaKey || event.altKey) return;
  const tabs = all();
  const to = tabs[step(tabs.indexOf(from), tabs.length)];
  event.preventDefault();
  event.stopPropagation();
  to.click();
  to.focus();
}

/** Follow clicks and keys on the tabs, and open the tab that the state names. */
export function followTabs() {
  const begin = (button) => { clearTimeout(late); followBar(button.closest(".tab-wrapper")); };
  // A link may name a tab that this page does not have.
  const late = setTimeout(() => { giveUp(); whenThere(TABS, begin); }, PATIENCE);
  const giveUp = whenThere(`${TABS}[data-tab-id="${CSS.escape(state.tab)}"]`, begin);
}

function followBar(bar) {
  bar.querySelector("[role=tablist]").setAttribute("aria-label", "Parts of the investigation");
  bar.addEventListener("click", (event) => {
    const button = event.target.closest("[role=tab][data-tab-id]");
    if (!button) return;
    set({ tab: nameOf(button) });
    if (event.detail) enter(button); // who pressed a key stays on the tabs, and walks on
  });
  bar.addEventListener("keydown", walk);
  watch(["tab"], open);
  open();
}
