// A method in its own form: what it gives, what it needs, what it will cost here.

import { el, show } from "../core/dom.js";
import { clock, count } from "../core/format.js";
import { state, watch } from "../core/store.js";
import { readiness } from "./words.js";

/** Write a scan into the form, as if it were typed. */
function name(method, run) {
  const box = document.querySelector(`#option-${method}-run :is(input, textarea)`);
  if (!box) return;
  box.value = run;
  box.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Whose flags it can go by; the first one is what it takes unless another is named. */
const scans = ({ name: method, builds_on: on, scans: found }) => el("div", { class: "tl-sub" }, el("b", {}, on === "flags" ? "Leaves out " : "Can leave out "),
  el("ul", { class: "tl-about-scans" }, found.slice(0, 5).map((one, k) => el("li", {}, `${count(one.flagged)} flagged by ${one.label}, ${clock(one.created)}`, k === 0 && on === "flags" ? " (the default) " : " ",
    el("button", { type: "button", class: "tl-ghost", onclick: () => name(method, one.run) }, "Use")))));

/** Build the text into `element`; its `data-tab` names the method. */
export function mount({ element }) {
  const host = element.querySelector(".tl-root");

  const kept = el("p", { class: "tl-alert", hidden: true, role: "alert" }, el("strong", {}, "This keeps the backdoor. "), "Tuned further, the delivered model keeps it in every weight that clean samples do not move. For experiments only.");
  element.closest(`#run-${host.dataset.tab}`)?.addEventListener("change", ({ target }) => {
    const choice = target.closest?.(`#option-${host.dataset.tab}-start label`);
    if (choice) kept.hidden = !choice.textContent.includes("keeps the backdoor");
  });

  function draw() {
    const line = state.methods?.find((one) => one.name === host.dataset.tab);
    if (!line) { show(host, el("p", { class: "tl-sub" }, "Open a case first.")); return; }
    show(host, el("p", { class: line.refused ? "tl-unsure-text" : "tl-sub" }, el("b", {}, line.unfit ? "Not for this model: " : line.refused ? "Not yet: " : "Here: "), readiness(line)),
      line.suggested && el("p", { class: "tl-sub" }, el("b", {}, "This case suggests "), `${line.suggested}. Fields that you leave as they are follow it.`),
      el("p", { class: "tl-sub" }, el("b", {}, "Gives "), `${line.gives}.`),
      el("p", { class: "tl-sub" }, el("b", {}, "Needs "), `${line.needs}.`),
      line.scans.length > 0 && scans(line), kept,
      line.paper && el("p", { class: "tl-sub" }, el("b", {}, "Paper "), `${line.paper}${line.arxiv ? `, arXiv ${line.arxiv}` : ""}`));
  }
  watch(["methods"], draw);
  draw();
}
