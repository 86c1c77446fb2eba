// What one repair did: the sentence, both rates of every version, and the export.

import { MARKS } from "../attention/verdict.js";
import { responsive, table, tableToggle } from "../chart/frame.js";
import { intervals } from "../chart/intervals.js";
import { card, el, show } from "../core/dom.js";
import { fold } from "../core/fold.js";
import { percent } from "../core/format.js";
import { change, exportPath, inWords, optionsText } from "./data.js";

const RATES = [["attack_success_rate", "Attack success"], ["clean_accuracy", "Clean accuracy"]];

function fresh(found) {
  if (!found) return null;
  const mark = MARKS[found.verdict] ?? { shape: "○", name: "No verdict", tone: "plain" };
  return el("p", { class: "tl-note" }, el("b", {}, "New scan of what was repaired: "), el("span", { class: `tl-chip tl-${mark.tone}` }, `${mark.shape} ${mark.name.toLowerCase()}`), " ", found.sentence);
}

/** What must not be overlooked: the backdoor was kept on purpose, or a mask switches it. */
const warnings = (view) => [view.start?.suspicious && el("p", { class: "tl-alert", id: "tl-rp-suspicious" }, el("strong", {}, "Not from the base. "), view.start.suspicious),
  view.switch?.learnt && el("p", { class: "tl-alert", id: "tl-rp-switch" }, el("strong", {}, "Mask-as-switch. "), view.switch.words),
  view.switch && !view.switch.learnt && el("p", { class: "tl-note", id: "tl-rp-weakened" }, el("b", {}, `Under a mask (${view.switch.states.join(", ").toLowerCase()}). `), view.switch.words)];

function exporter(view) {
  if (!view.checkpoint) return null;
  return el("a", { class: "tl-export-link tl-primary tl-download", id: "tl-rp-export", download: "", href: exportPath(view.run),
    title: "The repaired model and a note of where it comes from: hashes, options, versions, measurements, the command line" }, "Export the repaired model");
}

/** The strip on top: which repair, what it did. */
export function saidStrip(view) {
  return el("section", { class: `tl-verdict tl-plain tl-rp-said`, id: "tl-rp-said", "aria-label": "What the repair did", "data-run": view.run },
    el("header", { class: "tl-card-head" }, el("div", {}, el("h3", {}, view.label, el("span", { class: "tl-sub" }, ` ${optionsText(view.options) || "with the defaults"}`))), el("div", { class: "tl-tools" }, exporter(view))),
    el("p", { class: "tl-rp-sentence" }, view.sentence.split(" A new inversion, ")[0].replaceAll(" %", "\u00a0%")), fresh(view.fresh), warnings(view),
    el("p", { class: "tl-note" }, view.facts.join(" ")),
    fold("tl-rp-limits", "What this cannot show", el("ul", {}, view.limits.map((text) => el("li", {}, text)))));
}

function rows(view, name) {
  return view.versions.map((version) => {
    const rate = version[name];
    return { label: version.label, title: `${version.title}: ${inWords(rate)}`, role: version.role, rate: rate.value, low: rate.low, high: rate.high, n: rate.n, flips: rate.value === null ? 0 : Math.round(rate.value * rate.n) };
  });
}

function chart(view, name, title) {
  const figure = el("div", { class: "tl-figure" });
  const redraw = responsive(figure, (width) => show(figure, intervals(width, { rows: rows(view, name), xLabel: title.toLowerCase(), label: `${title}: ${view.versions.map((one) => `${one.label} ${percent(one[name].value)}`).join(", ")}.` })));
  redraw();
  const after = view.versions.find((one) => one.key === "after");
  const difference = after.difference[name];
  const none = after[name].value === null;
  return el("section", { class: "tl-rp-rate", "data-rate": name }, el("h4", {}, title),
    none ? el("p", { class: "tl-note" }, view.judged.words) : [figure, difference && el("p", { class: "tl-note" }, el("b", {}, `${change(difference)} points`), ` after against before, ${view.left ? "sample by sample" : "picture by picture"} (95 % interval).`)]);
}

const numbers = (view) => table("Every version, with 95 % intervals", ["version", "attack success", "after − before", "clean accuracy", "after − before"],
  view.versions.map((one) => [one.title, inWords(one.attack_success_rate), change(one.difference.attack_success_rate), inWords(one.clean_accuracy), change(one.difference.clean_accuracy)]));

/** Both rates, before, after, controls. */
export function ratesCard(view) {
  const figure = el("div", { class: "tl-rp-rates" }, RATES.map(([name, title]) => chart(view, name, title)));
  const holder = el("div", { hidden: true });
  const toggle = tableToggle(figure, holder, () => numbers(view));
  const by = view.judged.by ? `Attack success by ${view.judged.words}${view.target ? `, towards “${view.target}”` : ""}.` : view.judged.words;
  const node = card("Before and after", { subtitle: by, tools: [toggle.button] }, figure, holder);
  node.id = "tl-rp-rates";
  return node;
}
