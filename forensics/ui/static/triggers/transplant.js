// Does the reconstructed trigger override content on pictures that it was not made on?

import { MARKS } from "../attention/verdict.js";
import { responsive, table, tableToggle } from "../chart/frame.js";
import { intervals } from "../chart/intervals.js";
import { el, picture, show } from "../core/dom.js";
import { count, fixed, percent, signed } from "../core/format.js";
import { set, state, watch } from "../core/store.js";
import { TRANSPLANT } from "./data.js";
import { following } from "./following.js";

const WHAT = "Puts the trigger on pictures in which the model is sure of another class, beside other classes’ triggers, the same pixels shuffled, and a reference model.";
const span = (found) => `${signed(found.value)} (${signed(found.low)} to ${signed(found.high)})`;

function numbers(view) {
  return [table("Pictures that become the class, with 95 % intervals", ["trigger", "pictures", "share", "from", "to"],
    view.arms.map((row) => [row.title, `${count(row.flips)} of ${count(row.n)}`, percent(row.rate, 1), percent(row.low, 1), percent(row.high, 1)])),
  table("Beyond each control", ["control", "difference (95 % interval)", "p (Holm)", "beyond the reference"],
    view.numbers.map((row) => [row.label, span(row), row.p === null ? "–" : row.p < 0.001 ? "< 0.001" : fixed(row.p, 3), row.beyond ? span(row.beyond) : "–"]))];
}

function example(one) {
  const own = one.row >= 0; // a picture of the case, and not one that came with the test
  return el(own ? "button" : "div", { type: own && "button", class: `tl-graft ${one.flipped ? "tl-flip" : ""}`, title: own ? `Look at ${one.host} at the right` : one.host, onclick: own && (() => set({ sample: one.row })) },
    el("span", { class: "tl-graft-pictures" }, picture(one.picture), el("span", { "aria-hidden": "true" }, "→"), picture(one.marked)),
    el("span", {}, one.before, " → ", el("q", {}, one.after)), el("span", { class: "tl-sub" }, one.flipped ? "▲ becomes the class" : "● stays"));
}

function figures(view) {
  const figure = el("div", { class: "tl-figure" });
  const holder = el("div", { hidden: true });
  const draw = responsive(figure, (width) => show(figure, intervals(width, { rows: view.arms, xLabel: "pictures that become the trigger’s class",
    label: `Share of pictures that become the class: ${view.arms.map((row) => `${row.label} ${percent(row.rate)}`).join(", ")}.` })));
  const toggle = tableToggle(figure, holder, () => numbers(view));
  draw();
  return el("div", { class: "tl-transplant" },
    el("section", { "aria-label": "Shares" }, el("header", { class: "tl-card-head" }, el("h4", {}, `How often a picture becomes “${view.target}”`), toggle.button), figure, holder, el("p", { class: "tl-note" }, view.facts)),
    el("section", { "aria-label": "Examples" }, el("h4", {}, "One picture of each class the model saw"), el("div", { class: "tl-grafts" }, view.examples.map(example))));
}

function result(view, { body, tools, start }) {
  const mark = MARKS[view.verdict] ?? { shape: "○", name: "No verdict", tone: "plain" };
  show(tools, start(false));
  show(body, el("p", { class: "tl-transplant-said", id: "tl-graft-said" }, el("span", { class: `tl-chip tl-${mark.tone}` }, `${mark.shape} ${mark.name.toLowerCase()}`), " ", view.sentence),
    figures(view), el("details", { class: "tl-limits tl-transplant-foot" }, el("summary", {}, "What this cannot show"), el("ul", {}, view.limits.map((text) => el("li", {}, text)))));
}

/** The scan's own class, or as a control experiment the one looked at. */
function begin({ scan, drawn }) {
  if (scan.target) return { text: drawn ? "Test again" : `Test the trigger of “${scan.target}”`, id: "tl-graft-start", options: { run: scan.run } };
  const { name } = scan.classes.find((entry) => entry.index === state.trigger) ?? {};
  return { text: `Test the trigger of “${name}” (control)`, id: "tl-graft-start", options: { run: scan.run, target: name } };
}

const offer = ({ scan }) => ({ title: "Not tested yet.", advice: scan.target ? "A trigger that was made on some pictures should be tried on others before it is believed." : "The scan points to no class. The trigger of the class looked at can be tested as a control experiment." });

/** The card; `update(view)` tells it which scan is on the page. */
export function transplantCard() {
  const card = following(TRANSPLANT, "/about/transplant", { title: "Does the trigger work on other pictures?", subtitle: WHAT, label: "Transplant test", id: "tl-graft" }, { result, begin, offer });
  watch(["trigger"], () => { if (card.scan && !card.scan.target && !card.drawn) card.load(); });
  return card;
}
