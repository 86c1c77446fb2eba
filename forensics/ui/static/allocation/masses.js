// Where one head's attention goes: system part, picture and question, flagged against kept samples.

import { card, el, show } from "../core/dom.js";
import { percent } from "../core/format.js";

const PARTS = [["system", "system part"], ["vision", "picture"], ["text", "question"]];

function bar(name, masses) {
  if (!masses) return el("div", { class: "tl-mass" }, el("b", {}, name), el("span", { class: "tl-sub" }, "no such samples"));
  const told = PARTS.map(([key, text]) => `${text} ${percent(masses[key], 1)}`).join(", ");
  return el("div", { class: "tl-mass", role: "img", "aria-label": `${name}: ${told}` }, el("b", {}, name),
    el("div", { class: "tl-mass-bar" }, PARTS.map(([key, text]) => el("i", { class: `tl-mass-${key}`, style: `flex-grow:${masses[key]}`, title: `${text} ${percent(masses[key], 1)}` }))),
    el("span", { class: "tl-mass-told" }, PARTS.map(([key, text]) => el("span", {}, el("i", { class: `tl-mass-${key}` }), `${text} `, el("b", {}, percent(masses[key], 1))))));
}

function difference({ flagged, kept }) {
  if (!flagged || !kept) return "There is nothing to compare.";
  const points = PARTS.map(([key, text]) => [text, 100 * (flagged[key] - kept[key])]);
  const sign = (value) => (Math.abs(value) < 0.05 ? "±0.0" : `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(1)}`);
  return `Flagged against kept, in points: ${points.map(([text, value]) => `${text} ${sign(value)}`).join(", ")}.`;
}

/** The card with both bars. */
export function massCard() {
  const body = el("div", { id: "tl-masses" });
  const node = card("Where its attention goes", { label: "Where the attention of the chosen head goes",
    subtitle: "Mean share of the attention before the first word; each bar adds up to 100 %." }, body);
  return {
    node,
    update(means, head) {
      show(body, bar("▲ Flagged", means.flagged), bar("● Kept", means.kept), el("p", { class: "tl-sub" }, difference(means)),
        el("p", { class: "tl-sub" }, `Layer ${head.layer}, head ${head.head}. The system part is what the submitter of the data cannot edit: instruction, roles and special tokens.`));
    },
  };
}
