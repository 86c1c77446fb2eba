// Worksheets to print, and the guided walk-throughs.

import { el } from "../core/dom.js";
import { begin } from "../walk/progress.js";
import { labPath } from "./data.js";

/** Links to both versions of the worksheet of the open case. */
export function sheetCard() {
  const link = (name, text, id) => el("a", { class: "tl-ghost tl-save", href: labPath(`/${name}.html`), download: "", id }, text);
  return el("section", { class: "tl-card", "aria-label": "Worksheet" }, el("h3", {}, "A worksheet to print"), el("p", { class: "tl-sub" }, "Made from this case: its figure, its pictures, its words, and questions. It is one file and needs no network."),
    el("div", { class: "tl-start" }, link("worksheet", "For the class", "tl-lab-sheet"), link("worksheet-with-answers", "With answers: gives it away", "tl-lab-sheet-answers")));
}

/** The walk-throughs; each opens the side panel. */
export function walksCard(walks) {
  return el("section", { class: "tl-card", "aria-label": "Guided walk-throughs" }, el("h3", {}, "Guided walk-throughs"), el("p", { class: "tl-sub" }, "Through the demo cases, step by step, with a question before each look. Leave one and come back whenever you like."),
    el("div", { class: "tl-lab-walks" }, walks.map((walk) => el("article", {}, el("strong", {}, walk.title), el("p", { class: "tl-sub" }, walk.story), el("div", { class: "tl-start" }, el("button", { type: "button", class: "tl-ghost", id: `tl-walk-${walk.name}`, onclick: () => begin(walk.name) }, "Begin"), el("span", { class: "tl-sub" }, `${walk.steps.length} steps, about ${walk.minutes} min`))))));
}
