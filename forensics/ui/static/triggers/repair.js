// Repair the prompts with the reconstructed trigger: before, after, controls, and the file to take away.

import { MARKS } from "../attention/verdict.js";
import { frame, responsive, table, tableToggle } from "../chart/frame.js";
import { casePath } from "../core/api.js";
import { el, show, svg } from "../core/dom.js";
import { count, percent, signed } from "../core/format.js";
import { set, state } from "../core/store.js";
import { bar } from "./bars.js";
import { REPAIR } from "./data.js";
import { following } from "./following.js";

const WHAT = "Tunes the learnt prompts on clean pictures and on copies that carry the trigger but keep their true label. The encoder stays as it is.";
const HEIGHT = 150;
const DASHES = ["", "6 3", "2 3", "8 3 2 3"];

const of = (rate) => (rate.value === null || !rate.n ? "–" : `${count(Math.round(rate.value * rate.n))} of ${count(rate.n)}`);
const between = (rate) => (rate.low === null ? "" : `${percent(rate.low, 1)} to ${percent(rate.high, 1)}`);

function cell(rate, tone) {
  return el("td", { title: `${of(rate)}; 95 % interval ${between(rate)}` }, bar(rate.value, { scale: { low: 0, high: 1 }, tone, interval: [rate.low, rate.high] }), el("span", {}, percent(rate.value)));
}

const less = (difference) => (difference ? `${difference.value > 0 ? "+" : ""}${signed(100 * difference.value, 1)}` : "–");

function versions(view) {
  const head = ["", "Attack success", "Clean accuracy", "Accuracy, points"];
  return el("div", { class: "tl-tb-wrap" }, el("table", { class: "tl-tb-table tl-repair-table", id: "tl-repair-table" }, el("thead", {}, el("tr", {}, head.map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, view.versions.map((one) => el("tr", { "data-version": one.key, class: one.key === "after" ? "tl-tb-flagged" : "" },
      el("th", { scope: "row", title: one.title }, one.label), cell(one.attack_success_rate, "flag"), cell(one.clean_accuracy, "kept"),
      el("td", { class: "tl-tb-plain", title: "Against the prompts as delivered, picture by picture" }, less(one.difference.clean_accuracy)))))));
}

function numbers(view) {
  return [table("Every version, with 95 % intervals", ["version", "attack success", "share", "interval", "clean accuracy", "share", "interval"],
    view.versions.map((one) => [one.title, of(one.attack_success_rate), percent(one.attack_success_rate.value, 1), between(one.attack_success_rate), of(one.clean_accuracy), percent(one.clean_accuracy.value, 1), between(one.clean_accuracy)])),
  table("Success of each trigger", ["version", ...view.versions[0].triggers.map((one) => one.title)], view.versions.map((one) => [one.label, ...one.triggers.map((found) => percent(found.value, 1))]))];
}

function losses(width, view) {
  const curves = Object.entries(view.losses).filter(([, values]) => values.length > 1);
  const known = curves.flatMap(([, values]) => values);
  const longest = Math.max(...curves.map(([, values]) => values.length));
  const name = (key) => view.versions.find((one) => one.key === key || (key === "right-class" && one.key === "after"))?.label ?? key;
  const box = frame(width, HEIGHT, { x: { low: 1, high: longest, label: "epoch" }, y: { low: Math.min(0, ...known), high: Math.max(...known) * 1.05, label: "loss of the tuning", wanted: 3 },
    label: `Loss by epoch. ${curves.map(([key, values]) => `${name(key)}: ${values[0].toFixed(2)} to ${values.at(-1).toFixed(2)}`).join("; ")}.` });
  curves.forEach(([key, values], k) => box.root.append(svg("path", { class: key === "right-class" ? "tl-conv-good" : "tl-conv-others", "stroke-dasharray": DASHES[k % DASHES.length],
    d: values.map((value, i) => `${i ? "L" : "M"}${box.sx(i + 1).toFixed(1)} ${box.sy(value).toFixed(1)}`).join("") }, svg("title", {}, name(key)))));
  return box.root;
}

function fresh(found) {
  if (!found) return el("p", { class: "tl-note" }, "The repaired prompts were not scanned anew.");
  const mark = MARKS[found.verdict] ?? { shape: "○", name: "No verdict", tone: "plain" };
  return el("p", { class: "tl-transplant-said", id: "tl-repair-fresh" }, el("b", {}, "New scan of the repaired prompts, with another seed and other pictures: "), el("span", { class: `tl-chip tl-${mark.tone}` }, `${mark.shape} ${mark.name.toLowerCase()}`), " ", found.sentence);
}

function exporter(view) {
  if (!view.checkpoint) return null;
  return el("a", { class: "tl-export-link tl-primary tl-download", id: "tl-repair-export", download: "", href: `${casePath(state.case)}/runs/${encodeURIComponent(view.run)}/repaired.zip`,
    title: "The repaired prompts (safetensors) and a note of where they come from" }, "Export the repaired prompts");
}

function result(view, { body, tools, start }) {
  const figure = el("div");
  const holder = el("div", { hidden: true });
  const toggle = tableToggle(figure, holder, () => numbers(view));
  const plot = el("div", { class: "tl-figure" });
  const all = el("button", { type: "button", class: "tl-ghost", title: "This and other repairs of the case beside each other", onclick: () => set({ tab: "repair", repair: view.run }) }, "All repairs");
  show(tools, toggle.button, all, start(false), exporter(view));
  show(figure, versions(view), el("p", { class: "tl-note" }, `Attack success is measured with ${view.judged_by}. ${view.facts} Thin lines: 95 % intervals.`),
    Object.values(view.losses).some((values) => values.length > 1) && el("details", { class: "tl-limits" }, el("summary", {}, "How the tuning went"), plot));
  show(body, el("p", { class: "tl-transplant-said", id: "tl-repair-said" }, view.forced && el("b", {}, "The scan does not point to this class. "), view.sentence.split(" A new inversion, ")[0]), figure, holder, fresh(view.fresh));
  responsive(plot, (width) => show(plot, losses(width, view)));
}

/** The card; `update(view)` tells it which scan is on the page. */
export function repairCard() {
  return following(REPAIR, "/about/repair", { title: "Repair the prompts (reconstruction)", subtitle: WHAT, label: "Repair", id: "tl-repair" }, {
    result,
    begin: ({ scan, drawn }) => ({ text: drawn ? "Repair again" : "Repair the prompts", id: "tl-repair-start", options: { run: scan.run } }),
    offer: () => ({ title: "Not repaired yet.", advice: "Afterwards both are measured on pictures that were not tuned on: whether the trigger still works, and what the repair cost. Controls tune the same way with a wrong trigger." }),
  });
}
