// A small line chart with a legend, a read-out under the pointer, and a table of its numbers.

import { frame, responsive, table, tableToggle } from "../chart/frame.js";
import { el, show, svg } from "../core/dom.js";
import { fixed, percent } from "../core/format.js";
import { DASHES, TONES } from "./data.js";

const HEIGHT = 178;
const known = (value) => value !== null && Number.isFinite(value);

/** The two ends of an axis, with room; shares keep 0 and 1 as their ends. */
function range(series, unit) {
  const values = series.flatMap((one) => [...one.values, ...(one.low ?? []), ...(one.high ?? [])]).filter(known);
  if (unit === "share") return { low: 0, high: 1 };
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const room = 0.08 * (most - least || Math.abs(most) || 1);
  return { low: unit === "loss" && least >= 0 && least < 0.5 * most ? 0 : least - room, high: unit === "cosine" ? Math.min(1.005, most + room) : most + room };
}

function path(one, box) {
  let open = false;
  return one.values.map((value, k) => {
    if (!known(value)) { open = false; return ""; }
    const step = `${open ? "L" : "M"}${box.sx(one.steps[k]).toFixed(1)} ${box.sy(value).toFixed(1)}`;
    open = true;
    return step;
  }).join("");
}

function band(one, box) {
  if (!one.low) return null;
  const along = (values, list) => list.map((k) => `${box.sx(one.steps[k]).toFixed(1)} ${box.sy(values[k]).toFixed(1)}`).join("L");
  const all = one.steps.map((_, k) => k);
  return svg("path", { class: `tl-rp-band tl-rp-fill-${one.tone}`, d: `M${along(one.high, all)}L${along(one.low, [...all].reverse())}Z` });
}

const text = (value, unit) => (unit === "share" ? percent(value, 1) : fixed(value, 3));

/**
 * The chart. `update({series, unit, x, label})` draws; a series is {label, steps, values} and may have `low`, `high`, `tone` and `dash`.
 * `dots` marks every value (few of them).
 */
export function lineChart({ height = HEIGHT, dots = false } = {}) {
  let spec = null;
  const figure = el("div", { class: "tl-figure" });
  const legend = el("div", { class: "tl-rp-legend" });
  const readout = el("output", { class: "tl-readout" });
  const holder = el("div", { hidden: true });
  const body = el("div", {}, legend, figure, readout);

  function draw(width) {
    if (!spec?.series.length) return;
    const steps = spec.series.flatMap((one) => one.steps);
    const [low, high] = [Math.min(...steps), Math.max(...steps)];
    const box = frame(width, height, { x: { low, high: high === low ? low + 1 : high, label: spec.x, wanted: Math.min(6, Math.max(2, high - low)) }, y: { ...range(spec.series, spec.unit), wanted: 4 }, label: spec.label });
    for (const one of spec.series) { const shade = band(one, box); if (shade) box.root.append(shade); }
    for (const one of spec.series) {
      box.root.append(svg("path", { class: `tl-rp-line tl-rp-${one.tone}`, d: path(one, box), "stroke-dasharray": one.dash }, svg("title", {}, one.label)));
      if (dots || one.values.length === 1) one.values.forEach((value, k) => { if (known(value)) box.root.append(svg("circle", { class: `tl-rp-dot tl-rp-fill-${one.tone}`, cx: box.sx(one.steps[k]), cy: box.sy(value), r: 3 })); });
    }
    const cross = svg("line", { class: "tl-rp-cross", y1: box.top, y2: box.bottom, x1: -9, x2: -9 });
    box.root.append(cross);
    figure.onpointermove = (event) => {
      const at = box.sx.invert(event.clientX - figure.getBoundingClientRect().left);
      const nearest = steps.reduce((best, step) => (Math.abs(step - at) < Math.abs(best - at) ? step : best), steps[0]);
      cross.setAttribute("x1", box.sx(nearest)); cross.setAttribute("x2", box.sx(nearest));
      show(readout, `${spec.x} ${nearest}: `, spec.series.map((one) => { const k = one.steps.indexOf(nearest); return k < 0 || !known(one.values[k]) ? null : `${one.label} ${text(one.values[k], spec.unit)}`; }).filter(Boolean).join("; "));
    };
    show(figure, box.root);
  }
  const redraw = responsive(figure, draw);
  const toggle = tableToggle(body, holder, () => {
    const steps = [...new Set((spec?.series ?? []).flatMap((one) => one.steps))].sort((a, b) => a - b);
    return table(spec?.label ?? "", [spec?.x ?? "", ...(spec?.series ?? []).map((one) => one.label)], steps.map((step) => [step, ...spec.series.map((one) => { const k = one.steps.indexOf(step); return k < 0 ? "–" : text(one.values[k], spec.unit); })]));
  });

  return {
    node: el("div", {}, body, holder), button: toggle.button,
    update(next) {
      spec = { ...next, series: next.series.map((one, k) => ({ tone: TONES[k % TONES.length], dash: DASHES[k % DASHES.length], ...one })) };
      show(legend, spec.series.length > 1 && spec.series.map((one) => el("span", {}, svg("svg", { width: 22, height: 8, "aria-hidden": "true" }, svg("path", { class: `tl-rp-line tl-rp-${one.tone}`, d: "M0 4H22", "stroke-dasharray": one.dash })), one.label)));
      redraw();
      toggle.update();
    },
  };
}
