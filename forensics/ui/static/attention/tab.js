// The Attention tab: loads a run, draws its cards, and passes every change to those it concerns.

import { decisionQuery, getJSON, runPath } from "../core/api.js";
import { attempt, newPage } from "../core/attempt.js";
import { el, empty, show } from "../core/dom.js";
import { FRESH, set, state, watch } from "../core/store.js";
import { BASE, forEncoder, openDrawer } from "../methods/listing.js";
import { methodPanel } from "../methods/panel.js";
import { methodsStrip } from "../methods/strip.js";
import { inspector } from "../sample/inspector.js";
import { curveCard } from "./curve.js";
import { entropyCard } from "./entropy.js";
import { evidence } from "./evidence.js";
import { galleryCard } from "./gallery.js";
import { samplesCard } from "./samples.js";
import { scoresCard } from "./scores.js";
import { towerCards } from "./tower.js";
import { transplantCard } from "./transplant.js";
import { truth } from "./truth.js";
import { verdictBlock } from "./verdict.js";

const ACTIVE = new Set(["queued", "running"]);

function unfinished(status) {
  if (!status) return empty("No scan yet.", "Start the attention scan: what it finds appears here, and other methods decide from the same arrays.",
    state.case ? el("button", { type: "button", class: "tl-primary", onclick: () => openDrawer(BASE) }, "Start the attention scan…")
      : el("button", { type: "button", class: "tl-primary", onclick: () => set({ tab: "home" }) }, "Open a case"));
  if (ACTIVE.has(status.state)) return waiting();
  return empty(`The scan is ${status.state}.`, status.error || "Resume it with the button at the top; what it finished is kept.");
}

/** What happens during a scan, in four steps. */
function waiting() {
  const steps = ["The model is loaded by a worker process; this page never loads it.",
    "It reads every picture and question once, up to the point where its first word would come.",
    "For each layer the worker writes down where the model looked, and how spread out that was (the entropy).",
    "Then the two published rules and our guarded one look for layers in which the samples fall into two groups."];
  return el("div", { class: "tl-waiting" }, el("strong", {}, "The scan is under way."),
    el("ol", {}, steps.map((step) => el("li", {}, step))),
    el("p", { class: "tl-sub" }, "The bar at the top shows how far it is. You can close this page; the scan goes on, and the same address finds it again."));
}

