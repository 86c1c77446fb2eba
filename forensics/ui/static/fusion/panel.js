// Evidence fusion: answers out of place, what each measurement says, what hangs on one of them.

import { card, el, empty, show } from "../core/dom.js";
import { count } from "../core/format.js";
import { responsive, table } from "../chart/frame.js";
import { histogram } from "../chart/histogram.js";
import { answer, answerCard, varietyCard } from "./answers.js";
import { channelCard } from "./channels.js";

function dropped(view) {
  const rows = view.drop_one.map((one) => [one.title, count(one.flagged), answer(one.answer),
    one.changes ? el("span", { class: "tl-flag-text" }, "▲ changes") : el("span", { class: "tl-sub" }, "same")]);
  const changing = view.drop_one.filter((one) => one.changes).length;
  const said = changing ? "A decision that hangs on one measurement is weaker." 
    : view.flagged ? "No single measurement decides." : "Nothing would be flagged without one of them either.";
  return card("Decided without one of them", { subtitle: said, className: view.variety.length ? "" : "tl-fuse-wide" },
    table("What would be flagged", ["left out", "flagged", "answer", ""], rows));
}

function scores(view) {
  const figure = el("div", { class: "tl-figure", id: "tl-fuse-scores" });
  const render = responsive(figure, (width) => show(figure, histogram(width, { ...view.histogram, xLabel: "0 = like other samples, 1 = like the suspected group", height: 180,
    label: `Histogram of the combined score: ${count(view.flagged)} of ${count(view.n)} samples flagged.` }).root));
  render();
  return card("Where each sample lies", { subtitle: "On the line from other samples to the suspected group, over all measurements but the answer's embedding. Flagged samples in orange.", className: "tl-fuse-wide" }, figure);
}

/** The figures of a run, from its summary. */
export function fusionPanel(view) {
  if (!view.candidates.length) {
    return el("div", { class: "tl-card", id: "tl-fusion" }, empty("There is no group to measure.",
      view.reason === "too-few-samples" ? "Too few samples were scanned." : "No answer is given where, or as often as, no ordinary answer is; without such a group nothing is compared."));
  }
  return el("div", { class: "tl-fusion", id: "tl-fusion" }, answerCard(view), channelCard(view), dropped(view), varietyCard(view),
    view.histogram && scores(view));
}
