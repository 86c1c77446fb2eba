// Agreement and spread of masked views, candidates against random controls: a dot a sample.

import { linear } from "../chart/scale.js";
import { el, svg } from "../core/dom.js";
import { count, fixed, percent } from "../core/format.js";
import { set } from "../core/store.js";

const [LEFT, RIGHT, AXIS] = [66, 10, 18];

/** The two measures: what they are called, how they are drawn and told, what they mean. */
export const MEASURES = [
  { title: "Agreement", name: "agreement", read: (s) => s.agreement, tell: (v) => percent(v),
    help: "Share of the views that keep the answer. Low: some part of the picture makes the answer." },
  // Spreads run over many orders of magnitude; their order is what counts.
  { title: "Spread, log scale", name: "spread", read: (s) => Math.log10(1 + s.spread), tell: (v) => (v < 2 ? fixed(10 ** v - 1, 1) : count(Math.round(10 ** v - 1))),
    help: "How differently the views move the answer. High: hiding one place moves it far, hiding others does not." },
];

/** Where a dot stands in its lane: always the same for a sample, so that equal values stay apart. */
const jitter = (row) => ((row * 2654435761) % 4294967296) / 4294967296 - 0.5;

/** How well a measure parts candidates from controls, in words. */
function ranking(found) {
  if (!found || !Number.isFinite(found.auc)) return "";
  const [low, high] = found.interval ?? [];
  const side = found.auc === 0.5 ? "no difference" : `${found.auc > 0.5 ? "higher" : "lower"} in candidates`;
  return `${side}, AUC ${fixed(found.auc)} (${fixed(low)}–${fixed(high)})`;
}

/** A measure's heading: its name, and how well it parts the two groups. */
export const measureHead = (measure, view) => el("p", { class: "tl-strip-head" }, el("b", { title: measure.help }, measure.title),
  el("span", { title: "Probability that a candidate has the larger value than a control; 0.5 is no difference; 95 % interval over pictures" }, ranking(view.comparisons[measure.name])));

/** One measure as two lanes of dots, `lane` pixels high each; a click opens the sample. */
export function lanes(width, view, measure, chosen, lane = 21) {
  const { samples } = view;
  const values = samples.map(measure.read);
  const top = measure.name === "agreement" ? 1 : Math.max(0.5, ...values);
  const x = linear(0, top, LEFT, width - RIGHT);
  const height = 2 * lane + AXIS;
  const dot = (sample, at) => svg("circle", { cx: x(at), cy: (sample.candidate ? 0.5 : 1.5) * lane + 0.57 * lane * jitter(sample.row),
    r: sample.row === chosen ? 5 : 2.6, onclick: () => set({ sample: sample.row }),
    class: `tl-strip-dot tl-strip-${sample.candidate ? "flag" : "kept"}${sample.row === chosen ? " tl-strip-chosen" : ""}` },
  svg("title", {}, `${sample.id}: ${measure.tell(at)}`));
  const order = samples.map((_, i) => i).sort((a, b) => (samples[a].row === chosen) - (samples[b].row === chosen));
  return svg("svg", { class: "tl-chart", width, height, viewBox: `0 0 ${width} ${height}`, role: "img",
    "aria-label": `${measure.title} of ${samples.length} samples, candidates above, controls below: ${ranking(view.comparisons[measure.name])}` },
  svg("text", { x: 0, y: 0.5 * lane + 4 }, "candidates"), svg("text", { x: 0, y: 1.5 * lane + 4 }, "controls"),
  svg("line", { x1: LEFT, x2: width - RIGHT, y1: lane, y2: lane, class: "tl-grid" }),
  svg("line", { x1: LEFT, x2: width - RIGHT, y1: 2 * lane + 1, y2: 2 * lane + 1, class: "tl-axis" }),
  order.map((i) => dot(samples[i], values[i])),
  svg("text", { x: LEFT, y: height - 3 }, measure.tell(0)), svg("text", { x: width - RIGHT, y: height - 3, "text-anchor": "end" }, measure.tell(top)));
}
