// A method in its own form: what it gives, what it needs, what it will cost here.

import { el, show } from "../core/dom.js";
import { state, watch } from "../core/store.js";
import { readiness } from "./words.js";

/** Build the text into `element`; its `data-tab` names the method. */
export function mount({ element }) {
  const host = element.querySelector(".tl-root");

  function draw() {
    const line = state.methods?.find((one) => one.name === host.dataset.tab);
    if (!line) { show(host, el("p", { class: "tl-sub" }, "Open a case first.")); return; }
    show(host, el("p", { class: line.refused ? "tl-unsure-text" : "tl-sub" }, el("b", {}, line.unfit ? "Not for this model: " : line.refused ? "Not yet: " : "Here: "), readiness(line)),
      line.suggested && el("p", { class: "tl-sub" }, el("b", {}, "This case suggests "), `${line.suggested}. Fields that you leave as they are follow it.`),
      el("p", { class: "tl-sub" }, el("b", {}, "Gives "), `${line.gives}.`),
      el("p", { class: "tl-sub" }, el("b", {}, "Needs "), `${line.needs}.`),
      line.paper && el("p", { class: "tl-sub" }, el("b", {}, "Paper "), `${line.paper}${line.arxiv ? `, arXiv ${line.arxiv}` : ""}`));
  }
  watch(["methods"], draw);
  draw();
}
