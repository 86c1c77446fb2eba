// The queue at the left: any number of samples, of which only those in sight are in the page.

import { el, picture, show } from "../core/dom.js";
import { loadItems, VERDICTS } from "./data.js";

const HEIGHT = 50;
const PAGE = 48;
const NOTHING = { n: 0, rows: [], codes: [], flags: [] };

/** The list; `choose(place)` is called when somebody clicks a line. */
export function queueList({ choose }) {
  let queue = NOTHING;
  let chosen = 0;
  const items = new Map(); // row -> short line
  const asked = new Set();
  let generation = 0; // lines of a case that was left must not come in
  let drawn = new Map(); // row -> its line, of those in the page
  const lines = el("div", { class: "tl-rv-lines" });
  const node = el("div", { class: "tl-rv-list", id: "tl-rv-list", role: "listbox", tabindex: "0", "aria-label": "Samples to look at" }, lines);

  function blank(row) {
    const [thumb, text, marks] = ["tl-rv-thumb", "tl-rv-text", "tl-rv-marks"].map((name) => el("span", { class: name }));
    show(text, el("b", {}, "…"));
    const made = { thumb, text, marks, node: el("div", { class: "tl-rv-line", role: "option", "data-row": row, onclick: () => choose(made.place) }, thumb, text, marks) };
    return made;
  }

  /** The line of a place. A row keeps its element: a redraw must not lose the click that is under way on it. */
  function line(place) {
    const row = queue.rows[place];
    const made = drawn.get(row) ?? blank(row);
    made.place = place;
    const now = { id: `tl-rv-line-${place}`, style: `top:${place * HEIGHT}px`, "aria-selected": place === chosen, "aria-setsize": queue.n, "aria-posinset": place + 1 };
    for (const [name, value] of Object.entries(now)) made.node.setAttribute(name, String(value));
    fill(made, items.get(row), queue.flags[place], queue.codes[place]);
    return made;
  }

  /** Put in what is known by now, if it is not there yet. */
  function fill(made, item, flags, code) {
    if (item && made.item !== item) { show(made.thumb, picture(item.picture, "–")); show(made.text, el("b", {}, item.id), el("span", {}, item.answer ?? "")); }
    if (made.flags !== flags || made.code !== code) {
      const verdict = VERDICTS[code];
      const flagged = flags > 0 && `flagged by ${flags} ${flags === 1 ? "check" : "checks"}`;
      show(made.marks, flagged && el("span", { class: "tl-rv-count", role: "img", "aria-label": flagged }, String(flags)),
        verdict.mark && el("span", { class: `tl-rv-mark ${verdict.className}`, role: "img", "aria-label": verdict.word }, verdict.mark));
      made.node.title = [flagged, verdict.mark && verdict.word].filter(Boolean).join("; ");
    }
    Object.assign(made, { item, flags, code });
  }

  function inSight() {
    const first = Math.max(0, Math.floor(node.scrollTop / HEIGHT) - 4);
    return [first, Math.min(queue.n, first + Math.ceil((node.clientHeight || 600) / HEIGHT) + 9)];
  }

  function draw() {
    const [first, last] = inSight();
    lines.style.height = `${queue.n * HEIGHT}px`;
    const seen = Array.from({ length: last - first }, (_, i) => line(first + i));
    drawn = new Map(seen.map((made) => [queue.rows[made.place], made]));
    const wanted = new Set(seen.map((made) => made.node));
    for (const old of [...lines.children]) if (!wanted.has(old)) old.remove();
    let next = lines.firstChild;
    for (const one of wanted) if (one === next) next = next.nextSibling; else lines.insertBefore(one, next);
    node.setAttribute("aria-activedescendant", chosen >= first && chosen < last ? `tl-rv-line-${chosen}` : "");
    ask(first, last);
  }

  async function ask(first, last) {
    const { rows } = queue;
    const missing = [];
    for (let page = Math.floor(first / PAGE); page <= Math.floor(Math.max(first, last - 1) / PAGE); page += 1) {
      for (const row of rows.slice(page * PAGE, (page + 1) * PAGE)) if (!items.has(row) && !asked.has(row)) missing.push(row);
    }
    if (!missing.length) return;
    missing.forEach((row) => asked.add(row));
    const mine = generation;
    try {
      for (let at = 0; at < missing.length; at += PAGE) {
        const found = await loadItems(missing.slice(at, at + PAGE));
        if (mine !== generation) return;
        for (const item of found) items.set(item.row, item);
      }
      draw();
    } catch { if (mine === generation) missing.forEach((row) => asked.delete(row)); } // the next look asks again
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
    forget() {
      generation += 1;
      queue = NOTHING;
      for (const known of [items, asked, drawn]) known.clear();
    },
  };
}
