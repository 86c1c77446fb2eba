// Two histograms on one scale, as outlines: shares, so that scans of different sizes can be compared.

import { el, show, svg } from "../core/dom.js";
import { count, fixed, percent } from "../core/format.js";
import { frame, responsive, table, tableToggle } from "../chart/frame.js";

function outline(edges, shares, box) {
  let path = `M${box.sx(edges[0]).toFixed(1)} ${box.sy(0).toFixed(1)}`;
  shares.forEach((share, k) => { path += `V${box.sy(share).toFixed(1)}H${box.sx(edges[k + 1]).toFixed(1)}`; });
  return `${path}V${box.sy(0).toFixed(1)}`;
}

/** The overlay of {edges, a, b, n}; shares of all samples per bin. */
export function overlay({ edges, a, b, n }) {
  const figure = el("div", { class: "tl-figure" });
  const holder = el("div", { hidden: true });
  const tallest = Math.max(...a, ...b);
  responsive(figure, (width) => {
    const box = frame(Math.min(width, 760), 200, { x: { low: edges[0], high: edges[edges.length - 1], label: "mean entropy over all layers, nats" },
      y: { low: 0, high: tallest * 1.08, wanted: 3, label: "share of samples" },
      label: `Entropies of ${count(n[0])} samples of A and ${count(n[1])} of B on one scale` });
    box.root.append(svg("path", { d: outline(edges, a, box), class: "tl-outline tl-outline-a" }), svg("path", { d: outline(edges, b, box), class: "tl-outline tl-outline-b" }));
    show(figure, box.root);
  });
  const toggle = tableToggle(figure, holder, () => table("Shares of samples by mean entropy", ["from", "to", "A", "B"],
    a.map((share, k) => [fixed(edges[k]), fixed(edges[k + 1]), percent(share, 1), percent(b[k], 1)])));
  return el("div", { id: "tl-entropy-overlay" }, el("div", { class: "tl-card-head" }, el("p", { class: "tl-sub" }, el("i", { class: "tl-key-a" }), ` A, ${count(n[0])} samples `, el("i", { class: "tl-key-b" }), ` B, ${count(n[1])} samples`), toggle.button), figure, holder);
}
