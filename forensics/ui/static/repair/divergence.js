// How far two views of training samples lie apart, before and after: D, D of the first token and H.

import { getJSON } from "../core/api.js";
import { responsive, table, tableToggle } from "../chart/frame.js";
import { histogram } from "../chart/histogram.js";
import { card, el, empty, show } from "../core/dom.js";
import { count, percent } from "../core/format.js";
import { filled, nats, powerOfTen, repairPath } from "./data.js";

const STATES = [["before", "As delivered"], ["after", "Repaired"]];
const HELP = {
  divergence: "Divergence of the outputs to both views. Small: hiding parts of the picture does not change the answer.",
  first: "The same for the first token alone. Given its beginning, a planted answer goes on by itself, so here it would show first.",
  entropy: "Entropy of the outputs. Small: the model is sure.",
};

const medians = (one, key) => [one[key].medians.kept, one[key].medians.flagged];

/** "7.5 · 10⁻⁴, flagged 0.013" */
function medianText(one, key, flagged) {
  const [kept, marked] = medians(one, key);
  return `median ${nats(kept)}${flagged ? `, flagged ${nats(marked)}` : ""}`;
}

function panel(one, [key, title], found) {
  const figure = el("div", { class: "tl-figure" });
  const tallest = Math.max(...["before", "after"].flatMap((state) => one[state].kept.map((n, b) => n + one[state].flagged[b])));
  responsive(figure, (width) => show(figure, histogram(width, { ...one[key], edges: one.edges, height: 118, tallest, cut: null, xFormat: powerOfTen, xWanted: Math.max(2, width / 70), yLabel: "", xLabel: key === "after" ? "nats, log scale" : "",
    label: `${one.label}, ${title.toLowerCase()}: ${medianText(one, key, found.flagged)}.` }).root))();
  return el("div", { class: "tl-rp-hist", "data-state": key }, el("p", { class: "tl-sub" }, el("b", {}, title), ` ${medianText(one, key, found.flagged)}`), figure);
}

const column = (one, found) => el("section", { "data-measure": one.name }, el("h4", {}, `${one.label} `, el("span", { class: "tl-sub" }, one.unit)), el("p", { class: "tl-sub" }, HELP[one.name]), STATES.map((state) => panel(one, state, found)));

function numbers(found) {
  const rows = found.measures.flatMap((one) => STATES.map(([key, title]) => [`${one.label}, ${title.toLowerCase()}`, ...medians(one, key).map(nats)]));
  return table("Medians, nats", ["measure", "not flagged", "flagged"], rows);
}

/** The card; it loads its own numbers. Null where no views were compared. */
export function divergenceCard(view) {
  if (!view.comparison?.views) return null;
  const body = el("div", { class: "tl-rp-hists" });
  const holder = el("div", { hidden: true });
  const legend = el("p", { class: "tl-note" });
  let found = { measures: [] };
  const toggle = tableToggle(body, holder, () => numbers(found));
  const node = card("Two views of training samples", { tools: [toggle.button], subtitle: "Each sample once as it is and once with random parts of its picture hidden or changed. How far do the outputs to its true answer lie apart?" }, legend, body, holder,
    el("p", { class: "tl-note" }, "A fall or rise of D says what tuning did, not whether a sample is poisoned."));
  node.id = "tl-rp-divergence";
  getJSON(repairPath(view.run, "/views")).then((reply) => {
    found = { ...reply, measures: reply.measures.filter((one) => one.edges.length) };
    if (!found.measures.length) { show(body, empty("Not kept.", "")); return; }
    show(legend, `${count(found.n)} samples drawn at random, ${percent(found.share)} of each picture ${filled(found.fill)}. `, found.flagged > 0 && el("span", { class: "tl-key" }, el("i", { class: "tl-key-kept" }), `${count(found.n - found.flagged)} not flagged`, el("i", { class: "tl-key-flag" }), `${count(found.flagged)} flagged by ${found.by}`));
    show(body, found.measures.map((one) => column(one, found)));
    node.dataset.ready = view.run;
  }).catch((error) => show(body, empty(error.message, error.remedy ?? "")));
  return node;
}
