// Evidence fusion: what each channel says about the accepted answer, and what one channel changes.

import { card, el, show } from "../core/dom.js";
import { count, fixed, percent } from "../core/format.js";
import { responsive, table } from "../chart/frame.js";
import { histogram } from "../chart/histogram.js";

const rank = (value) => (Number.isFinite(value) ? percent(value, 1) : "–");
const chance = (p) => (p === null || p === undefined ? "–" : p < 0.001 ? "< 0.001" : fixed(p, 3));

/** A bar of the separation, with a tick where the highest natural group stands. */
function bar({ bar: share, mark, title, separation, natural_highest: highest }) {
  if (share === null || share === undefined) return "–";
  return el("span", { class: "tl-fuse-bar", role: "img", "aria-label": `${title}: separation ${fixed(separation)}, highest of natural groups ${fixed(highest)}` },
    el("i", { style: `width:${(100 * share).toFixed(1)}%` }), el("b", { style: `left:${(100 * mark).toFixed(1)}%` }));
}

function channels(view) {
  const rows = view.channels.map((one) => [el("strong", {}, one.title), bar(one), fixed(one.separation), rank(one.rank),
    el("span", { class: one.state === "spoke" ? "tl-flag-text" : "tl-sub" }, `${one.state === "spoke" ? "▲ " : ""}${one.says}`)]);
  return card("What each channel says", { subtitle: "How far the group of the suspected answer stands from the rest. Tick: the highest natural group of clean sets; rank: among them.", className: "tl-fuse-wide" },
    table("Channels", ["channel", "separation", "", "rank", "reading"], rows));
}

function answers(view) {
  const text = view.accepted_answer === null || view.accepted_answer === undefined
    ? "No answer is accepted as planted." : null;
  const rows = view.candidates.map((one) => [el("strong", {}, one.answer), count(one.count), count(one.out_of_place), chance(one.p_natural), chance(one.p_permutation),
    one.varied === null ? "–" : one.varied ? "varied" : "alike", one.accepted ? "▲ accepted" : "–"]);
  return card("The accepted answer", { subtitle: "Answers that turn up where their question does not call for them, the oddest first." },
    el("p", { id: "tl-fuse-answer" }, text ?? el("q", {}, view.accepted_answer)),
    view.candidates.length ? table("Answers out of place", ["answer", "samples", "out of place", "p natural", "p permuted", "pictures", ""], rows)
      : el("p", { class: "tl-sub" }, "No answer is out of place."));
}

function dropped(view) {
  const rows = view.drop_one.map((one) => [one.title, count(one.flagged), one.answer ?? "–", one.changes ? el("span", { class: "tl-flag-text" }, "▲ changes") : "as decided"]);
  return card("Without one channel", { subtitle: "A verdict that hangs on one channel alone is weaker." },
    table("What would be flagged", ["without", "flagged", "answer", ""], rows));
}

function scores(view) {
  const figure = el("div", { class: "tl-figure", id: "tl-fuse-scores" });
  const render = responsive(figure, (width) => show(figure, histogram(width, { ...view.histogram, xLabel: "combined score", height: 200,
    label: `Histogram of the combined score: ${count(view.flagged)} of ${count(view.n)} samples flagged.` }).root));
  render();
  return card("Combined score", { subtitle: "Flagged samples in orange." }, figure);
}

/** The figures of a run, from its summary. */
export function fusionPanel(view) {
  return el("div", { class: "tl-fusion", id: "tl-fusion" }, channels(view), answers(view), dropped(view), view.histogram && scores(view));
}
