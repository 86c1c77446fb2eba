// One head: attention on the system part of every sample, its mixture, and where it splits.

import { card, el, show } from "../core/dom.js";
import { count, fixed, percent } from "../core/format.js";
import { score } from "./score.js";
import { responsive, table, tableToggle } from "../chart/frame.js";
import { histogram } from "../chart/histogram.js";

function clearness({ clarity, floor }) {
  if (floor === null) return score(clarity);
  return `${score(clarity)}, ${clarity > floor ? "over" : "not over"} what chance gives (${score(floor)})`;
}

function facts(found) {
  const parts = [found.split !== null && ["smaller group", percent(found.minority, 1)],
    ["Gaussians", String(found.components.length)],
    found.split !== null && ["separation score", score(found.score)],
    found.clarity !== null && ["clarity", clearness(found)]].filter(Boolean);
  return el("dl", { class: "tl-figures" }, parts.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

/** The card with the histogram of the chosen head. */
export function headCard(view) {
  let found = null;
  const axis = view.mode === "guarded" ? "attention on the system part, against its kind of question" : "attention on the system part";
  const title = el("h3", {}, "One head");
  const subtitle = el("p", { class: "tl-sub" }, "Choose a head.");
  const figure = el("div", { class: "tl-figure", id: "tl-head" });
  const holder = el("div", { hidden: true });
  const numbers = el("div");
  const toggle = tableToggle(figure, holder, () => table(`Layer ${found.layer}, head ${found.head}: ${axis}`, ["from", "to", "flagged", "kept"],
    found.kept.map((k, b) => [fixed(found.edges[b], 4), fixed(found.edges[b + 1], 4), count(found.flagged[b]), count(k)])));

  const render = responsive(figure, (width) => {
    if (!found) return;
    const { x, minority, majority } = found.curve;
    show(figure, histogram(width, { edges: found.edges, kept: found.kept, flagged: found.flagged, height: 236,
      curves: x.length ? [{ x, y: minority }, { x, y: majority }] : [], cut: found.split, cutLabel: "split", xLabel: axis,
      label: `Histogram of ${axis} in layer ${found.layer}, head ${found.head}: ${found.components.length} Gaussians, `
        + (found.split === null ? "no split." : `split at ${fixed(found.split, 3)}; the smaller group is ${percent(found.minority, 1)} of the samples.`) }).root);
  });

  const node = card("One head", { tools: [toggle.button], label: "The chosen head" }, subtitle, figure, holder,
    el("p", { class: "tl-key" }, el("i", { class: "tl-key-flag" }), "flagged ", el("i", { class: "tl-key-kept" }), "kept; dashed: the smaller group"), numbers);
  node.querySelector("h3").replaceWith(title);
  return {
    node,
    update(next) {
      found = next;
      show(title, `Layer ${found.layer}, head ${found.head}`);
      show(subtitle, found.split === null ? "One group only: this head does not vote." : "Lines: the fitted groups on either side of the split.");
      show(numbers, facts(found));
      render();
      toggle.update();
    },
  };
}
