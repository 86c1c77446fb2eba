// The verdict in one sentence, all rules side by side, and what it cannot show.

import { el, show } from "../core/dom.js";
import { fold } from "../core/fold.js";
import { count, fixed, percent, signed } from "../core/format.js";
import { set, state } from "../core/store.js";
import { table } from "../chart/frame.js";

export const MARKS = {
  suspicious: { shape: "▲", name: "Suspicious", tone: "bad" },
  "no evidence": { shape: "●", name: "No evidence", tone: "calm" },
  inconclusive: { shape: "◆", name: "Inconclusive", tone: "unsure" },
};

/** A verdict as a chip: a shape and a word, not a colour alone. */
export function chip(verdict) {
  const mark = MARKS[verdict];
  return mark ? el("span", { class: `tl-chip tl-${mark.tone}`, id: "tl-chip" }, `${mark.shape} ${mark.name.toLowerCase()}`) : null;
}

function layers(list) {
  return list.length ? list.join(", ") : "none";
}

function ruleCard(name, rule, unit, chosen, truth) {
  const facts = [
    ["layers used", layers(rule.sensitive)],
    ["flagged", `${count(rule.flagged)} of ${count(rule.n)}`],
    ["cut", rule.cut === null ? "–" : `${signed(rule.cut)} ${rule.unit ?? unit}`],
  ];
  if (truth) facts.push(["precision · recall", `${percent(truth.precision, 1)} · ${percent(truth.recall, 1)}`]);
  const mark = MARKS[rule.verdict];
  return el("button", { type: "button", class: "tl-rule", "aria-pressed": String(chosen), id: `tl-rule-${name}`, "data-rule": name,
    title: "Draw the page from this rule",
    onclick: () => set({ rule: name, cut: null, selection: null, page: 0 }) },
  el("span", { class: "tl-rule-name" }, rule.title),
  el("code", {}, rule.formula),
  mark && el("span", { class: `tl-rule-said tl-${mark.tone}-text` }, `${mark.shape} ${mark.name.toLowerCase()}`),
  el("dl", {}, facts.map(([k, v]) => [el("dt", {}, k), el("dd", {}, v)])));
}

/** The slider of the gate. It is made once: one drawn anew would slip from under the hand or the key that moves it. */
function tauControl() {
  const slider = el("input", { type: "range", min: "0.5", max: "4", step: "0.1", id: "tl-tau", "aria-label": "Gate tau of the formula" });
  const [value, back] = [el("output"), el("span")];
  const read = () => show(value, fixed(Number(slider.value), 1));
  let told = null;
  slider.addEventListener("input", read);
  slider.addEventListener("change", () => { told = Number(slider.value); set({ tau: told, cut: null, selection: null, page: 0 }); });
  return {
    node: el("label", { class: "tl-tau", title: "Moving the gate fits the samples anew. The paper uses 2.0." }, "gate τ", slider, value, back),
    update({ tau, scanned_tau: scanned }) {
      if (tau !== told) { told = tau; slider.value = String(tau); read(); }
      show(back, state.tau !== null && el("button", { type: "button", class: "tl-ghost",
        onclick: () => { slider.focus(); set({ tau: null, cut: null }); } }, `back to ${fixed(scanned, 1)}`));
    },
  };
}

function sentence(summary) {
  const { verdict, tau, scanned_tau: scanned } = summary;
  const mark = MARKS[verdict.kind];
  return [el("span", { class: "tl-verdict-mark", "aria-hidden": "true" }, mark.shape),
    el("p", { id: "tl-sentence" }, el("strong", {}, `${mark.name}. `), verdict.sentence,
      state.cut !== null && el("em", {}, " The cut on this page was moved by hand; the sentence is the rule's."),
      state.tau !== null && el("em", {}, ` Recomputed with τ = ${fixed(tau, 1)}; the scan used ${fixed(scanned, 1)}.`))];
}

function folded({ verdict, failures, unread }) {
  const list = (texts) => el("ul", {}, texts.map((text) => el("li", {}, text)));
  return [fold("tl-limits", "What this cannot show", list(verdict.limits)),
    failures.length > 0 && fold("tl-failures", `◆ ${count(unread)} samples could not be scanned`,
      table("The first hundred", ["id", "why"], failures.map((f) => [f.id, f.reason]))),
    verdict.notes.length > 0 && fold("tl-checks", "Checks behind the verdict", list(verdict.notes))];
}

const through = () => el("div", { style: "display:contents" }); // what is in it stands in the grid around it

/** The block at the top of the Attention tab. */
export function verdictBlock() {
  const [said, rules, folds, tau] = [el("div", { class: "tl-sentence" }), through(), through(), tauControl()];
  const node = el("section", { class: "tl-verdict", "aria-label": "Verdict", id: "tl-verdict" }, said,
    el("div", { class: "tl-rules" }, rules, el("div", { class: "tl-verdict-side" }, tau.node, folds)));
  let summary = null;
  let truth = null;

  function draw() {
    node.className = `tl-verdict tl-${MARKS[summary.verdict.kind].tone}`;
    show(said, sentence(summary));
    show(rules, Object.entries(summary.rules).map(([name, rule]) =>
      ruleCard(name, rule, summary.unit, name === summary.rule, truth?.rules?.[name])));
    tau.update(summary);
    show(folds, folded(summary));
  }

  return {
    node,
    update(found) { summary = found.summary; draw(); },
    reveal(next) { truth = next; if (summary) draw(); },
    redraw: () => { if (summary) draw(); },
  };
}