/** Build the tab into `element`. */
export function mount({ element }) {
  const cards = { verdict: verdictBlock(), curve: curveCard(), entropy: entropyCard(), scores: scoresCard(),
    samples: samplesCard(), transplant: transplantCard(), gallery: galleryCard() };
  const side = inspector();
  const blank = el("div", { class: "tl-card" });
  // The figures of the page's own scan; another method's stand in their place while it is looked at.
  const own = el("div", { class: "tl-own" }, cards.verdict.node,
    el("div", { class: "tl-charts" }, cards.curve.node, cards.entropy.node, cards.scores.node), cards.samples.node, cards.transplant.node);
  const aside = el("aside", { class: "tl-side" }, side.node);
  const body = el("div", { class: "tl-attention" },
    el("div", { class: "tl-main" }, methodPanel().node, blank, own, cards.gallery.node), aside);
  const tower = towerCards();
  const encoder = el("div", { class: "tl-attention", hidden: true }, el("div", { class: "tl-main" }, tower.gallery), el("aside", { class: "tl-side" }, tower.sample));
  const host = element.querySelector(".tl-root");
  const strip = methodsStrip().node;
  show(host, strip, body, encoder);
  let token = 0;
  let stopped = true;
  let drawn = null; // the run that the cards are about

  /** Own figures, another method's, or the words that stand for what is missing. */
  function arrange() {
    const other = Boolean(state.methods?.some((line) => line.name === state.view && !line.base));
    blank.hidden = !stopped || other;
    own.hidden = stopped || other;
    for (const part of [cards.gallery.node, aside]) part.hidden = stopped;
    body.dataset.stopped = String(stopped);
  }

  function stop(content) {
    show(blank, content);
    stopped = true;
    arrange();
  }

  async function open() {
    const mine = token += 1;
    const clip = forEncoder();
    strip.hidden = clip || !state.case;
    body.hidden = clip;
    encoder.hidden = !clip;
    if (clip) { if (state.tab === "attention") tower.open(); return; }
    if (!state.case || !state.run) { stop(unfinished(null)); return; }
    try {
      const { status } = await getJSON(runPath(state));
      if (mine !== token) return;
      if (status.state !== "finished") { stop(unfinished(status)); return; }
      const found = await evidence(state);
      if (mine !== token) return;
      await draw(found, mine);
    } catch (error) {
      if (mine === token) stop(empty("This scan cannot be shown.", `${error.message} ${error.remedy ?? ""}`,
        el("button", { type: "button", class: "tl-primary", onclick: () => openDrawer(BASE) }, "Scan again…")));
    }
  }

  async function draw(found, mine) {
    stopped = false;
    drawn = runPath(state);
    newPage();
    arrange();
    const first = found.summary.first_layer;
    const patch = { rule: found.summary.rule, summary: found.summary, live: state.live || found.warm };
    if (state.layer === null || state.layer >= found.layers) patch.layer = first;
    if (state.sample === null && found.order.length) patch.sample = found.rows[found.order[0]];
    if (!found.scored && state.shown === "flagged") patch.shown = "all";
    if (state.cut === null && found.scored && found.manualCut !== null) patch.cut = found.manualCut;
    quiet = true;
    set(patch);
    quiet = false;
    await Promise.all([...[...Object.values(cards), side].map((part) => part.update(found)), uncover()]);
    if (mine === token) host.dataset.ready = `${state.run}/${found.summary.rule}/${found.summary.tau}`;
  }

  let [shown, asked] = ["", 0]; // the ground truth that is on the page (none at first), and how often it was asked for

  async function reveal() {
    const mine = asked += 1;
    const wanted = state.revealed ? `${runPath(state)}${decisionQuery(state)}` : "";
    if (wanted === shown) return;
    const known = await truth();
    if (mine !== asked) return; // hidden again meanwhile, or another run or rule
    shown = wanted;
    await Promise.all([cards.verdict, cards.gallery, side].map((part) => part.reveal(known)));
  }

  // A part that cannot be had says so in its own card. While another run is on its way nothing is asked for: it is drawn whole.
  const part = (node, name, work) => () => (stopped || drawn !== runPath(state) ? null : attempt(node, name, work));
  const uncover = part(cards.gallery.node, "truth", reveal);
  const gallery = part(cards.gallery.node, "gallery", cards.gallery.redraw);
  const entropy = part(cards.entropy.node, "entropy", cards.entropy.load);
  const sample = part(side.node, "sample", side.load);

  let quiet = false; // while the first values of a run are put in place
  const on = (names, react) => watch(names, (...args) => { if (!quiet) react(...args); });
  on(["case"], () => set(FRESH));
  on(["case", "run", "rule", "tau"], open);
  on(["finished"], () => { if (stopped || state.finished.startsWith(`${runPath(state)} `)) open(); });
  watch(["methods", "view"], arrange);
  watch(["methods", "tab"], () => { if (forEncoder() !== !encoder.hidden || !encoder.hidden) open(); });
  on(["layer"], () => { cards.curve.redraw(); entropy(); side.layer(); });
  on(["cut"], () => { cards.scores.redraw(); cards.entropy.redraw(); cards.samples.redraw(); cards.gallery.soon(gallery); cards.verdict.redraw(); side.redraw(); });
  on(["selection"], () => { cards.scores.redraw(); cards.entropy.redraw(); cards.samples.mark(); });
  on(["selection", "shown", "page"], gallery);
  on(["sample"], () => { if (forEncoder()) { open(); return; } sample(); cards.gallery.mark(); });
  on(["head"], () => side.head());
  on(["revealed"], uncover);
  document.addEventListener("tl-step", (event) => (forEncoder() ? tower : side).step(event.detail));
  open();
}
