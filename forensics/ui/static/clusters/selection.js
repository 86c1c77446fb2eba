// What is selected: how many, what they share, exports of exactly these, and a map without them.

import { alertOf } from "../core/alert.js";
import { card, el, empty, show } from "../core/dom.js";
import { capital, count, percent, plural, signed } from "../core/format.js";
import { mapPath } from "./data.js";

const FORMATS = [["csv", "CSV"], ["jsonl", "JSON Lines"], ["parquet", "Parquet"]];

function share(title, lines) {
  if (!lines.length) return null;
  return [el("h4", {}, title), el("dl", { class: "tl-umap-shares" }, lines.map((line) => [
    el("dt", { title: line.text }, line.text), el("dd", {}, el("i", { style: `width:${(100 * line.share).toFixed(1)}%` }),
      el("span", {}, percent(line.share), el("span", { class: "tl-sub" }, line.elsewhere === null ? "" : ` elsewhere ${percent(line.elsewhere)}`)))]))];
}

function medians(scores) {
  if (!scores.length) return null;
  return el("details", { class: "tl-limits" }, el("summary", {}, "Scores inside and elsewhere"),
    el("table", { class: "tl-table" }, el("thead", {}, el("tr", {}, ["median", "inside", "elsewhere"].map((name) => el("th", { scope: "col" }, name)))),
      el("tbody", {}, scores.map((score) => el("tr", {}, el("td", {}, score.title), el("td", {}, signed(score.inside, 3)), el("td", {}, signed(score.elsewhere, 3)))))));
}

/** Precision and recall of what is selected, once the ground truth is revealed. */
function against(mask, codes) {
  let [hit, chosen, poisoned] = [0, 0, 0];
  for (let i = 0; i < mask.length; i += 1) {
    if (mask[i]) chosen += 1;
    if (codes[i] === 1) { poisoned += 1; if (mask[i]) hit += 1; }
  }
  return el("p", { id: "tl-umap-truth" }, el("strong", {}, `${count(hit)} of ${count(poisoned)} poisoned`),
    ` are selected: precision ${percent(chosen ? hit / chosen : null, 1)}, recall ${percent(poisoned ? hit / poisoned : null, 1)}.`);
}

/** The card; `act` has `clear()`, `invert()`, `aside(button)`, `decide(view)`, `flagged()` and `elsewhere()` (null: no other tab to show it in). */
export function selectionCard(act) {
  const body = el("div", { id: "tl-umap-selection", "aria-live": "polite" });
  const node = card("Selection", {}, body);

  function exports(name, run, key) {
    const links = FORMATS.map(([format, text]) => el("a", { href: mapPath(name, run, `/selections/${key}/export.${format}`), download: "",
      class: "tl-export-link", id: `tl-umap-export-${format}` }, text));
    return el("p", { class: "tl-umap-exports" }, el("span", {}, "Export exactly these"), links);
  }

  function full(view, { name, run, mask, truth, said }) {
    const aside = el("button", { type: "button", class: "tl-primary", id: "tl-umap-aside", disabled: view.n === view.total,
      title: "Draws a new map of all others. The data set is not changed.", onclick: () => act.aside(aside) }, "Draw without these");
    const button = (text, id, action) => el("button", { type: "button", class: "tl-ghost", id, onclick: action }, text);
    return [el("p", { class: "tl-umap-count" }, el("b", { id: "tl-umap-chosen" }, count(view.n)), ` of ${plural(view.total, "sample")} (${percent(view.n / view.total)}) `,
      button("Clear", "tl-umap-clear", act.clear), " ", button("Invert", "tl-umap-invert", act.invert)),
    truth && against(mask, truth), share(`${capital(said)}s`, view.answers), share("Labels", view.labels), share("Groups", view.groups), medians(view.scores),
    exports(name, run, view.selection),
    el("div", { class: "tl-umap-acts" }, aside, button("Decide about these", "tl-umap-decide", () => act.decide(view)), act.elsewhere && button("Show in Attention", "tl-umap-elsewhere", act.elsewhere))];
  }

  return {
    node,
    nothing() {
      body.inert = false;
      show(body, empty("Nothing is selected.", "Draw around points on the map, or choose a group below. Shift adds to a selection, Escape clears it.",
        el("button", { type: "button", class: "tl-ghost", id: "tl-umap-flagged", title: "Selects the samples that people flagged in the Review tab; then a map can be drawn without them", onclick: act.flagged }, "Select what people flagged")));
    },
    /** Until the server has answered, what stands here is of the last selection and cannot be used. */
    wait(n) {
      if (body.querySelector("#tl-umap-chosen")) body.inert = true;
      else show(body, el("p", { class: "tl-sub" }, `${plural(n, "sample")} selected…`));
    },
    update(view, about) { body.inert = false; show(body, full(view, about)); node.dataset.ready = view.selection; },
    trouble(error) { body.inert = false; show(body, alertOf(error)); },
  };
}
