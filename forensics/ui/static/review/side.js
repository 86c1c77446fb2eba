// Beside the sample: the most similar samples that nobody suspects, and what people said of it.

import { card, el, picture, show } from "../core/dom.js";
import { clock, fixed } from "../core/format.js";
import { me, VERDICTS } from "./data.js";

const verdictOf = (name) => VERDICTS.find((one) => one.name === name);

/** The right column. */
export function sidePanel() {
  const near = el("div", { id: "tl-rv-near" });
  const people = el("div", { id: "tl-rv-people" });
  const node = el("aside", { class: "tl-rv-side", "aria-label": "For comparison" },
    card("Nearest unsuspected", { subtitle: "Like it, but nobody suspects them. What is different?" }, near), card("What people say", {}, people));

  function neighbours(view) {
    if (!view.neighbours.length) return el("p", { class: "tl-sub" }, view.neighbours_note || "This sample could not be compared with others.");
    return [view.neighbours.map((one) => el("figure", { class: "tl-rv-neighbour", "data-row": one.row }, picture(one.picture),
      el("figcaption", {}, el("b", {}, one.id), el("span", { class: "tl-rv-clip" }, one.answer ?? "no answer"), el("span", { class: "tl-sub tl-rv-clip" }, one.question), el("span", { class: "tl-sub" }, `cosine ${fixed(one.likeness).replace("-", "−")}`)))),
    el("p", { class: "tl-sub" }, `By ${view.compared_by}. ${view.neighbours_note}`)];
  }

  function opinions(view) {
    if (!view.opinions.length) return el("p", { class: "tl-sub" }, me.blind ? "You have not decided yet. What others say is hidden." : "Nobody has decided yet.");
    return el("ul", { class: "tl-rv-opinions" }, view.opinions.map((one) => {
      const verdict = verdictOf(one.verdict);
      return el("li", {}, verdict && el("span", { class: `tl-rv-mark ${verdict.className}`, "aria-hidden": "true" }, verdict.mark),
        el("span", {}, el("b", {}, one.by), `: ${verdict ? verdict.word : "no verdict"} `, el("span", { class: "tl-sub" }, clock(one.at)), one.note && el("q", {}, one.note)));
    }));
  }

  return { node, hide() { show(people); }, open(view) { show(near, neighbours(view)); show(people, opinions(view)); } };
}
