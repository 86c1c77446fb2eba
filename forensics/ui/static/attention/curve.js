// Separation by layer: how far apart the two groups of samples stand in each decoder layer.

import { card, el, segmented, show, svg } from "../core/dom.js";
import { fixed } from "../core/format.js";
import { set, state } from "../core/store.js";
import { frame, responsive, table, tableToggle } from "../chart/frame.js";

const VIEWS = {
  root: { name: "Formula", unit: "|μ₁−μ₂| / √(σ₁²+σ₂²)", help: "The paper's formula. The gate is τ." },
  code: { name: "Code", unit: "|μ₁−μ₂| / (σ₁+σ₂)", help: "The authors' released code. The gate is 2." },
  guarded: { name: "Guarded", unit: "formula, same question", help: "Ours: residuals among samples that were asked the same. A layer over the gate is used only if one answer goes with it." },
  kl: { name: "KL", unit: "KL divergence, nats", help: "A second measure of the same gap; it decides nothing." },
};

function draw(width, summary, view, layer) {
  const values = summary.curve[view];
  const gate = summary.curve.gate[view];
  const finite = values.filter(Number.isFinite);
  const high = Math.max(gate ?? 0, ...finite, 0.5) * 1.12;
  const layers = values.map((_, l) => l);
  const shownLayers = layers.length > 16 ? layers.filter((l) => l % 4 === 0) : layers;
  const box = frame(width, 252, {
    x: { low: -0.4, high: layers.length - 0.6, values: [], label: "decoder layer, from 0" },
    y: { low: 0, high, label: view === "kl" ? "nats" : "separation" }, label: describe(summary, view),
  });
  for (const l of shownLayers) {
    box.root.append(svg("text", { x: box.sx(l), y: box.bottom + 15, class: "tl-tick", "text-anchor": "middle" }, l));
  }
  if (layer !== null) {
    const half = (box.sx(1) - box.sx(0)) / 2;
    box.root.append(svg("rect", { x: box.sx(layer) - half, width: 2 * half, y: box.top,
      height: box.bottom - box.top, class: "tl-chosen" }));
  }
  let gateText = null;
  if (gate !== null) {
    box.root.append(svg("line", { x1: box.left, x2: box.right, y1: box.sy(gate), y2: box.sy(gate), class: "tl-gate" }));
    gateText = svg("text", { x: box.right, y: box.sy(gate) - 5, class: "tl-gate-text", "text-anchor": "end" }, `gate ${fixed(gate, 1)}`);
  }
  const drawn = layers.filter((l) => Number.isFinite(values[l]));
  box.root.append(svg("path", { class: "tl-line",
    d: drawn.map((l, k) => `${k ? "L" : "M"}${box.sx(l)} ${box.sy(values[l])}`).join("") }));
  for (const l of drawn) {
    const passes = view !== "kl" && summary.curve.passes[view][l];
    box.root.append(svg("circle", { cx: box.sx(l), cy: box.sy(values[l]), r: passes ? 5.5 : 4,
      class: `tl-dot ${passes ? "tl-dot-pass" : ""} ${l === layer ? "tl-dot-chosen" : ""}` }));
  }
  if (gateText) box.root.append(gateText); // over the line, or it cannot be read
  return box;
}

function describe(summary, view) {
  const passing = view === "kl" ? [] : summary.curve.passes[view].flatMap((p, l) => (p ? [l] : []));
  const parts = summary.curve[view].map((v, l) => `layer ${l} ${fixed(v)}`).join(", ");
  return `Separation by layer, ${VIEWS[view].unit}: ${parts}. `
    + (view === "kl" ? "" : passing.length ? `Over the gate: ${passing.join(", ")}.` : "No layer is over the gate.");
}

/** The card with the curve; `update(found)` draws a scan into it. */
export function curveCard() {
  let found = null;
  let view = "root";
  const figure = el("div", { class: "tl-figure", tabindex: "0", id: "tl-curve",
    title: "Click a layer to look at it; ← and → move when this is focused" });
  const holder = el("div", { hidden: true });
  const switcher = el("div");
  const unit = el("p", { class: "tl-sub" });
  let box = null;

  const toggle = tableToggle(figure, holder, () => {
    const { curve } = found.summary;
    return table("Separation by layer", ["layer", "formula", "code", "guarded", "KL", "lower mean", "upper mean", "lower share"],
      curve.root.map((value, l) => [l, fixed(value), fixed(curve.code[l]), fixed(curve.guarded[l]), fixed(curve.kl[l]),
        fixed(curve.low_mean[l]), fixed(curve.high_mean[l]), `${fixed(100 * curve.low_weight[l], 1)} %`]));
  });

  const render = responsive(figure, (width) => {
    if (!found) return;
    box = draw(width, found.summary, view, state.layer);
    show(figure, box.root);
  });

  function choose(next) {
    view = next;
    refresh();
  }

  function refresh() {
    show(switcher, segmented("Measure", Object.entries(VIEWS).map(([k, v]) => [k, v.name, v.help]), view, choose));
    show(unit, VIEWS[view].unit);
    render();
    toggle.update();
  }

  const step = (delta) => found && set({ layer: Math.max(0, Math.min(found.layers - 1, (state.layer ?? 0) + delta)) });
  figure.addEventListener("click", (event) => {
    if (!box) return;
    const l = Math.round(box.sx.invert(event.clientX - figure.getBoundingClientRect().left));
    set({ layer: Math.max(0, Math.min(found.layers - 1, l)) });
  });
  figure.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    event.preventDefault();
    event.stopPropagation();
    step(event.key === "ArrowRight" ? 1 : -1);
  });

  const node = card("Separation by layer", { tools: [toggle.button] },
    switcher, unit, figure, holder);
  return {
    node,
    update(next) {
      if (next.summary.rule !== found?.summary.rule) view = next.summary.rule;
      found = next;
      refresh();
    },
    redraw: () => { render(); },
  };
}
