// "What each method says": one line per method that was run, their agreement, and what can be run.

import { alertOf } from "../core/alert.js";
import { el, keepFocus, show } from "../core/dom.js";
import { clock, count } from "../core/format.js";
import { FRESH, set, state, watch } from "../core/store.js";
import { agreement } from "./agreement.js";
import { isEvidence, openDrawer, resume, TRIGGERS } from "./listing.js";
import { offers } from "./offers.js";
import { badge, flaggedText, nameParts, took } from "./words.js";

const MAP = "clusters"; // has a tab of its own
const shownNow = (line) => (line.base ? state.view === null : state.view === line.name);

/** Look at what a method found: its own figures above the gallery. */
export function showMethod(line) {
  if (line.name === MAP) set({ tab: "clusters", map: line.said?.run ?? null });
  else if (TRIGGERS.has(line.name)) set({ tab: "triggers" });
  else if (!line.base) set({ view: line.name });
  else if (line.said && line.said.run !== state.run) set({ ...FRESH, run: line.said.run });
  else set({ view: null });
}

function more({ said, paper, arxiv, title }) {
  const facts = [["Method", title], ["Ran", `${clock(said.created)}${said.mode ? `, mode ${said.mode}` : ""}`],
    said.about && ["Decided from", `run ${said.about}`],
    paper && ["Paper", `${paper}${arxiv ? `, arXiv ${arxiv}` : ""}`],
    said.limits.length > 0 && ["Cannot see", said.limits.join("; ")]].filter(Boolean);
  return el("dl", { class: "tl-facts" }, facts.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

/** A button that goes on with a run; why it cannot is put into `problem`, which no redraw replaces. */
function resumeButton({ name, label, trouble }, problem) {
  if (!trouble.resumable) return null;
  const begin = async ({ target }) => {
    target.disabled = true;
    show(problem);
    try { await resume(trouble, name); } catch (error) {
      target.disabled = false;
      show(problem, alertOf(error));
    }
  };
  return el("button", { type: "button", class: "tl-ghost", "aria-label": `Resume ${label}`, onclick: begin }, trouble.state === "failed" ? "Try again" : "Resume");
}

function sentence(line, opened, problem) {
  const { said, active, trouble } = line;
  if (active) return el("span", { class: "tl-said" }, active.state === "queued" ? "Waits for the worker." : "Under way; see the bar at the top.");
  if (trouble) return el("span", { class: "tl-said tl-bad-text" }, `The latest run is ${trouble.state}. ${trouble.error} `, resumeButton(line, problem));
  return el("details", { class: "tl-said", open: opened.has(line.name),
    ontoggle: (event) => { if (event.target.open) opened.add(line.name); else opened.delete(line.name); } },
  el("summary", { title: "The whole sentence, the paper and the limits" }, said.sentence || "–"), more(line));
}

function row(line, opened, problem) {
  const { said, active } = line;
  const button = (text, attributes, act) => el("button", { type: "button", class: "tl-ghost", onclick: act, ...attributes }, text);
  return el("li", { class: "tl-method", "data-method": line.name, "data-shown": String(shownNow(line)) },
    active ? el("span", { class: "tl-chip tl-plain" }, active.state === "queued" ? "… waiting" : "… running")
      : said ? badge(said.verdict) : el("span", { class: "tl-chip tl-plain" }, "✕ no result"),
    el("span", { class: "tl-method-name" }, nameParts(line.label, said?.mode)),
    el("span", { class: "tl-method-count", title: said && Number.isFinite(said.n) ? `of ${count(said.n)} samples` : null }, said ? flaggedText(said) : ""),
    sentence(line, opened, problem),
    el("span", { class: "tl-method-time", title: "Run time" }, said ? took(said.seconds) : ""),
    el("span", { class: "tl-method-buttons" },
      button("Show", { id: `tl-method-show-${line.name}`, "aria-pressed": String(shownNow(line)), "aria-label": `Show what ${line.label} found`, disabled: !said && !active }, () => showMethod(line)),
      button("↻", { id: `tl-method-again-${line.name}`, title: "Run it again, with other options", "aria-label": `Run ${line.label} again, with other options` }, () => openDrawer(line.name))));
}

/** The strip at the top of the Attention tab. */
export function methodsStrip() {
  const node = el("section", { class: "tl-card tl-methods", id: "tl-methods", "aria-label": "What each method says", hidden: true });
  const list = el("ul", { class: "tl-method-list" });
  const offered = offers("Also possible", "tl");
  const together = agreement();
  const opened = new Set();
  const problem = el("div");

  function draw() {
    const lines = state.methods?.filter(isEvidence);
    node.hidden = !lines;
    if (!lines) return;
    const begun = lines.filter((line) => line.said || line.active || line.trouble);
    show(list, begun.map((line) => row(line, opened, problem)));
    offered.update(lines.filter((line) => !begun.includes(line)));
    together.update(lines.filter((line) => line.said && Number.isFinite(line.said.flagged)));
    const done = begun.filter((line) => line.said).length;
    show(node, el("div", { class: "tl-methods-body" },
      el("div", { class: "tl-methods-lines" }, el("h3", {}, "What each method says ",
        el("span", { class: "tl-sub" }, done ? `${count(done)} of ${count(lines.length)} methods ran on this case` : "none ran on this case yet")),
      list, problem), together.node), offered.node);
    node.dataset.ready = begun.map((line) => line.said?.run ?? "").join(".") || "none";
  }

  watch(["case"], () => show(problem));
  watch(["methods", "view"], () => keepFocus(node, draw)); // parts that stay are put into new elements before they are shown
  draw();
  return { node };
}
