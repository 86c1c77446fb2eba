// One cell of the table of classes: a bar from zero, the lines it is held against, a tick a seed.

import { el } from "../core/dom.js";

const TALLEST = 15; // an anomaly index beyond it would squeeze every other bar

/** The range that holds all values and lines, zero included. */
export function range(values, lines = []) {
  const known = [...values, ...lines].filter(Number.isFinite);
  const high = Math.min(TALLEST, Math.max(...known, 0.001));
  return { low: Math.max(-TALLEST / 3, Math.min(0, ...known)), high: high * 1.04 };
}

/**
 * A bar. `scale` is {low, high}; `lines` are {at, kind}: gate, cut, calibrated or reference;
 * `seeds` are the values of single seeds; `interval` is [from, to]; `tone` says how the bar is filled.
 */
export function bar(value, { scale, lines = [], seeds = [], tone = "kept", interval = null }) {
  const span = scale.high - scale.low;
  const place = (at) => Math.max(0, Math.min(100, (100 * (at - scale.low)) / span));
  const zero = place(0);
  const node = el("span", { class: "tl-tb", "aria-hidden": "true" });
  if (zero > 0) node.append(el("s", { style: `left:${zero}%` }));
  if (Number.isFinite(value)) {
    const at = place(value);
    node.append(el("i", { class: `tl-tb-${tone}${value > scale.high ? " tl-tb-over" : ""}`, style: `left:${Math.min(zero, at)}%;width:${Math.max(0.6, Math.abs(at - zero))}%` }));
  }
  if (interval && interval.every(Number.isFinite)) node.append(el("em", { style: `left:${place(interval[0])}%;width:${Math.max(0.4, place(interval[1]) - place(interval[0]))}%` }));
  if (seeds.length > 1) for (const seed of seeds) if (Number.isFinite(seed)) node.append(el("u", { style: `left:${place(seed)}%` }));
  for (const line of lines) if (Number.isFinite(line.at)) node.append(el("b", { class: `tl-tb-${line.kind}`, style: `left:${place(line.at)}%` }));
  return node;
}
