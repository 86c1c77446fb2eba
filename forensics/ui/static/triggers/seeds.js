// The same class reconstructed from several seeds: do they agree?

import { card, el, empty, picture, show } from "../core/dom.js";
import { percent, signed } from "../core/format.js";
import { inNumbers, LOOKS, pictureOf } from "./data.js";

/** The card; `chooseSeed(place)` looks at one of them. */
export function seedsCard({ chooseSeed }) {
  const note = el("p", { class: "tl-sub" });
  const grid = el("div", { class: "tl-seeds" });
  const node = card("Seeds side by side", {}, note, grid);
  node.id = "tl-seeds";
  let chosen = 0;

  function mark() {
    for (const one of grid.querySelectorAll("button")) one.setAttribute("aria-pressed", String(Number(one.dataset.place) === chosen));
  }

  function seed(view, detail, found, place) {
    const [look, text] = LOOKS[view.form][0];
    return el("button", { type: "button", class: "tl-seed", "data-place": place, "aria-pressed": String(place === chosen), onclick: () => chooseSeed(place),
      "aria-label": `Reconstruction ${place + 1} of ${detail.name}, ${text.toLowerCase()}: success ${percent(found.success)}, ${inNumbers(found.numbers)}` },
    picture(pictureOf(view.run, detail.index, { look, seed: place })),
    el("b", {}, `Seed ${place + 1}`),
    el("dl", { class: "tl-figures" }, [["success", percent(found.success)], ["content", percent(found.content_success)], ["loss", signed(found.loss, 1)], ["anomaly", signed(found.anomaly_index, 1)]].map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
    el("span", { class: "tl-sub" }, inNumbers(found.numbers)));
  }

  return {
    node, mark,
    trouble(error) { show(note); show(grid, empty(error.message, error.remedy ?? "")); },
    choose(place) { chosen = place; mark(); },
    update(view, detail) {
      const success = detail.seeds.map((found) => found.success).filter(Number.isFinite);
      const spread = success.length > 1 ? Math.max(...success) - Math.min(...success) : 0;
      show(note, detail.seeds.length > 1 ? `Each begins anew with another order of the pictures. Their success differs by ${(100 * spread).toFixed(0)} points${spread > 0.3 ? ": the search is not stable for this class." : "."}` : "Only one reconstruction was made; more seeds show whether it is stable.");
      show(grid, detail.seeds.map((found, place) => seed(view, detail, found, place)));
    },
  };
}
