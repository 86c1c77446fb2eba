// How a method's verdict, counts and times read, wherever they stand.

import { MARKS } from "../attention/verdict.js";
import { el } from "../core/dom.js";
import { clock, count, duration } from "../core/format.js";

/** A verdict as a chip; a method without one only puts samples in order. */
export function badge(verdict) {
  if (verdict === null) return el("span", { class: "tl-chip tl-plain", title: "This method puts samples in order and gives no verdict" }, "○ rank only");
  const mark = MARKS[verdict];
  return mark ? el("span", { class: `tl-chip tl-${mark.tone}` }, `${mark.shape} ${mark.name.toLowerCase()}`)
    : el("span", { class: "tl-chip tl-plain" }, String(verdict));
}

export const verdictWord = (verdict) => (verdict === null ? "rank only" : (MARKS[verdict]?.name.toLowerCase() ?? String(verdict)));

export const flaggedText = ({ flagged, n }) => {
  if (Number.isFinite(flagged)) return `${count(flagged)} flagged`;
  return Number.isFinite(n) ? `${count(n)} samples` : "";
};

export const took = (seconds) => (Number.isFinite(seconds) && seconds < 1 ? "< 1 s" : duration(seconds));

/** Whether a method can start, and what that will cost. */
export function readiness(line) {
  if (line.active) return "Under way; see the bar at the top.";
  if (line.refused) return line.refused;
  if (line.cost) return line.cost;
  if (line.reuses) return `Uses the scan of ${clock(line.reuses.created)}. ${line.timed}`;
  if (line.builds_on === "arrays") return `No scan to use yet: it reads all samples itself. ${line.timed}`;
  return `${line.builds_on === "flags" ? "Asks the model about flagged samples." : "Reads every sample once."} ${line.timed}`;
}

/** A label with what stands in brackets set back, and the mode of its run. */
export function nameParts(label, mode = null) {
  const [, name, aside = ""] = label.match(/^(.*?)( \(.*)?$/);
  return [el("b", {}, name), el("span", { class: "tl-sub" }, aside, mode && ` ${mode}`)];
}

/** The name without the paper's abbreviation, where room is short. */
export const shortLabel = (label) => label.replace(/ \(.*$/, "");
