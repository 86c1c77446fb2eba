// The strip of example pictures: which of them are shown below, and what became of the trigger on each.

import { el, picture, show } from "../core/dom.js";
import { examplePicture } from "./data.js";
import { isRight, isTarget } from "./said.js";

/** In a mark: does the trigger still work on this picture? */
function fate(one, view) {
  const [was, is] = ["before", "after"].map((key) => one.states[key].triggered);
  if (!was || !is || (view.target && isRight({ answer: view.target }, one.label))) return "";
  if (isTarget(is, view.target)) return isTarget(was, view.target) ? "▲ still" : "▲ new";
  if (!isTarget(was, view.target)) return "";
  return isRight(is, one.label) ? "✓ right" : "◆ wrong";
}

/** The example that is looked at, for all cards that show it. */
export function chosenExample() {
  const watchers = [];
  const link = { place: 0, watch: (callback) => watchers.push(callback), choose(place) { link.place = place; watchers.forEach((callback) => callback()); } };
  return link;
}

/** The strip; a click chooses for every card that goes by the same `link`. */
export function filmstrip(view, link) {
  const node = el("div", { class: "tl-rp-film", role: "group", "aria-label": "Pictures" });
  const tiles = view.comparison.examples.map((one, k) => {
    const badge = view.comparison.triggered ? fate(one, view) : "";
    return el("button", { type: "button", class: "tl-tile", title: `${one.id}: ${one.label}`, "aria-label": `Picture ${one.id}, ${one.label}`, onclick: () => link.choose(k) },
      picture(examplePicture(view.run, k, "plain")), badge && el("span", { class: "tl-badge" }, badge));
  });
  const mark = () => tiles.forEach((tile, k) => tile.setAttribute("aria-pressed", String(k === link.place)));
  show(node, tiles);
  link.watch(mark);
  mark();
  return node;
}
