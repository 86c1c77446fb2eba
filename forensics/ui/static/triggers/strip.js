// Which picture of the case lies under the trigger: a few at a time, any by its number.

import { recall, casePath } from "../core/api.js";
import { el, picture, show } from "../core/dom.js";
import { count } from "../core/format.js";
import { set, state } from "../core/store.js";

const SHOWN = 6;

/** The strip; it sets the sample of the page. `failed(error)` hears why pictures are missing. */
export function pictureStrip({ failed }) {
  const tiles = el("div", { class: "tl-film", role: "group", "aria-label": "Pictures of the case" });
  const number = el("input", { type: "number", class: "tl-number", id: "tl-film-number", min: "1", value: "1", "aria-label": "Number of the picture", onchange: () => go(Number(number.value) - 1) });
  const of = el("span", { class: "tl-sub" });
  const button = (text, label, id, act) => el("button", { type: "button", class: "tl-ghost", id, "aria-label": label, title: label, onclick: act }, text);
  const node = el("div", {}, tiles, el("div", { class: "tl-film-foot" }, button("‹", "Previous picture", "tl-film-previous", () => go((state.sample ?? 0) - 1)), el("label", { class: "tl-sub" }, "picture ", number), of,
    button("›", "Next picture", "tl-film-next", () => go((state.sample ?? 0) + 1)), button("Any other", "A picture drawn at random", "tl-film-random", () => go(Math.floor(Math.random() * total)))));
  let total = 1;
  let asked = 0;

  function go(row) {
    if (Number.isFinite(row)) set({ sample: Math.max(0, Math.min(total - 1, Math.round(row))) });
  }

  async function draw() {
    const mine = asked += 1;
    const first = Math.floor((state.sample ?? 0) / SHOWN) * SHOWN;
    try {
      const page = await recall(`${casePath(state.case)}/preview?start=${first}&most=${SHOWN}`);
      if (mine !== asked) return;
      total = page.total;
      number.max = String(total);
      number.value = String((state.sample ?? 0) + 1);
      show(of, ` of ${count(total)}`);
      show(tiles, page.items.map((item) => el("button", { type: "button", class: "tl-tile", "data-row": item.row, "aria-pressed": String(item.row === state.sample),
        "aria-label": `Picture ${item.row + 1}, ${item.id}`, title: item.id, onclick: () => go(item.row) }, picture(item.picture))));
    } catch (error) {
      if (mine === asked) failed(error);
    }
  }
  return { node, draw };
}
