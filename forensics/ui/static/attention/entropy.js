// Entropy of the chosen layer: all samples, the two Gaussians of the fit, and where they cross.

import { decisionQuery, recall, runPath } from "../core/api.js";
import { card, el, show } from "../core/dom.js";
import { count, fixed, signed } from "../core/format.js";
import { set, state } from "../core/store.js";
import { barButton, responsive, table, tableToggle } from "../chart/frame.js";
import { histogram, interact } from "../chart/histogram.js";
import { recount } from "./ranking.js";

/** The card with the layer's histogram. */
export function entropyCard() {
  let found = null;
  let layer = null;
  let drawn = null;
  const figure = el("div", { class: "tl-figure", id: "tl-entropy" });
  const holder = el("div", { hidden: true });
  const subtitle = el("p", { class: "tl-sub" });
  const title = el("h3", {}, "Entropy");

  function bins() {
    if (state.cut === null) return layer;
    return recount(found, (i) => found.compared[i * found.layers + layer.layer], layer.edges, state.cut);
  }

  const toggle = tableToggle(figure, holder, () => {
    const { flagged, kept } = bins();
    return table(`${title.textContent}, ${found.summary.score_unit}`, ["from", "to", "flagged", "kept"],
      kept.map((k, b) => [barButton(fixed(layer.edges[b]), () => choose(layer.edges[b], layer.edges[b + 1])), fixed(layer.edges[b + 1]), count(flagged[b]), count(k)]));
  });

  const choose = (low, high) => set({ selection: { kind: "entropy", layer: layer.layer, low, high }, shown: "all", page: 0 });

  const render = responsive(figure, (width) => {
    if (!layer) return;
    const { flagged, kept } = bins();
    const chosen = state.selection;
    const spec = {
      height: 252, edges: layer.edges, flagged, kept, gaussians: layer.gaussians, cut: layer.crossing,
      cutLabel: layer.crossing === null ? "" : `${signed(layer.crossing)} equal odds`,
      xLabel: `${found.summary.measure}, ${found.summary.score_unit}${layer.ceiling === null ? "" : `; at most ${fixed(layer.ceiling)}`}`, label: layer.description,
      selection: chosen?.kind === "entropy" && chosen.layer === layer.layer ? [chosen.low, chosen.high] : null,
      onBrush: ([low, high], done) => done && choose(low, high),
    };
    drawn = { box: histogram(width, spec), spec };
    show(figure, drawn.box.root);
  });
  interact(figure, () => drawn);

  const path = () => `${runPath(state)}/layers/${state.layer ?? 0}${decisionQuery(state)}`;

  async function load() {
    const wanted = path();
    const answer = await recall(wanted);
    if (wanted !== path()) return; // another layer or rule was chosen meanwhile
    layer = answer;
    show(title, `${found?.summary.rule === "guarded" ? "Residual entropy" : "Entropy"}, layer ${layer.layer}`);
    show(subtitle, layer.subtitle);
    render();
    toggle.update();
  }

  const node = card("Entropy", { tools: [toggle.button], label: "Entropy of the chosen layer" }, subtitle, figure, holder);
  node.querySelector("h3").replaceWith(title);
  return {
    node,
    update(next) { found = next; return load(); },
    load,
    redraw: () => { render(); toggle.update(); },
  };
}
