// Small multiples: the same picture's attention in every layer, on one colour scale.

import { el, show } from "../core/dom.js";
import { fixed } from "../core/format.js";
import { heatCanvas } from "./overlay.js";

/** Draw one small map per layer into `node`; a click chooses the layer. */
export function drawMultiples(node, { maps, grid, entropy, top, layer, choose }) {
  show(node, maps.map((values, l) => {
    const canvas = heatCanvas(values, grid, top(l));
    canvas.className = "tl-small-map";
    return el("button", { type: "button", class: "tl-small", "aria-pressed": String(l === layer), "data-layer": l,
      "aria-label": `Layer ${l}, entropy ${fixed(entropy[l])}`, onclick: () => choose(l) },
    canvas, el("span", {}, `layer ${l} `), el("b", {}, fixed(entropy[l])));
  }));
}
