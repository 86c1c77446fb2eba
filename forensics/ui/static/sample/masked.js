// The panel of masked views: do flagged samples depend on one place of the picture more than others do?

import { responsive, table, tableToggle } from "../chart/frame.js";
import { score } from "../allocation/score.js";
import { card, el, show } from "../core/dom.js";
import { count, percent } from "../core/format.js";
import { set, state, watch } from "../core/store.js";
import { lanes, measureHead, MEASURES } from "./comparison.js";

const LANE = 34;
const LISTED = 12;

function measureFigure(view, measure) {
  const figure = el("div", { class: "tl-figure" });
  const draw = responsive(figure, (width) => show(figure, lanes(width, view, measure, state.sample, LANE)));
  const node = el("div", {}, measureHead(measure, view), figure, el("p", { class: "tl-sub" }, measure.help));
  return { node, draw };
}

/** The candidates that depend most on one place, to be opened in the inspector. */
function listing(view) {
  const first = view.samples.filter((s) => s.candidate).sort((a, b) => b.spread - a.spread).slice(0, LISTED);
  const open = (s) => el("button", { type: "button", class: "tl-link", onclick: () => set({ sample: s.row }) }, el("strong", {}, s.id));
  return table(`Flagged samples whose answer moves most, the first ${count(first.length)}`, ["sample", "views that keep the answer", "spread"],
    first.map((s) => [open(s), percent(s.agreement), score(s.spread)]));
}

/** The figures of a finished run. */
export function maskedPanel(view) {
  const figures = MEASURES.map((measure) => measureFigure(view, measure));
  const both = el("div", { class: "tl-halves" }, figures.map((part) => part.node));
  const holder = el("div", { hidden: true });
  const toggle = tableToggle(both, holder, () => table("Masked views of every sample", ["sample", "group", "agreement", "spread"],
    view.samples.map((s) => [s.id, s.candidate ? "candidate" : "control", percent(s.agreement), score(s.spread)])));
  const node = card("Does the answer hang on one place?", { tools: [toggle.button],
    subtitle: `${count(view.views)} views of each picture, each with random parts greyed out. Click a dot to open its sample; “What does the answer depend on?” beside the picture shows its map.` },
  both, holder, listing(view));
  const stop = watch(["sample"], () => { if (!node.isConnected) { stop(); return; } for (const part of figures) part.draw(); });
  node.id = "tl-masked";
  return node;
}
