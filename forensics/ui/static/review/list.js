// The queue at the left: any number of samples, of which only those in sight are in the page.

import { el, picture, show } from "../core/dom.js";
import { loadItems, VERDICTS } from "./data.js";

const HEIGHT = 50;
const PAGE = 48;

/** The list; `choose(place)` is called when somebody clicks a line. */
export function queueList({ choose }) {
  let queue = { n: 0, rows: [], codes: [], flags: [] };
  let chosen = 0;
  const items = new Map(); // row -> short line
  const asked = new Set();
  const lines = el("div", { class: "tl-rv-lines" });
  const node = el("div", { class: "tl-rv-list", id: "tl-rv-list", role: "listbox", tabindex: "0", "aria-label": "Samples to look at" }, lines);

  function line(place) {
    const row = queue.rows[place];
    const item = items.get(row);
    const verdict = VERDICTS[queue.codes[place]];
    const flags = queue.flags[place];
    return el("div", { class: "tl-rv-line", role: "option", id: `tl-rv-line-${place}`, "aria-selected": String(place === chosen), "data-row": row,
      "aria-setsize": queue.n, "aria-posinset": place + 1, style: `top:${place * HEIGHT}px`, onclick: () => choose(place) },
    el("span", { class: "tl-rv-thumb" }, item ? picture(item.picture, "–") : null),
    el("span", { class: "tl-rv-text" }, el("b", {}, item?.id ?? "…"), el("span", {}, item?.answer ?? "")),
    el("span", { class: "tl-rv-marks" },
      flags > 0 && el("span", { class: "tl-rv-count", title: `flagged by ${flags} ${flags === 1 ? "check" : "checks"}` }, String(flags)),
      verdict.mark && el("span", { class: `tl-rv-mark ${verdict.className}`, title: verdict.word, role: "img", "aria-label": verdict.word }, verdict.mark)));
  }

  function inSight() {
    const first = Math.max(0, Math.floor(node.scrollTop / HEIGHT) - 4);
    return [first, Math.min(queue.n, first + Math.ceil((node.clientHeight || 600) / HEIGHT) + 9)];
  }

  function draw() {
    const [first, last] = inSight();
    lines.style.height = `${queue.n * HEIGHT}px`;
    show(lines, Array.from({ length: last - first }, (_, i) => line(first + i)));
    node.setAttribute("aria-activedescendant", chosen >= first && chosen < last ? `tl-rv-line-${chosen}` : "");
    ask(first, last);
  }

  async function ask(first, last) {
    const of = queue;
    const missing = [];
    for (let page = Math.floor(first / PAGE); page <= Math.floor(Math.max(first, last - 1) / PAGE); page += 1) {
      for (const row of of.rows.slice(page * PAGE, (page + 1) * PAGE)) if (!items.has(row) && !asked.has(row)) missing.push(row);
    }
    if (!missing.length) return;
    missing.forEach((row) => asked.add(row));
    try {
      for (let at = 0; at < missing.length; at += PAGE) for (const item of await loadItems(missing.slice(at, at + PAGE))) items.set(item.row, item);
      if (of === queue) draw();
    } catch { missing.forEach((row) => asked.delete(row)); } // the next look asks again
  }

  function reveal() {
    const [top, bottom] = [chosen * HEIGHT, (chosen + 1) * HEIGHT];
    if (top < node.scrollTop) node.scrollTop = top;
    else if (bottom > node.scrollTop + node.clientHeight) node.scrollTop = bottom - node.clientHeight;
  }

  node.addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });
  new ResizeObserver(() => draw()).observe(node);

  return {
    node,
    open(next, place) { queue = next; chosen = place; reveal(); draw(); },
    go(place) { chosen = place; reveal(); draw(); },
    redraw: draw,
    forget() { items.clear(); asked.clear(); },
  };
}
