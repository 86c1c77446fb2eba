// A histogram of two stacked series with Gaussians, a cut, and brushing.

import { svg } from "../core/dom.js";
import { frame } from "./frame.js";

const HEIGHT = 190;
const NEAR = 7; // pixels around the cut line that grab it

function density(gaussian, x) {
  const z = (x - gaussian.mean) / gaussian.sd;
  return (gaussian.weight * Math.exp(-0.5 * z * z)) / (gaussian.sd * Math.sqrt(2 * Math.PI));
}

function curve(gaussian, area, low, high, sx, sy) {
  const points = [];
  for (let k = 0; k <= 160; k += 1) {
    const x = low + ((high - low) * k) / 160;
    points.push(`${k ? "L" : "M"}${sx(x).toFixed(1)} ${sy(area * density(gaussian, x)).toFixed(1)}`);
  }
  return points.join("");
}

function bars(root, spec, sx, sy, zero) {
  const { edges, flagged, kept } = spec;
  for (let b = 0; b < kept.length; b += 1) {
    const x = sx(edges[b]) + 0.5;
    const width = Math.max(0.5, sx(edges[b + 1]) - sx(edges[b]) - 1);
    const top = sy(kept[b] + flagged[b]);
    const middle = sy(flagged[b]);
    if (kept[b]) root.append(svg("rect", { x, width, y: top, height: middle - top, class: "tl-bar-kept" }));
    if (flagged[b]) root.append(svg("rect", { x, width, y: middle, height: zero - middle, class: "tl-bar-flag" }));
  }
}

function cutLine(box, spec) {
  const x = box.sx(spec.cut);
  const label = spec.cutLabel ?? `cut ${spec.cut.toFixed(2)}`;
  const right = x > box.right - 90;
  return svg("g", { class: spec.onCut ? "tl-cut tl-cut-live" : "tl-cut" },
    svg("line", { x1: x, x2: x, y1: box.top, y2: box.bottom }),
    spec.onCut && svg("rect", { x: x - 4, y: box.top + 22, width: 8, height: 22, rx: 3 }),
    svg("text", { x: right ? x - 8 : x + 8, y: box.top + 10, "text-anchor": right ? "end" : "start" }, label));
}

/**
 * Draw a histogram.
 *
 * `spec` may have `tallest` (for one scale with another figure), `xFormat` and `xWanted` (ticks). It has edges, flagged, kept, gaussians [{mean, sd, weight}] or curves [{x, y}] in samples, cut, cutLabel, xLabel, yLabel, label,
 * selection [low, high] or null, onCut and onBrush (their presence makes the figure interactive).
 */
export function histogram(width, spec) {
  const low = spec.edges[0];
  const high = spec.edges[spec.edges.length - 1];
  const total = spec.kept.reduce((a, b) => a + b, 0) + spec.flagged.reduce((a, b) => a + b, 0);
  const area = total * (spec.edges[1] - low);
  const tallest = Math.max(1, spec.tallest ?? 0, ...spec.kept.map((k, b) => k + spec.flagged[b]));
  const box = frame(width, spec.height ?? HEIGHT, {
    x: { low, high, label: spec.xLabel, format: spec.xFormat, wanted: spec.xWanted }, y: { low: 0, high: tallest * 1.08, wanted: 3, label: spec.yLabel ?? "samples" },
    label: spec.label,
  });
  if (spec.selection) {
    const from = Math.max(box.left, box.sx(spec.selection[0]));
    const to = Math.min(box.right, box.sx(spec.selection[1]));
    box.root.append(svg("rect", { x: from, width: Math.max(1, to - from), y: box.top,
      height: box.bottom - box.top, class: "tl-brush" }));
  }
  bars(box.root, spec, box.sx, box.sy, box.bottom);
  (spec.gaussians ?? []).forEach((gaussian, k) => box.root.append(svg("path", {
    d: curve(gaussian, area, low, high, box.sx, (y) => Math.max(box.top, box.sy(y))),
    class: `tl-gauss tl-gauss-${k}`,
  })));
  (spec.curves ?? []).forEach(({ x, y }, k) => box.root.append(svg("path", {
    d: x.map((at, i) => `${i ? "L" : "M"}${box.sx(at).toFixed(1)} ${Math.max(box.top, box.sy(y[i])).toFixed(1)}`).join(""),
    class: `tl-gauss tl-gauss-${k}`,
  })));
  if (spec.cut !== null && spec.cut !== undefined && spec.cut >= low && spec.cut <= high) {
    box.root.append(cutLine(box, spec));
  }
  return box;
}

/**
 * Let a pointer drag the cut, brush an interval or pick one bar of the histogram in `host`.
 * `current()` returns {box, spec} of what is drawn now: the figure is drawn anew while dragging.
 */
export function interact(host, current) {
  let mode = null;
  let start = 0;
  const at = (event) => event.clientX - host.getBoundingClientRect().left;
  const clamp = ({ box }, x) => Math.max(box.left, Math.min(box.right, x));
  const grabs = ({ box, spec }, x) => spec.onCut && spec.cut !== null && Math.abs(x - box.sx(spec.cut)) < NEAR;
  host.addEventListener("pointerdown", (event) => {
    const now = current();
    if (!now || event.button !== 0) return;
    start = at(event);
    mode = grabs(now, start) ? "cut" : now.spec.onBrush ? "brush" : null;
    if (mode) host.setPointerCapture(event.pointerId);
  });
  host.addEventListener("pointermove", (event) => {
    const now = current();
    if (!now) return;
    const x = clamp(now, at(event));
    host.style.cursor = mode === "cut" || grabs(now, x) ? "ew-resize" : now.spec.onBrush ? "crosshair" : "";
    if (mode === "cut") now.spec.onCut(now.box.sx.invert(x), false);
    if (mode === "brush" && Math.abs(x - start) > 4) now.spec.onBrush(interval(now, start, x), false);
  });
  host.addEventListener("pointerup", (event) => {
    const now = current();
    if (!mode || !now) return;
    const x = clamp(now, at(event));
    if (mode === "cut") now.spec.onCut(now.box.sx.invert(x), true);
    else if (Math.abs(x - start) > 4) now.spec.onBrush(interval(now, start, x), true);
    else now.spec.onBrush(bin(now.spec.edges, now.box.sx.invert(x)), true);
    mode = null;
  });
  host.addEventListener("pointercancel", () => { mode = null; });
}

function interval({ box }, a, b) {
  const [x, y] = [box.sx.invert(a), box.sx.invert(b)];
  return x < y ? [x, y] : [y, x];
}

function bin(edges, value) {
  const bins = edges.length - 1;
  const step = (edges[bins] - edges[0]) / bins;
  const b = Math.min(bins - 1, Math.max(0, Math.floor((value - edges[0]) / step)));
  return [edges[b], b === bins - 1 ? edges[bins] + 1e-9 : edges[b + 1]];
}
