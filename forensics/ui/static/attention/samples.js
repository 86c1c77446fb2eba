// Samples x layers: every entropy of the scan in one picture, samples in the order of their score.

import { card, el, show } from "../core/dom.js";
import { count, fixed } from "../core/format.js";
import { onTheme, paint, ramp, tone } from "../core/palette.js";
import { set, state } from "../core/store.js";
import { responsive, table, tableToggle } from "../chart/frame.js";
import { isFlagged } from "./ranking.js";

const STRIP = 8; // pixels of the flag strip above the map
const LABELS = 24; // pixels left of it for layer numbers

function drawMap(canvas, found, width) {
  const rowHeight = Math.max(4, Math.min(22, Math.floor(170 / found.layers)));
  const height = STRIP + 3 + rowHeight * found.layers;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  const columns = Math.max(1, Math.floor(width - LABELS));
  context.imageSmoothingEnabled = false;
  context.drawImage(heat(found, columns), LABELS, STRIP + 3, columns, rowHeight * found.layers);
  strip(context, found, columns);
  context.fillStyle = tone("soft");
  context.font = "10px system-ui, sans-serif";
  context.textAlign = "right";
  const every = Math.ceil(12 / rowHeight);
  for (let l = 0; l < found.layers; l += every) {
    context.fillText(String(l), LABELS - 6, STRIP + 3 + rowHeight * (l + 0.5) + 3.5);
  }
  return { rowHeight, columns };
}

let painted = {}; // the last picture: a moved cut changes only the strip above it

/** One pixel per column and layer: the mean entropy of the samples that share the column. */
function heat(found, columns) {
  if (painted.found === found && painted.columns === columns) return painted.buffer;
  const { order, layers, entropy, summary } = found;
  const [low, high] = summary.entropy_range;
  const buffer = document.createElement("canvas");
  buffer.width = columns;
  buffer.height = layers;
  const image = new ImageData(columns, layers);
  for (let c = 0; c < columns; c += 1) {
    const from = Math.floor((c * order.length) / columns);
    const to = Math.max(from + 1, Math.floor(((c + 1) * order.length) / columns));
    for (let l = 0; l < layers; l += 1) {
      let sum = 0;
      let n = 0;
      for (let r = from; r < to && r < order.length; r += 1) { sum += entropy[order[r] * layers + l]; n += 1; }
      if (n) paint(image.data, l * columns + c, (sum / n - low) / (high - low || 1));
    }
  }
  buffer.getContext("2d").putImageData(image, 0, 0);
  painted = { found, columns, buffer };
  return buffer;
}

function strip(context, found, columns) {
  const flag = tone("flag");
  const kept = tone("line");
  for (let c = 0; c < columns; c += 1) {
    const i = found.order[Math.floor((c * found.order.length) / columns)];
    context.fillStyle = isFlagged(found, i, state.cut) ? flag : kept;
    context.fillRect(LABELS + c, 0, 1, STRIP - 2);
  }
}

function legend([low, high]) {
  return el("div", { class: "tl-legend" }, el("span", {}, `${fixed(low)} concentrated`),
    el("i", { style: `background:${ramp()}` }), el("span", {}, `${fixed(high)} spread out`));
}

/** The card with the map; hovering reads it out, a drag selects a range of ranks. */
export function samplesCard() {
  let found = null;
  let geometry = null;
  let start = null;
  let cursor = 0;
  const canvas = el("canvas", { class: "tl-map", tabindex: "0", role: "img", id: "tl-map" });
  const veil = el("div", { class: "tl-veil", hidden: true });
  const cross = el("div", { class: "tl-cross", hidden: true });
  const figure = el("div", { class: "tl-figure tl-map-wrap" }, canvas, veil, cross);
  const holder = el("div", { hidden: true });
  const readout = el("output", { class: "tl-readout", id: "tl-map-readout" }, "Hover for numbers, drag to select, click to open a sample.");
  const scale = el("div");
  const toggle = tableToggle(figure, holder, () => {
    const first = found.order.slice(0, 200);
    return table(`Entropy of the ${first.length} lowest samples`,
      ["rank", "row", ...Array.from({ length: found.layers }, (_, l) => `layer ${l}`)],
      Array.from(first, (i, r) => [r + 1, found.rows[i], ...Array.from({ length: found.layers },
        (_, l) => fixed(found.entropy[i * found.layers + l]))]));
  });

  const rankAt = (x) => Math.max(0, Math.min(found.order.length - 1,
    Math.floor(((x - LABELS) / geometry.columns) * found.order.length)));
  const xOf = (rank) => LABELS + (rank / found.order.length) * geometry.columns;
  const layerAt = (y) => Math.max(0, Math.min(found.layers - 1, Math.floor((y - STRIP - 3) / geometry.rowHeight)));

  function tell(rank, layer) {
    const i = found.order[rank];
    cross.hidden = false;
    cross.style.left = `${xOf(rank)}px`;
    show(readout, `rank ${count(rank + 1)} of ${count(found.order.length)} · row ${found.rows[i]} · layer ${layer}: `
      + `${fixed(found.entropy[i * found.layers + layer])} ${found.summary.unit} · ${isFlagged(found, i, state.cut) ? "▲ flagged" : "● kept"}`);
  }

  function mark(selection) {
    veil.hidden = selection?.kind !== "rank";
    if (veil.hidden || !geometry) return;
    veil.style.left = `${xOf(selection.from)}px`;
    veil.style.width = `${Math.max(2, xOf(selection.to) - xOf(selection.from))}px`;
  }

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const range = (a, b) => ({ kind: "rank", from: Math.min(a, b), to: Math.max(a, b) + 1 });
  canvas.addEventListener("pointerdown", (event) => {
    if (!found?.order.length) return;
    start = rankAt(place(event)[0]);
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!found?.order.length) return;
    const [x, y] = place(event);
    cursor = rankAt(x);
    tell(cursor, layerAt(y));
    if (start !== null && Math.abs(xOf(start) - x) > 4) mark(range(start, cursor));
  });
  canvas.addEventListener("pointerup", (event) => {
    if (start === null) return;
    const [x, y] = place(event);
    if (Math.abs(xOf(start) - x) > 4) set({ selection: range(start, rankAt(x)), shown: "all", page: 0 });
    else set({ sample: found.rows[found.order[rankAt(x)]], layer: layerAt(y) });
    start = null;
  });
  canvas.addEventListener("pointerleave", () => { cross.hidden = true; });
  canvas.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -100, PageDown: 100 };
    if (!found?.order.length || !(event.key in steps || event.key === "Enter")) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Enter") { set({ sample: found.rows[found.order[cursor]] }); return; }
    cursor = Math.max(0, Math.min(found.order.length - 1, cursor + steps[event.key]));
    tell(cursor, state.layer ?? 0);
  });

  const render = responsive(figure, (width) => {
    if (!found) return;
    canvas.setAttribute("aria-label", `Entropy of ${count(found.order.length)} samples in ${found.layers} layers, `
      + "samples in the order of their score; the table has the numbers.");
    geometry = drawMap(canvas, found, width);
    canvas.dataset.ready = "1";
    mark(state.selection);
  });
  onTheme(render);

  const node = card("Samples × layers", { tools: [scale, toggle.button],
    subtitle: "Each column a sample, lowest score at the left; each row a layer. Drag to select, click to open." },
    figure, holder, readout);
  return {
    node,
    update(next) {
      found = next;
      show(scale, legend(next.summary.entropy_range));
      render();
      toggle.update();
    },
    redraw: () => { if (found) render(); },
    mark: () => { if (found) mark(state.selection); },
  };
}
