// The Attention tab of an encoder's case: its samples, and where the image tower looks at one of them.

import { casePath, getJSON } from "../core/api.js";
import { card, el, empty, picture, show } from "../core/dom.js";
import { count } from "../core/format.js";
import { set, state } from "../core/store.js";
import { poolingPanel } from "../sample/pooling.js";

const PAGE = 24;

/** Two cards; `open()` draws them for the case that is open. */
export function towerCards() {
  let [items, total, asked] = [[], 0, 0];
  const grid = el("div", { class: "tl-gallery", id: "tl-tower-gallery" });
  const heading = el("p", { class: "tl-gallery-count" });
  const pager = el("nav", { class: "tl-pager", "aria-label": "Pages of the samples" });
  const told = el("dl", { class: "tl-facts", "aria-live": "polite" });
  const looks = poolingPanel({ fold: false });
  const gallery = card("Samples", { subtitle: "In the order of the data. Choose one to see where the tower looks." },
    el("div", { class: "tl-gallery-head" }, heading), grid, pager);
  const sample = card("Where the image tower looks", {}, told, looks.node);

  const fact = (name, value) => [el("dt", {}, name), el("dd", {}, value)];
  const shownPage = () => Math.floor((state.sample ?? 0) / PAGE);

  function tile(item) {
    return el("button", { type: "button", class: "tl-tile", "data-row": item.row, "aria-pressed": String(item.row === state.sample),
      "aria-label": `${item.id}: ${item.answer ?? "no text"}`, title: item.answer ?? "", onclick: () => set({ sample: item.row }) }, picture(item.picture));
  }

  function turn() {
    const [page, pages] = [shownPage(), Math.max(1, Math.ceil(total / PAGE))];
    const button = (text, label, to, disabled) => el("button", { type: "button", class: "tl-ghost", "aria-label": label, disabled,
      onclick: () => set({ sample: to * PAGE }) }, text);
    show(pager, pages > 1 && [button("‹", "Previous page", page - 1, page === 0),
      el("span", {}, `page ${count(page + 1)} of ${count(pages)}`), button("›", "Next page", page + 1, page === pages - 1)]);
  }

  async function look() {
    const found = items.find((item) => item.row === state.sample);
    if (!found) return;
    for (const button of grid.querySelectorAll(".tl-tile")) button.setAttribute("aria-pressed", String(Number(button.dataset.row) === state.sample));
    show(told, fact("Id", found.id), fact("Text", found.answer ?? "–"));
    await looks.open(found.row, found.id);
  }

  async function open() {
    const mine = asked += 1;
    if (state.sample === null) { set({ sample: 0 }); return; } // the watcher comes back here
    const inPage = items.some((item) => item.row === state.sample) && grid.dataset.case === state.case;
    if (!inPage) {
      try {
        const found = await getJSON(`${casePath(state.case)}/preview?start=${shownPage() * PAGE}&most=${PAGE}`);
        if (mine !== asked) return;
        [items, total] = [found.items, found.total];
      } catch (error) {
        if (mine === asked) show(grid, empty("The samples cannot be shown.", `${error.message} ${error.remedy ?? ""}`));
        return;
      }
      grid.dataset.case = state.case;
      show(heading, el("b", {}, count(total)), " samples");
      show(grid, items.length ? items.map(tile) : empty("No sample here.", "The address names a sample that this case does not have."));
      turn();
    }
    await look();
  }

  return {
    gallery, sample, open,
    step(by) {
      const next = (state.sample ?? 0) + by;
      if (next >= 0 && next < total) set({ sample: next });
    },
  };
}
