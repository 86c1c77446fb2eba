// What one method found, in place of the attention scan's own figures: verdict, limits, evidence.

import { alertOf } from "../core/alert.js";
import { casePath, getJSON } from "../core/api.js";
import { el, empty, show } from "../core/dom.js";
import { fold } from "../core/fold.js";
import { count } from "../core/format.js";
import { set, state, watch } from "../core/store.js";
import { MARKS } from "../attention/verdict.js";
import { transplantPanel } from "../attention/transplant.js";
import { allocationPanel } from "../allocation/panel.js";
import { fusionPanel } from "../fusion/panel.js";
import { maskedPanel } from "../sample/masked.js";
import { selectSet } from "./agreement.js";
import { openDrawer } from "./listing.js";
import { flaggedText, readiness } from "./words.js";

// Figures of methods that have some; every other method is told by its sentence and its limits.
const FIGURES = { "attention-allocation": ["allocation", allocationPanel], "evidence-fusion": ["fusion", fusionPanel],
  "masked-views": ["masked-views", maskedPanel], transplant: ["transplant", transplantPanel] };

const limits = (said) => fold("tl-method-limits", "What this cannot show",
  el("ul", {}, said.limits.map((text) => el("li", {}, `It cannot see ${text}.`)), el("li", {}, "“No evidence” is not “clean”.")));

/** Put the method's flags in the gallery; `trouble` says where that fails. */
async function showFlags(line, trouble) {
  const telling = (state.methods ?? []).filter((other) => other.said && Number.isFinite(other.said.flagged));
  const bit = telling.findIndex((other) => other.name === line.name); // by name: the lines may have been read anew
  show(trouble);
  if (bit < 0) { show(trouble, alertOf({ message: `${line.label} flags nothing any more.`, remedy: "Its run was deleted, or the page is not up to date: load it again." })); return; }
  const of = telling.map((other) => other.said.run).join(".");
  try { await selectSet(of, 1 << bit, `flagged by ${line.label}`, true); } catch (error) { show(trouble, alertOf(error)); }
}

function flagsButton(line, trouble) {
  if (!line.said.flagged) return null;
  return el("button", { type: "button", class: "tl-ghost", id: "tl-show-flags", onclick: () => showFlags(line, trouble) }, `Show its ${flaggedText(line.said)} in the gallery`);
}

/** Give the gallery back to the page's own scan, unless somebody chose something else since. */
function giveBack() {
  if (state.selection?.kind === "rows" && state.selection.loosely) set({ selection: null, shown: "flagged", page: 0 });
}

function verdict(line, trouble) {
  const { said } = line;
  const mark = MARKS[said.verdict] ?? { shape: "○", name: line.label, tone: "plain" };
  return el("section", { class: `tl-verdict tl-${mark.tone}`, "aria-label": `Verdict of ${line.label}` },
    el("div", { class: "tl-sentence" }, el("span", { class: "tl-verdict-mark", "aria-hidden": "true" }, mark.shape),
      el("p", {}, el("strong", {}, `${mark.name}. `), said.sentence)),
    el("div", { class: "tl-verdict-foot" }, mark.name !== line.label && el("b", {}, line.label), el("span", { class: "tl-sub" }, `${flaggedText(said)}${Number.isFinite(said.flagged) ? ` of ${count(said.n)}` : ""}`), flagsButton(line, trouble), limits(said)));
}

function waiting(line) {
  return el("div", { class: "tl-card" }, line.active
    ? empty(`${line.label} is ${line.active.state === "queued" ? "waiting for the worker" : "under way"}.`, "The bar at the top shows how far it is; what it finds appears here.")
    : empty(`${line.label} was not run on this case yet.`, line.trouble ? `The latest run is ${line.trouble.state}. ${line.trouble.error}` : readiness(line),
      el("button", { type: "button", class: "tl-primary", onclick: () => openDrawer(line.name) }, "Run it…")));
}

/** The panel; it shows itself while another method than the page's own scan is looked at. */
export function methodPanel() {
  const node = el("div", { class: "tl-method-panel", id: "tl-method-panel", hidden: true });
  let drawn = "";

  async function draw() {
    const line = state.methods?.find((one) => one.name === state.view && !one.base);
    node.hidden = !line;
    if (!line) { if (drawn) giveBack(); drawn = ""; return; }
    const key = `${line.name} ${line.said?.run} ${line.active?.state}`;
    if (key === drawn) return;
    drawn = key;
    delete node.dataset.ready;
    giveBack(); // what the last method showed there is not this one's
    if (!line.said) { show(node, waiting(line)); return; }
    const [part, make] = FIGURES[line.name] ?? [];
    const [trouble, figures] = [el("div", { class: "tl-trouble" }), el("div", { class: "tl-method-figures" })];
    if (line.said.flagged && !state.selection) showFlags(line, trouble);
    show(node, trouble, verdict(line, trouble), figures);
    if (!part) { node.dataset.ready = line.said.run; return; }
    try {
      const view = await getJSON(`${casePath(state.case)}/runs/${encodeURIComponent(line.said.run)}/${part}`);
      if (key !== drawn) return;
      show(figures, make(view));
    } catch (error) {
      if (key === drawn) show(figures, el("div", { class: "tl-card" }, empty("The figures of this run cannot be shown.", `${error.message} ${error.remedy ?? ""}`)));
    }
    if (key === drawn) node.dataset.ready = line.said.run;
  }

  watch(["methods", "view"], draw);
  draw();
  return { node };
}
