// The Case tab's start: the attention scan with one click, every other method beside it.

import { alertOf } from "../core/alert.js";
import { el, show } from "../core/dom.js";
import { set, state, watch } from "../core/store.js";
import { isRepair, openDrawer, start, TRIGGERS } from "./listing.js";
import { offers } from "./offers.js";

/** Build the start menu into `element`. */
export function mount({ element }) {
  const host = element.querySelector(".tl-root");
  const others = offers("Other methods", "start");
  const problem = el("div");

  async function begin(event) {
    event.target.disabled = true;
    show(problem);
    try { await start(event.target.value); } catch (error) {
      show(problem, alertOf(error));
      event.target.disabled = false;
    }
  }

  function first(line) {
    const what = line.base ? "attention scan" : "trigger scan";
    return el("div", { class: "tl-start" },
      el("button", { type: "button", class: "tl-primary", id: "start-scan", value: line.name, disabled: Boolean(line.active), onclick: begin },
        line.active ? `The ${what} is under way` : line.said ? `Start another ${what}` : `Start the ${what}`),
      el("button", { type: "button", class: "tl-ghost", id: "scan-options", onclick: () => openDrawer(line.name) }, "Options…"),
      line.suggested && el("p", { class: "tl-sub" }, `With what this case suggests: ${line.suggested}.`),
      line.said && el("button", { type: "button", class: "tl-ghost", onclick: () => set({ tab: TRIGGERS.has(line.name) ? "triggers" : "attention" }) }, "See what was found"));
  }

  function draw() {
    const lines = state.case && state.methods;
    host.hidden = !lines;
    if (!lines) return;
    const base = lines.find((line) => line.first);
    others.update(lines.filter((line) => !line.first && !isRepair(line.name)));
    show(host, el("section", { class: "tl-card", "aria-label": "Start a method" },
      el("h3", {}, "Look for a backdoor"), base && first(base), problem, others.node));
  }
  watch(["case", "methods"], draw);
  draw();
}
