// The samples themselves, lowest score first, page by page.

import { recall, runPath } from "../core/api.js";
import { card, el, empty, picture, segmented, show } from "../core/dom.js";
import { count, signed } from "../core/format.js";
import { set, state } from "../core/store.js";
import { exportMenu } from "./export.js";
import { describeSelection, isFlagged, listed } from "./ranking.js";
import { truthBar } from "./truth.js";

export const PAGE = 24;

function tile(item, found, known) {
  const i = found.position.get(item.row);
  const flagged = isFlagged(found, i, state.cut);
  const mark = flagged ? "▲" : "●";
  const poisoned = known?.poisoned.has(item.row);
  const name = `${item.id}, ${flagged ? "flagged" : "kept"}, ${found.scored ? "score" : "mean entropy"} ${signed(found.sortedBy[i])}`
    + (known ? `, ${poisoned ? "poisoned" : "not poisoned"}` : "");
  return el("button", { type: "button", class: `tl-tile ${flagged ? "tl-tile-flag" : ""}`, "data-row": item.row,
    "aria-pressed": String(state.sample === item.row), "aria-label": name, title: item.answer ?? "",
    onclick: () => set({ sample: item.row }) },
  picture(item.picture),
  el("span", { class: "tl-badge" }, `${mark} ${signed(found.sortedBy[i])}`),
  poisoned && el("span", { class: "tl-badge tl-badge-truth", title: "poisoned, says the ground truth" }, "✚ poisoned"));
}

/** The card with the gallery, its filter, Reveal and export. */
export function galleryCard() {
  let found = null;
  let known = null;
  let asked = 0;
  let timer = null;
  const heading = el("p", { class: "tl-gallery-count", id: "tl-gallery-count" });
  const filter = el("div");
  const chosen = el("div");
  const grid = el("div", { class: "tl-gallery", id: "tl-gallery" });
  const pager = el("nav", { class: "tl-pager", "aria-label": "Pages of the gallery" });
  const truths = truthBar();
  const menu = exportMenu();

  const list = () => listed(found, state);

  function head(total) {
    const what = state.shown === "all" ? "samples" : state.shown;
    show(heading, el("b", {}, count(total)), ` ${what} · lowest ${found.scored ? "score" : "mean entropy"} first`);
    show(filter, segmented("Which samples", [["flagged", "▲ Flagged"], ["kept", "● Kept"], ["all", "All"]],
      state.shown, (shown) => set({ shown, page: 0 })));
    show(chosen, state.selection && el("button", { type: "button", class: "tl-selection", id: "tl-clear",
      title: "Clear the selection (Esc)", onclick: () => set({ selection: null, page: 0 }) },
    `selected: ${describeSelection(state.selection)} ✕`));
  }

  function turn(total) {
    const pages = Math.max(1, Math.ceil(total / PAGE));
    const page = Math.min(state.page, pages - 1);
    const button = (text, label, to, disabled) => el("button", { type: "button", class: "tl-ghost", "aria-label": label,
      disabled, onclick: () => set({ page: to }) }, text);
    show(pager, pages > 1 && [button("‹", "Previous page", page - 1, page === 0),
      el("span", {}, `page ${count(page + 1)} of ${count(pages)}`),
      button("›", "Next page", page + 1, page === pages - 1)]);
    return page;
  }

  function nothing() {
    if (state.selection) return empty("No sample here.", "Choose “All”, or clear the selection.");
    if (state.shown === "flagged") return empty("Nothing is flagged.", "Look at all samples, or move the cut to the right.");
    return empty("No sample to show.", "");
  }

  async function draw() {
    if (!found) return;
    const all = list();
    head(all.length);
    const page = turn(all.length);
    truths.redraw();
    menu.update(found);
    const rows = all.slice(page * PAGE, (page + 1) * PAGE).map((i) => found.rows[i]);
    const mine = asked += 1;
    if (!rows.length) { show(grid, nothing()); return; }
    const answer = await recall(`${runPath(state)}/gallery?rows=${rows.join(",")}`);
    if (mine !== asked) return;
    show(grid, answer.items.map((item) => tile(item, found, known)));
    grid.dataset.ready = String(mine);
  }

  /** While a cut is dragged the counts follow at once, the pictures (`redraw`) when the hand rests. */
  function soon(redraw) {
    if (!found) return;
    head(list().length);
    clearTimeout(timer);
    timer = setTimeout(redraw, 120);
  }

  function mark() {
    for (const button of grid.querySelectorAll(".tl-tile")) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.row) === state.sample));
    }
  }

  const node = card("Samples", { tools: [menu.node], label: "Gallery" },
    el("div", { class: "tl-gallery-head" }, heading, filter, chosen, truths.node), grid, pager);
  return {
    node, mark, soon,
    update(next) { found = next; truths.update(next); return draw(); },
    reveal(next) { known = next; truths.reveal(next); return draw(); },
    redraw: draw,
  };
}
