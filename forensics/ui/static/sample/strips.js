// Candidates of a scan against random controls: agreement and spread of their masked views, as dots.

import { responsive } from "../chart/frame.js";
import { linear } from "../chart/scale.js";
import { el, show, svg } from "../core/dom.js";
import { getJSON, post, runPath } from "../core/api.js";
import { count, fixed, percent } from "../core/format.js";
import { state } from "../core/store.js";

const PACE = 1000;
const ENDS = { failed: "failed", cancelled: "was cancelled", interrupted: "was interrupted" };
const [HEIGHT, LEFT, RIGHT] = [46, 66, 10];
const ROWS = [["Agreement", "agreement", (s) => s.agreement, (v) => percent(v)],
  // Spreads run over many orders of magnitude; their order is what counts.
  ["Spread, log scale", "spread", (s) => Math.log10(1 + s.spread), (v) => fixed(10 ** v - 1, 1)]];

/** Where a dot stands in its lane: always the same for a sample, so that equal values stay apart. */
const jitter = (row) => ((row * 2654435761) % 4294967296) / 4294967296 - 0.5;

function strip(width, samples, read, name, tell, chosen) {
  const values = samples.map(read);
  const top = name === "agreement" ? 1 : Math.max(0.5, ...values);
  const x = linear(0, top, LEFT, width - RIGHT);
  const dot = (sample, at) => {
    const y = (sample.candidate ? 11 : 32) + 12 * jitter(sample.row);
    return svg("circle", { cx: x(at), cy: y, r: sample.row === chosen ? 5 : 2.6,
      class: `tl-strip-${sample.candidate ? "flag" : "kept"}${sample.row === chosen ? " tl-strip-chosen" : ""}` });
  };
  const order = samples.map((_, i) => i).sort((a, b) => (samples[a].row === chosen) - (samples[b].row === chosen));
  return svg("svg", { class: "tl-chart", width, height: HEIGHT + 14, viewBox: `0 0 ${width} ${HEIGHT + 14}`, role: "img",
    "aria-label": `${name} of ${samples.length} samples, candidates above, controls below` },
  svg("text", { x: 0, y: 15 }, "candidates"), svg("text", { x: 0, y: 36 }, "controls"),
  svg("line", { x1: LEFT, x2: width - RIGHT, y1: 21.5, y2: 21.5, class: "tl-grid" }),
  svg("line", { x1: LEFT, x2: width - RIGHT, y1: HEIGHT - 3, y2: HEIGHT - 3, class: "tl-axis" }),
  order.map((i) => dot(samples[i], values[i])),
  svg("text", { x: LEFT, y: HEIGHT + 10 }, tell(0)), svg("text", { x: width - RIGHT, y: HEIGHT + 10, "text-anchor": "end" }, tell(top)));
}

function ranking(found) {
  if (!found || !Number.isFinite(found.auc)) return "";
  const [low, high] = found.interval ?? [];
  const side = found.auc === 0.5 ? "no difference" : `${found.auc > 0.5 ? "higher" : "lower"} in candidates`;
  return `${side}, AUC ${fixed(found.auc)} (${fixed(low)}–${fixed(high)})`;
}

/** The strips of the scan that the page shows; `about()` returns {sample}. */
export function strips(about) {
  const node = el("div", { class: "tl-strips", id: "tl-strips" });
  let known = null;
  let timer = null;
  const redraw = responsive(node, drawStrips);

  function offer(text, label) {
    show(node, el("p", { class: "tl-note" }, text),
      el("button", { type: "button", class: "tl-ghost", id: "tl-compare", onclick: start,
        title: "Shows 16 masked views of up to 64 flagged and 64 other samples to the model" }, label));
  }

  function draw() {
    delete node.dataset.ready;
    if (!known || known.state === null) { offer("This scan’s candidates were not compared with controls yet.", "Compare candidates with controls"); return; }
    if (known.state === "queued" || known.state === "running") {
      show(node, el("p", { class: "tl-note" }, `Comparing candidates with controls: ${count(known.done)} of ${known.total ? count(known.total) : "…"} samples.`));
      return;
    }
    if (known.state !== "finished") { offer(`The comparison ${ENDS[known.state] ?? "stopped"}. ${known.error ?? ""}`, "Compare again"); return; }
    redraw();
    node.dataset.ready = "1";
  }

  function drawStrips(width) {
    if (known?.state !== "finished") return;
    const [some, other] = [true, false].map((c) => known.samples.filter((s) => s.candidate === c).length);
    show(node, el("h4", {}, `${count(some)} candidates, ${count(other)} controls`),
      ROWS.map(([title, name, read, tell]) => el("div", {},
        el("p", { class: "tl-strip-head" }, el("b", {}, title), el("span", { title: "Probability that a candidate has the larger value than a control; 0.5 is no difference; 95 % interval over pictures" }, ranking(known.comparisons[name]))),
        strip(width, known.samples, read, name, tell, about().sample?.row))));
  }

  async function look() {
    clearTimeout(timer);
    const path = `${runPath(state)}/masked-views`;
    try {
      known = await getJSON(path);
    } catch (error) {
      offer(`${error.message} ${error.remedy ?? ""}`, "Compare candidates with controls");
      return;
    }
    if (path !== `${runPath(state)}/masked-views`) return;
    draw();
    if (known.state === "queued" || known.state === "running") timer = setTimeout(look, PACE);
  }

  async function start() {
    try {
      known = await post(`${runPath(state)}/masked-views`);
    } catch (error) {
      offer(`${error.message} ${error.remedy ?? ""}`, "Compare again");
      return;
    }
    draw();
    timer = setTimeout(look, PACE);
  }

  return { node, update: look };
}
