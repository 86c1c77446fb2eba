// The verdict in one sentence, all rules side by side, and what it cannot show.

import { el, show } from "../core/dom.js";
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
  return el("button", { type: "button", class: "tl-rule", "aria-pressed": String(chosen), "data-rule": name,
    title: "Draw the page from this rule",
    onclick: () => set({ rule: name, cut: null, selection: null, page: 0 }) },
  el("span", { class: "tl-rule-name" }, rule.title),
  el("code", {}, rule.formula),
  mark && el("span", { class: `tl-rule-said tl-${mark.tone}-text` }, `${mark.shape} ${mark.name.toLowerCase()}`),
  el("dl", {}, facts.map(([k, v]) => [el("dt", {}, k), el("dd", {}, v)])));
}

function tauControl(summary) {
  const slider = el("input", { type: "range", min: "0.5", max: "4", step: "0.1", id: "tl-tau",
    value: String(summary.tau), "aria-label": "Gate tau of the formula" });
  const value = el("output", {}, fixed(summary.tau, 1));
  slider.addEventListener("input", () => show(value, fixed(Number(slider.value), 1)));
  slider.addEventListener("change", () => set({ tau: Number(slider.value), cut: null, selection: null, page: 0 }));
  return el("label", { class: "tl-tau", title: "Moving the gate fits the samples anew. The paper uses 2.0." },
    "gate τ", slider, value,
    state.tau !== null && el("button", { type: "button", class: "tl-ghost",
      onclick: () => set({ tau: null, cut: null }) }, `back to ${fixed(summary.scanned_tau, 1)}`));
}

/** The block at the top of the Attention tab. */
export function verdictBlock() {
  const node = el("section", { class: "tl-verdict", "aria-label": "Verdict", id: "tl-verdict" });
  let summary = null;
  let truth = null;
  const opened = new Set();

  /** A folded part that stays open when the block is drawn again. */
  function fold(id, title, ...content) {
    return el("details", { class: "tl-limits", id, open: opened.has(id),
      ontoggle: (event) => { if (event.target.open) opened.add(id); else opened.delete(id); } },
    el("summary", {}, title), content);
  }

  function draw() {
    const verdict = summary.verdict;
    const mark = MARKS[verdict.kind];
    node.className = `tl-verdict tl-${mark.tone}`;
    show(node,
      el("div", { class: "tl-sentence" },
        el("span", { class: "tl-verdict-mark", "aria-hidden": "true" }, mark.shape),
        el("p", { id: "tl-sentence" }, el("strong", {}, `${mark.name}. `), verdict.sentence,
          state.cut !== null && el("em", {}, " The cut on this page was moved by hand; the sentence is the rule's."),
          state.tau !== null && el("em", {}, ` Recomputed with τ = ${fixed(summary.tau, 1)}; the scan used ${fixed(summary.scanned_tau, 1)}.`))),
      el("div", { class: "tl-rules" },
        Object.entries(summary.rules).map(([name, rule]) => ruleCard(name, rule, summary.unit, name === summary.rule, truth?.rules?.[name])),
        el("div", { class: "tl-verdict-side" }, tauControl(summary),
          fold("tl-limits", "What this cannot show", el("ul", {}, verdict.limits.map((text) => el("li", {}, text)))),
          summary.failures.length > 0 && fold("tl-failures", `◆ ${count(summary.unread)} samples could not be scanned`,
            table("The first hundred", ["id", "why"], summary.failures.map((f) => [f.id, f.reason]))),
          verdict.notes.length > 0 && fold("tl-checks", "Checks behind the verdict",
            el("ul", {}, verdict.notes.map((text) => el("li", {}, text)))))));
  }

  return {
    node,
    update(found) { summary = found.summary; draw(); },
    reveal(next) { truth = next; if (summary) draw(); },
    redraw: () => { if (summary) draw(); },
  };
}

