// The score of every sample and the cut between kept and flagged, movable by hand.

import { decisionQuery, post, recall, runPath } from "../core/api.js";
import { card, el, empty, show } from "../core/dom.js";
import { count, fixed, signed } from "../core/format.js";
import { set, state } from "../core/store.js";
import { barButton, responsive, table, tableToggle } from "../chart/frame.js";
import { histogram, interact } from "../chart/histogram.js";
import { counts, recount } from "./ranking.js";

/** The card with the score histogram, the live cut and its counts. */
export function scoresCard() {
  let found = null;
  let view = null;
  let drawn = null;
  const figure = el("div", { class: "tl-figure", id: "tl-scores" });
  const holder = el("div", { hidden: true });
  const subtitle = el("p", { class: "tl-sub" });
  const readout = el("output", { class: "tl-counts", id: "tl-counts", "aria-live": "polite" });
  const number = el("input", { type: "number", step: "0.01", id: "tl-cut", class: "tl-number",
    "aria-label": "Cut: samples with a lower score are flagged" });
  const reset = el("button", { type: "button", class: "tl-ghost", id: "tl-cut-reset" }, "Reset to the rule");
  const controls = el("div", { class: "tl-controls" }, el("label", {}, "cut ", number), reset, readout);
  const nothing = el("div", { hidden: true });

  let waiting = null; // the cut to show with the next frame

  /** Show a cut with the next frame; tell the server only when the hand lets go. */
  function move(cut, done) {
    if (waiting === null && !done) requestAnimationFrame(() => { if (waiting) set({ cut: waiting.cut }); waiting = null; });
    waiting = done ? null : { cut };
    if (done) { set({ cut }); record(cut); }
  }

  async function record(cut) {
    try {
      await post(`${runPath(state)}/cut`, { rule: found.summary.rule, tau: found.summary.tau, cut });
      show(reset, "Reset to the rule");
    } catch (error) {
      show(readout, `${readout.textContent} · not recorded: ${error.message}`);
    }
  }

  const bins = () => (state.cut === null ? view : recount(found, (i) => found.scores[i], view.edges, state.cut));

  const toggle = tableToggle(figure, holder, () => {
    if (!view.edges.length) return empty("No score", "No layer passes the gate.");
    const { flagged, kept } = bins();
    return table(`Score per sample, ${found.summary.score_unit}`, ["from", "to", "flagged", "kept"],
      kept.map((k, b) => [barButton(fixed(view.edges[b]), () => choose(view.edges[b], view.edges[b + 1])), fixed(view.edges[b + 1]), count(flagged[b]), count(k)]));
  });

  const choose = (low, high) => set({ selection: { kind: "score", low, high }, shown: "all", page: 0 });

  const render = responsive(figure, (width) => {
    if (!view || !view.edges.length) return;
    const { flagged, kept } = bins();
    const cut = state.cut ?? view.cut;
    const chosen = state.selection;
    const spec = {
      edges: view.edges, flagged, kept, gaussians: view.gaussians, cut,
      cutLabel: `cut ${signed(cut)}${state.cut === null ? "" : ", by hand"}`,
      xLabel: `mean ${found.summary.measure} of the passing layers, ${found.summary.score_unit}`, label: view.description,
      selection: chosen?.kind === "score" ? [chosen.low, chosen.high] : null,
      onCut: move,
      onBrush: ([low, high], done) => done && choose(low, high),
    };
    drawn = { box: histogram(width, spec), spec };
    show(figure, drawn.box.root);
  });
  interact(figure, () => drawn);

  function numbers() {
    const scored = Boolean(view?.edges.length);
    nothing.hidden = scored;
    figure.hidden = !scored || !holder.hidden;
    controls.hidden = !scored;
    if (!scored) {
      show(nothing, empty("No layer passes the gate, so there is no score and nothing is flagged.",
        "Choose the other rule or lower τ in the verdict above to look at weaker layers."));
      return;
    }
    const { flagged, kept } = counts(found, state.cut);
    const where = state.cut === null ? "the rule's cut" : `moved by hand; the rule cuts at ${signed(view.cut)}`;
    show(readout, el("span", { class: "tl-flag-text" }, "▲ ", el("b", { id: "tl-flagged" }, count(flagged)), " flagged"), " ",
      el("span", { class: "tl-kept-text" }, "● ", el("b", { id: "tl-kept" }, count(kept)), " kept"),
      el("span", { class: "tl-sub" }, ` ${where}`));
    if (document.activeElement !== number) number.value = fixed(state.cut ?? view.cut, 3);
    reset.disabled = state.cut === null;
  }

  number.addEventListener("input", () => { if (number.value !== "") move(Number(number.value), false); });
  number.addEventListener("change", () => { if (number.value !== "") move(Number(number.value), true); });
  reset.addEventListener("click", () => { move(null, true); });

  const path = () => `${runPath(state)}/scores${decisionQuery(state)}`;

  async function load() {
    const wanted = path();
    const answer = await recall(wanted);
    if (wanted !== path()) return; // another rule was chosen meanwhile
    view = answer;
    show(subtitle, view.subtitle);
    toggle.update();
    numbers();
    render();
  }

  const node = card("Score of each sample", { tools: [toggle.button] }, subtitle, nothing, figure, holder, controls);
  return {
    node,
    update(next) { found = next; return load(); },
    redraw: () => { if (found && view) { numbers(); render(); toggle.update(); } },
  };
}
