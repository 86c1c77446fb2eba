// Shares as dots with their intervals, one row each: what was measured, against what.

import { svg } from "../core/dom.js";
import { percent } from "../core/format.js";
import { linear } from "./scale.js";

const ROW = 26;
const TOP = 8;
const BOTTOM = 34;

/** The mark of a role: shapes differ, so that colour is not needed to tell them apart. */
function mark(role, x, y) {
  if (role === "patch") return svg("path", { d: `M${x} ${y - 6.5}L${x + 6} ${y + 4.5}H${x - 6}Z`, class: "tl-range-patch" });
  if (role === "moved") return svg("path", { d: `M${x} ${y - 5}L${x + 4.4} ${y + 3.4}H${x - 4.4}Z`, class: "tl-range-moved" });
  if (role === "base") return svg("rect", { x: x - 4, y: y - 4, width: 8, height: 8, class: "tl-range-base" });
  return svg("circle", { cx: x, cy: y, r: 4.5, class: "tl-range-control" });
}

/**
 * Draw the chart. `rows` are {label, title, role, rate, low, high, n, flips}; `label` describes the
 * figure, `xLabel` its axis.
 */
export function intervals(width, { rows, label, xLabel }) {
  const names = Math.min(198, Math.max(120, width * 0.42));
  const read = 112; // pixels right of the axis for the numbers
  const height = TOP + ROW * rows.length + BOTTOM;
  const floor = TOP + ROW * rows.length;
  const sx = linear(0, 1, names + 14, width - read);
  const root = svg("svg", { class: "tl-chart", width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  const steps = sx(1) - sx(0) < 220 ? [0, 0.5, 1] : [0, 0.25, 0.5, 0.75, 1];
  for (const step of steps) {
    root.append(svg("line", { x1: sx(step), x2: sx(step), y1: TOP, y2: floor, class: "tl-grid" }),
      svg("text", { x: sx(step), y: floor + 14, class: "tl-tick", "text-anchor": "middle" }, percent(step)));
  }
  root.append(svg("line", { x1: sx(0), x2: sx(1), y1: floor, y2: floor, class: "tl-axis" }),
    svg("text", { x: (sx(0) + sx(1)) / 2, y: height - 3, class: "tl-label", "text-anchor": "middle" }, xLabel));
  rows.forEach((row, k) => root.append(line(row, TOP + ROW * (k + 0.5), sx, names, width)));
  return root;
}

function line(row, y, sx, names, width) {
  const group = svg("g", { class: `tl-range tl-range-is-${row.role}` }, svg("title", {}, row.title),
    svg("text", { x: names, y: y + 4, "text-anchor": "end", class: "tl-range-name" }, row.label));
  if (row.rate === null) {
    group.append(svg("text", { x: sx(0) + 6, y: y + 4 }, "not asked"));
    return group;
  }
  const [low, high] = [sx(row.low), sx(row.high)];
  group.append(svg("path", { d: `M${low} ${y}H${high}M${low} ${y - 5}v10M${high} ${y - 5}v10`, class: "tl-range-line" }), mark(row.role, sx(row.rate), y),
    svg("text", { x: width, y: y + 4, "text-anchor": "end", class: "tl-range-read" }, `${percent(row.rate)} (${row.flips}/${row.n})`));
  return group;
}
