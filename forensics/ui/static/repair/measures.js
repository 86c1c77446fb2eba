// Repairs of language models: every measure before and after, and what tuning started from.

import { card, el } from "../core/dom.js";
import { count, percent, signed } from "../core/format.js";
import { FRESH, set } from "../core/store.js";
import { BASE } from "../methods/listing.js";
import { change } from "./data.js";

const score = (value) => (value === null || value === undefined ? "–" : value.toFixed(1));
const figure = (found, unit) => (unit === "share" ? percent(found.value, 1) : score(found.value));

/** "84.1 % to 97.4 %, n = 60" */
function spread(found, unit) {
  if (found.value === null || found.value === undefined) return "";
  const range = found.low === null ? "" : `${unit === "share" ? percent(found.low, 1) : score(found.low)} to ${unit === "share" ? percent(found.high, 1) : score(found.high)}`;
  return [range, found.n && `n ${count(found.n)}`].filter(Boolean).join(", ");
}

const cell = (found, unit, head) => el("td", { "data-head": head }, el("b", {}, figure(found, unit)), el("span", { class: "tl-sub" }, spread(found, unit)));

function difference(one) {
  const { difference: found, unit } = one;
  if (!found) return el("td", { "data-head": "difference" }, el("span", { class: "tl-sub" }, "–"));
  const text = unit === "share" ? `${change(found)}` : `${signed(found.value, 1)} (${signed(found.low, 1)} to ${signed(found.high, 1)})`;
  return el("td", { "data-head": "difference" }, text, unit === "share" && el("span", { class: "tl-sub" }, "points"));
}

/** Every measure with its interval; null for repairs of other models. */
export function measuresCard(view) {
  if (!view.measures.length) return null;
  const line = (one) => el("tr", { "data-measure": one.name }, el("th", { scope: "row" }, one.label, el("span", { class: "tl-sub" }, one.help)), cell(one.before, one.unit, "as delivered"), cell(one.after, one.unit, "repaired"), difference(one));
  const node = card("Every measure", { subtitle: "With 95 % intervals. Differences are paired: sample by sample, after minus before." },
    el("table", { class: "tl-rp-measures" }, el("thead", {}, el("tr", {}, ["Measure", "As delivered", "Repaired", "Difference"].map((name) => el("th", { scope: "col" }, name)))), el("tbody", {}, view.measures.map(line))));
  node.id = "tl-rp-measures";
  return node;
}

const UNKNOWN = "not compared"; // a whole delivered model goes on, and its base is not opened
const yes = (right, text) => el("span", { class: right ? "tl-rp-have" : "tl-bad-text" }, `${right ? "✓" : "✕"} ${text}`);

const openScan = ({ scan, scan_method: method }) => set(method === BASE ? { ...FRESH, run: scan, tab: "attention" } : { view: method, tab: "attention" });

/** What tuning started from, part by part; null for repairs of other models. */
export function startCard(view) {
  if (!view.start?.parts.length) return null;
  const { suspicious, base_files: files, parts } = view.start;
  const line = (one) => el("tr", {}, el("th", { scope: "row" }, one.part), el("td", { "data-head": "changed by the delivered tuning" }, one.touched === null ? UNKNOWN : one.touched ? "▲ yes" : "no"), el("td", { "data-head": "starts as the base’s" }, one.as_base === null ? UNKNOWN : yes(one.as_base, one.as_base ? "yes" : "no")),
    el("td", { "data-head": "SHA-256" }, el("code", { title: one.sha256 ?? "" }, (one.sha256 ?? "–").slice(0, 12))));
  const node = card("What it started from", { subtitle: suspicious ?? "The base, with a fresh adapter. What the delivered tuning changed may carry the backdoor, so every such part is the base’s again; the hashes were compared before the first step." },
    el("table", { class: "tl-rp-start" }, el("thead", {}, el("tr", {}, ["Part", "Changed by the delivered tuning", "Starts as the base’s", "SHA-256"].map((name) => el("th", { scope: "col" }, name)))), el("tbody", {}, parts.map(line))),
    files && el("p", { class: "tl-note" }, "Files of the base: ", el("code", { title: files }, files.slice(0, 12)), ", as frozen in the case."),
    view.left && el("p", { class: "tl-note", id: "tl-rp-left" }, view.left.words, view.left.skipped > 0 && ` ${count(view.left.skipped)} could not be read.`, view.left.scan && [" ", el("button", { type: "button", class: "tl-ghost", onclick: () => openScan(view.left) }, "See that scan")]));
  node.id = "tl-rp-start-card";
  return node;
}
