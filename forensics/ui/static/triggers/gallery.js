// The reconstructed triggers of the classes on the page, in one of several looks.

import { card, el, picture, segmented, show } from "../core/dom.js";
import { percent, signed } from "../core/format.js";
import { set, state } from "../core/store.js";
import { FORMS, levels, LOOKS, pictureOf } from "./data.js";

/** The card; `seed()` is the seed whose triggers are shown. */
export function triggerGallery({ seed }) {
  let [view, entries, look] = [null, [], "amplified"];
  const ways = el("div");
  const grid = el("div", { class: "tl-trigger-grid", id: "tl-trigger-grid" });
  const note = el("p", { class: "tl-sub" });
  const node = card("Triggers, class by class (reconstruction)", { tools: [ways], label: "Reconstructed triggers" }, note, grid);
  node.id = "tl-trigger-gallery";

  function tile(entry) {
    const words = `${LOOKS[view.form].find(([name]) => name === look)[1]}: trigger of class ${entry.name}, success ${percent(entry.success)}, anomaly index ${signed(entry.anomaly_index, 1)}`;
    return el("button", { type: "button", class: `tl-tile tl-trigger-tile ${entry.mark === "flagged" ? "tl-tile-flag" : ""}`, "data-index": entry.index, "aria-pressed": String(entry.index === state.trigger),
      "aria-label": words, title: words, onclick: () => set({ trigger: entry.index }) },
    picture(pictureOf(view.run, entry.index, { look, seed: seed(), row: state.sample }), "not kept"),
    el("span", { class: "tl-badge" }, `${entry.mark === "flagged" ? "▲ " : ""}`, el("b", {}, entry.name), el("span", {}, percent(entry.success))));
  }

  function draw() {
    if (!view) return;
    const looks = LOOKS[view.form] ?? LOOKS.additive;
    if (!looks.some(([name]) => name === look)) [[look]] = looks;
    const gain = view.form === "additive" && view.budget && (look === "amplified" || look === "difference") ? `, ${Math.round(0.5 / view.budget)} times stronger than it is` : "";
    show(ways, segmented("How triggers are shown", looks, look, (next) => { look = next; draw(); }));
    show(note, `${looks.find(([name]) => name === look)[2]}${gain}. Each is ${FORMS[view.form] ?? view.form}${view.form === "additive" && view.budget ? ` of at most ${levels(view.budget)} a pixel` : ""}. Click one to put it on a picture.`);
    show(grid, entries.map(tile));
    grid.dataset.look = look;
  }

  return {
    node, draw,
    update(next) { view = next; draw(); },
    page(next) { entries = next; draw(); },
    /** Another picture lies under the triggers now. */
    below() { if (look === "image" || look === "difference") draw(); },
    mark() { for (const one of grid.querySelectorAll(".tl-tile")) one.setAttribute("aria-pressed", String(Number(one.dataset.index) === state.trigger)); },
  };
}
