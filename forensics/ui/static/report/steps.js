// The steps of an investigation: what the report tells of, and where the rest is started.

import { card, el } from "../core/dom.js";
import { set } from "../core/store.js";
import { openDrawer } from "../methods/listing.js";

const CALLS = { scan: "Go to the scan", transplant: "Test it…", "self-test": "Run the self-test…", review: "Decide", repair: "Go to repairs", sign: "Sign…" };

function act(step) {
  if (step.key === "sign") { document.querySelector("#tl-sign-name")?.focus(); return; }
  if (step.method) openDrawer(step.method);
  else set({ tab: step.tab });
}

function line(step) {
  return el("li", { class: "tl-step", "data-step": step.key, "data-done": String(step.done) },
    el("span", { class: "tl-step-mark", "aria-hidden": "true" }, step.done ? "✓" : "○"),
    el("span", { class: "tl-step-text" }, el("b", {}, step.title), el("span", { class: "tl-sub" }, ` ${step.done ? "done" : "not done"}`), el("span", { class: "tl-step-said" }, step.said)),
    el("span", {}, !step.done && el("button", { type: "button", class: "tl-ghost", onclick: () => act(step) }, CALLS[step.key]),
      step.done && step.key === "self-test" && el("button", { type: "button", class: "tl-ghost", title: "Run it again, with other options", "aria-label": "Run the self-test again, with other options", onclick: () => act(step) }, "↻")));
}

/** The checklist as a card. */
export function stepsCard(view) {
  const done = view.steps.filter((step) => step.done).length;
  return card("What the report tells of", { subtitle: `${done} of ${view.steps.length} steps of an investigation are done.`, className: "tl-steps-card" },
    el("ol", { class: "tl-steps", id: "tl-steps" }, view.steps.map(line)));
}
