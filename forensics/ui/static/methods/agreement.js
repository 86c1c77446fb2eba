// How far the methods agree: samples by the set of methods that flag them, largest set first.

import { alertOf } from "../core/alert.js";
import { getJSON, recallBytes } from "../core/api.js";
import { table, tableToggle } from "../chart/frame.js";
import { el, show } from "../core/dom.js";
import { count, plural } from "../core/format.js";
import { set, state, watch } from "../core/store.js";
import { agreementPath } from "./listing.js";
import { shortLabel } from "./words.js";

const MOST = 7; // columns drawn
const TALL = 40; // pixels of the largest bar

function named(methods, mask) {
  const inside = methods.filter((_, bit) => mask & (1 << bit)).map((m) => shortLabel(m.label).toLowerCase());
  return inside.length === 1 ? `${inside[0]} alone` : `${inside.slice(0, -1).join(", ")} and ${inside.at(-1)}`;
}

/** The rows of the catalogue for which `keep(mask)` holds. */
async function rowsWith(of, keep) {
  const masks = new Uint32Array(await recallBytes(agreementPath("/rows", of)), 4);
  const rows = new Set();
  masks.forEach((mask, row) => { if (keep(mask)) rows.add(row); });
  return rows;
}

let asked = 0;
const here = () => [state.case, state.view, state.selection];

/** Show in the gallery what the methods of `mask` flag: exactly these, or `loosely` these and others. */
export async function selectSet(of, mask, text, loosely = false) {
  const [mine, before] = [asked += 1, here()];
  const rows = await rowsWith(of, (m) => (loosely ? (m & mask) === mask : m === mask));
  if (mine !== asked || here().some((now, k) => now !== before[k])) return; // somebody went on meanwhile
  set({ selection: { kind: "rows", rows, text, key: loosely ? "" : `${mask}`, loosely }, shown: "all", page: 0 });
}

function column(found, entry, tallest, look) {
  const text = `flagged by ${named(found.methods, entry.mask)}`;
  const bar = el("i", { class: "tl-set-bar", style: `height:${Math.max(2, (TALL * entry.count) / tallest).toFixed(1)}px` });
  return el("button", { type: "button", class: "tl-set", id: `tl-set-${entry.mask}`, "data-mask": entry.mask, title: `${plural(entry.count, "sample")} ${text}. Click to see them.`,
    "aria-label": `${plural(entry.count, "sample")} ${text}: show them`, "aria-pressed": String(state.selection?.key === `${entry.mask}`),
    onclick: () => look(entry.mask, text) },
  el("span", { class: "tl-set-top" }, el("span", {}, count(entry.count)), bar),
  found.methods.map((_, bit) => el("i", { class: `tl-set-dot ${entry.mask & (1 << bit) ? "tl-set-in" : ""}` })));
}

function figureOf(found, look) {
  const drawn = found.sets.slice(0, MOST);
  const tallest = Math.max(1, ...drawn.map((entry) => entry.count));
  const rest = found.further + found.sets.slice(MOST).reduce((sum, entry) => sum + entry.count, 0);
  return [el("div", { class: "tl-sets", role: "group", "aria-label": "Samples by the methods that flag them" },
    el("div", { class: "tl-set-names" }, el("span", { class: "tl-set-top" }, "samples"),
      found.methods.map((m) => el("span", {}, shortLabel(m.label)))),
    drawn.map((entry) => column(found, entry, tallest, look))),
  rest > 0 && el("p", { class: "tl-sub" }, `${plural(rest, "more sample")} in smaller sets.`)];
}

/** The figure beside the lines; `update(lines)` takes the methods that flag samples. */
export function agreement() {
  const node = el("div", { class: "tl-agreement", id: "tl-agreement", hidden: true });
  const figure = el("div");
  const holder = el("div", { hidden: true });
  const [trouble, body] = [el("div"), el("div")];
  show(node, trouble, body);
  let found = null;
  let of = "";
  const toggle = tableToggle(figure, holder, () => table("Samples by the methods that flag them", ["flagged by", "samples"],
    found.sets.map((entry) => [named(found.methods, entry.mask), count(entry.count)])));

  function draw() {
    if (!found || found.sets.length === 0) { show(figure); return; }
    show(figure, figureOf(found, look));
  }

  /** Do `work` for the runs of now; where it fails the panel says so. */
  async function trying(work) {
    const mine = of;
    let failed = null;
    try { await work(mine); } catch (error) { failed = error; }
    if (mine === of) show(trouble, failed && alertOf(failed));
  }

  const look = (mask, text) => trying(async (mine) => {
    await selectSet(mine, mask, text);
    document.querySelector("#tl-gallery")?.scrollIntoView({ block: "nearest" });
  });

  const load = () => trying(async (mine) => {
    const answer = await getJSON(agreementPath("", mine));
    if (mine !== of) return;
    found = answer;
    show(body, el("header", { class: "tl-card-head" }, el("h3", {}, "Do they agree?"), toggle.button),
      el("p", { class: "tl-sub", id: "tl-agreement-sentence" }, found.sentence), figure, holder);
    draw();
    toggle.update();
    node.dataset.ready = of;
  });

  function update(lines) {
    node.hidden = lines.length < 2;
    if (node.hidden) return;
    const mine = lines.map((line) => line.said.run).join(".");
    if (mine !== of) show(body); // of other runs
    of = mine;
    load();
  }

  watch(["selection"], draw);
  return { node, update };
}
