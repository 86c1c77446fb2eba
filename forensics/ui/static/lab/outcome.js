// After the reveal: the truth, who was how near, how strong the backdoor is, and the repair.

import { post } from "../core/api.js";
import { el } from "../core/dom.js";
import { fixed, percent } from "../core/format.js";
import { set } from "../core/store.js";
import { doing, labPath, rateCell } from "./data.js";

const PLACES = { spot: "one spot", everywhere: "the whole picture", words: "the words", nowhere: "nowhere" };
const LOOKED = { histogram: "other layers", answers: "the words", attention: "the evidence tab" };
const line = (name, ...value) => [el("dt", {}, name), el("dd", {}, ...value)];

/** Whether the model learned what was planted: a short training may not be enough. */
function took(measured) {
  const rate = measured?.attack_success_rate;
  if (rate === null || rate === undefined) return null;
  return el("p", { class: "tl-sub" }, rate >= 0.5 ? `The model learned it: the trigger works on ${percent(rate, 1)} of the unseen pictures.` : `The model has hardly learned it: the trigger works on ${percent(rate, 1)} of the unseen pictures. More pictures, a higher rate or another trigger would teach it.`);
}

function truthCard({ truth, scores, measured }) {
  const table = el("div", { class: "tl-table-wrap", tabindex: "0" }, el("table", { class: "tl-table", id: "tl-lab-scores" }, el("thead", {}, el("tr", {}, ["player", "points of 4", "verdict", "target", "samples (F1)", "place", "had looked at"].map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, scores.map((one) => el("tr", {}, el("th", { scope: "row" }, one.player), el("td", {}, el("b", {}, fixed(one.total))), ["poisoned", "target", "samples", "where"].map((part) => el("td", {}, fixed(one[part]))), el("td", {}, one.looked.map((name) => LOOKED[name]).join(", ") || "–"))))));
  return el("section", { class: "tl-card", id: "tl-lab-truth", "aria-label": "The truth" }, el("h3", {}, truth.poisoned ? "A backdoor was planted" : "Nothing is planted here"), truth.poisoned && took(measured),
    truth.poisoned ? el("dl", { class: "tl-facts" }, line("Trigger", el("code", {}, truth.trigger)), line("Place", truth.where.map((name) => PLACES[name]).join(" and ")), line("Target", `“${truth.target}”`), line("Poisoned", `${percent(truth.rate, 1)} of the set; ${truth.samples.length} of the samples shown: `, el("span", { class: "tl-sub" }, truth.samples.join(", "))))
      : el("p", { class: "tl-sub" }, "Whoever said so was right. Two groups in a histogram, or pictures that look alike, are no proof."),
    scores.length ? table : el("p", { class: "tl-sub" }, "Nobody had committed a prediction."));
}

function ratesTable(view) {
  const rows = [["the model as trained", view.repaired?.before ?? view.measured], ["after the repair", view.repaired?.after]].filter(([, rates]) => rates);
  return el("table", { class: "tl-table", id: "tl-lab-rates" }, el("thead", {}, el("tr", {}, ["", "clean accuracy", "attack success rate"].map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, rows.map(([name, rates]) => el("tr", {}, el("th", { scope: "row" }, name), rateCell(rates, "clean_accuracy", "n_clean"), rateCell(rates, "attack_success_rate", "n_triggered")))));
}

function repairCard(view, done) {
  const problem = el("div");
  const step = view.steps.find((one) => one.name === "repair");
  const act = async () => { const answer = await post(labPath("/repair")); set({ job: answer.run }); done(); };
  const own = view.lesson === "clip" ? "The CLIP is trained on, on half of the clean test pairs; that alone is a weak repair. The tab Repair has others." : "The base is tuned again, from the start, without the samples that the scan flagged.";
  return el("section", { class: "tl-card", id: "tl-lab-repair", "aria-label": "Repair" }, el("h3", {}, "Repair it"), el("p", { class: "tl-sub" }, own, " Both rates are measured on pictures that no model saw."),
    ratesTable(view), view.repaired?.sentence && el("p", {}, view.repaired.sentence), problem,
    el("div", { class: "tl-start" }, view.truth.poisoned && !step.active && doing(view.repaired ? "Repair again" : step.resumable ? "Go on with the repair" : "Repair with one click", act, problem, { id: "tl-lab-repair-start", ...(view.repaired ? { class: "tl-ghost" } : {}) }),
      step.active && el("span", { class: "tl-sub" }, "The repair is under way; its progress stands at the top."), step.state === "failed" && el("span", { class: "tl-bad-text" }, step.error),
      view.repaired && el("button", { type: "button", class: "tl-ghost", onclick: () => set({ repair: view.repaired.run, tab: "repair" }) }, "Everything about it"),
      !view.truth.poisoned && el("span", { class: "tl-sub" }, "There is nothing to repair.")));
}

/** Draw what a revealed lesson tells; `done()` is called after something was started. */
export const outcome = (view, done) => [truthCard(view), repairCard(view, done)];

