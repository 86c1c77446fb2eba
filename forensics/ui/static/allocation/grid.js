// Layers x heads: how far apart each head's two groups of samples stand; and the heads by rank.

import { card, el, show, svg } from "../core/dom.js";
import { fixed, percent } from "../core/format.js";
import { score } from "./score.js";
import { ramp, viridis } from "../core/palette.js";
import { responsive, table, tableToggle } from "../chart/frame.js";

const LEFT = 30;
const GAP = 1.5;

const scaled = ({ range: [low, high] }, value) => (value - low) / (high - low || 1);

function describe(grid, heads) {
  const best = heads[0];
  return `Separation score of ${grid.heads} heads in layers ${grid.layers[0]} to ${grid.layers.at(-1)}. `
    + (best ? `Highest: layer ${best.layer}, head ${best.head}. ${heads.filter((h) => h.votes).length} heads vote.` : "No head splits the samples.");
}

function draw(width, view, chosen, choose) {
  const { grid, heads } = view;
  const side = Math.max(5, Math.min(34, (width - LEFT) / grid.heads));
  const height = Math.max(9, Math.min(30, side));
  const root = svg("svg", { class: "tl-chart", width, height: grid.layers.length * height + 34, role: "img", "aria-label": describe(grid, heads) });
  grid.layers.forEach((layer, row) => {
    root.append(svg("text", { x: LEFT - 6, y: (row + 0.5) * height + 4, "text-anchor": "end" }, layer));
    for (let h = 0; h < grid.heads; h += 1) {
      const value = grid.log_score[row][h];
      const place = grid.place[row][h];
      const at = { x: LEFT + h * side, y: row * height };
      root.append(svg("rect", { ...at, width: side - GAP, height: height - GAP, rx: 2, class: `tl-head ${place === chosen ? "tl-head-chosen" : ""}`,
        fill: value === null ? "none" : viridis(scaled(grid, value)), "data-place": place, onclick: () => choose(place) },
      svg("title", {}, `layer ${layer}, head ${h}: ${value === null ? "no split" : `log10 separation ${fixed(value)}`}${grid.votes[row][h] ? ", votes" : ""}`)));
      if (grid.votes[row][h]) root.append(svg("circle", { cx: at.x + (side - GAP) / 2, cy: at.y + (height - GAP) / 2, r: Math.min(4, side / 4), class: "tl-head-vote" }));
    }
  });
  const bottom = grid.layers.length * height + 13;
  const every = Math.ceil(22 / side);
  for (let h = 0; h < grid.heads; h += every) root.append(svg("text", { x: LEFT + (h + 0.5) * side, y: bottom, "text-anchor": "middle" }, h));
  root.append(svg("text", { x: LEFT + (grid.heads * side) / 2, y: bottom + 17, class: "tl-label", "text-anchor": "middle" }, "head"),
    svg("text", { x: 0, y: bottom, class: "tl-label" }, "layer"));
  return root;
}

function ranking(view, chosen, choose) {
  if (!view.heads.length) return null;
  const cells = (h) => [h.rank, el("button", { type: "button", class: "tl-link", "data-place": h.place, "aria-current": String(h.place === chosen), onclick: () => choose(h.place) },
    el("strong", {}, `${h.layer} · ${h.head}`)), score(h.score), percent(h.minority, 1), h.votes ? "●" : "–"];
  return table(`Heads by separation score, the first ${view.heads.length} of ${view.heads_in_all}`, ["", "layer · head", "separation", "smaller", "votes"], view.heads.map(cells));
}

/** The card; `choose(place)` is called with the head that somebody picks. */
export function gridCard(view, choose) {
  let chosen = null;
  const figure = el("div", { class: "tl-figure", tabindex: "0", id: "tl-heads", title: "Click a head to look at it; arrow keys move when this is focused" });
  const holder = el("div", { hidden: true });
  const list = el("div");
  const { grid } = view;
  const toggle = tableToggle(figure, holder, () => table("log10 separation score", ["layer", ...Array.from({ length: grid.heads }, (_, h) => `head ${h}`)],
    grid.layers.map((layer, row) => [layer, ...grid.log_score[row].map((value) => fixed(value))])));
  const render = responsive(figure, (width) => show(figure, draw(width, view, chosen, choose)));

  figure.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const row = grid.place.findIndex((places) => places.includes(chosen));
    const next = grid.place[row + step[0]]?.[grid.place[row]?.indexOf(chosen) + step[1]];
    if (next !== undefined) choose(next);
  });

  const legend = el("div", { class: "tl-legend" }, el("span", {}, "overlap"), el("i", { style: `background:${ramp()}` }), el("span", {}, "apart"));
  const node = card("Heads that part the samples", { tools: [toggle.button],
    subtitle: `Only the last third may vote: layers ${grid.layers[0]} to ${grid.layers.at(-1)}. ● votes; empty: no two groups.` },
  figure, holder, legend, list);
  return {
    node,
    mark(place) {
      chosen = place;
      render();
      show(list, ranking(view, chosen, choose));
    },
  };
}
