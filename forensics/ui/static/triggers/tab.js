// The Triggers tab: loads a trigger inversion, and passes what is chosen to those it concerns.

import { casePath, getJSON, recall } from "../core/api.js";
import { el, empty, show } from "../core/dom.js";
import { set, state, watch } from "../core/store.js";
import { applyPanel } from "./apply.js";
import { classesCard } from "./classes.js";
import { convergenceCard } from "./convergence.js";
import { lineOf, SCAN, triggersPath } from "./data.js";
import { triggerGallery } from "./gallery.js";
import { repairCard } from "./repair.js";
import { seedsCard } from "./seeds.js";
import { stage, starter } from "./stages.js";
import { transplantCard } from "./transplant.js";
import { verdictStrip } from "./verdict.js";

/** Build the tab into `element`. */
export function mount({ element }) {
  const host = element.querySelector(".tl-root");
  let [view, detail, place, token, quiet, stale] = [null, null, 0, 0, false, false];
  const blank = el("div", { class: "tl-card" });
  const head = verdictStrip({ choose: (run) => set({ inversion: run, trigger: null }) });
  const gallery = triggerGallery({ seed: () => place });
  const classes = classesCard({ paged: gallery.page });
  const curve = convergenceCard();
  const seeds = seedsCard({ chooseSeed });
  const transplant = transplantCard();
  const repair = repairCard();
  const side = applyPanel({ chooseSeed });
  const body = el("div", { class: "tl-triggers" },
    el("div", { class: "tl-main" }, head.node, classes.node, gallery.node, el("div", { class: "tl-trigger-pair" }, curve.node, seeds.node), transplant.node, repair.node),
    el("aside", { class: "tl-side" }, side.node));
  show(host, blank, body);

  function stop(content) {
    view = detail = null;
    show(blank, content);
    blank.hidden = false;
    body.hidden = true;
    delete host.dataset.ready;
  }

  function chooseSeed(next) {
    place = next;
    seeds.choose(next);
    side.seed(next);
    gallery.draw();
  }

  function unfinished() {
    const advice = "For every class the scan searches a small change that turns any picture into this class. If one class is far easier to reach than all others, somebody may have planted it.";
    return stage(lineOf(SCAN), { title: "No scan for triggers yet.", advice, begin: (trouble) => starter(SCAN, "Look for triggers", trouble, { id: "tl-trigger-start" }) });
  }

  async function open() {
    if (state.tab !== "triggers") return; // what is not looked at does not ask the model
    const mine = token += 1;
    if (!state.case) { stop(empty("No case is open.", "Open a demo or your own case first.", el("button", { type: "button", class: "tl-primary", onclick: () => set({ tab: "home" }) }, "Open a case"))); return; }
    if (!state.methods) return;
    if (!lineOf(SCAN)) { stop(elsewhere()); return; }
    try {
      const { runs } = await getJSON(`${casePath(state.case)}/triggers`);
      if (mine !== token) return;
      const finished = runs.filter((run) => run.state === "finished");
      const chosen = finished.find((run) => run.run === state.inversion) ?? finished[0];
      if (!chosen) { stop(unfinished()); return; }
      const next = await recall(triggersPath(chosen.run));
      if (mine === token) await draw(next, finished);
    } catch (error) {
      if (mine === token) stop(empty("This scan cannot be shown.", `${error.message} ${error.remedy ?? ""}`));
    }
  }

  const elsewhere = () => empty("Not applicable here.", "Triggers of classes are reconstructed for CLIP-like classifiers. This case is about a multimodal language model: look at its attention instead.",
    el("button", { type: "button", class: "tl-primary", onclick: () => set({ tab: "attention" }) }, "Open Attention"));

  async function draw(next, finished) {
    const fresh = view?.run !== next.run;
    view = next;
    blank.hidden = true;
    body.hidden = false;
    head.update(view, finished, lineOf(SCAN)?.active);
    transplant.update(view);
    repair.update(view);
    if (!fresh) return;
    place = 0;
    quiet = true; // while the first choices are put in place
    if (state.sample === null) set({ sample: 0 });
    if (!view.classes.some((entry) => entry.index === state.trigger)) set({ trigger: first(view).index });
    quiet = stale = false;
    gallery.update(view);
    classes.update(view);
    side.update(view);
    await look();
    host.dataset.ready = view.run;
  }

  /** Another picture was chosen, here or in another tab. */
  function another() {
    if (!stale || !view || state.sample === null || state.tab !== "triggers") return;
    stale = false;
    side.sample();
    gallery.below();
  }

  /** The class to begin with: the flagged one, else the one that stands out most. */
  const first = ({ classes: all }) => all.find((entry) => entry.mark === "flagged") ?? [...all].sort((a, b) => (b.anomaly_index ?? -Infinity) - (a.anomaly_index ?? -Infinity))[0];

  async function look() {
    const entry = view?.classes.find((one) => one.index === state.trigger);
    if (!entry) return;
    classes.mark();
    gallery.mark();
    side.open(entry);
    const of = view.run;
    try {
      const found = await recall(triggersPath(of, `/${entry.index}`));
      if (view?.run !== of || entry.index !== state.trigger) return;
      detail = found;
      curve.update(detail);
      seeds.update(view, detail);
    } catch (error) {
      if (view?.run === of && entry.index === state.trigger) seeds.trouble(error);
    }
  }

  watch(["case"], () => { token += 1; view = null; body.hidden = blank.hidden = true; set({ inversion: null, trigger: null }); open(); });
  watch(["methods", "inversion"], open);
  watch(["trigger"], () => { if (view && !quiet) look(); });
  watch(["sample"], () => { stale = true; if (!quiet) another(); });
  watch(["tab"], () => { open(); another(); });
  watch(["finished"], () => { if (state.finished.includes(`-${SCAN}-`)) set({ inversion: null }); open(); });
  open();
}
