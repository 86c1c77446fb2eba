// The Repair tab: what can be repaired how, what is under way, all repairs beside each other, one of them in full.

import { casePath, getJSON } from "../core/api.js";
import { el, empty, show } from "../core/dom.js";
import { set, state, watch } from "../core/store.js";
import { ratesCard, saidStrip } from "./before.js";
import { classesCard } from "./classes.js";
import { compareCard } from "./compare.js";
import { curveCards } from "./curves.js";
import { repairPath } from "./data.js";
import { examplesCard } from "./examples.js";
import { chosenExample } from "./film.js";
import { divergenceCard } from "./divergence.js";
import { measuresCard, startCard } from "./measures.js";
import { methodsCard } from "./methods.js";
import { pairsCard } from "./pairs.js";
import { planeCard } from "./plane.js";
import { resistivityCard } from "./resistivity.js";
import { runningCard } from "./running.js";
import { tokensCard } from "./tokens.js";

/** One repair in full, card by card; what it did not keep has no card. */
function figures(view) {
  const { changed } = view;
  const example = chosenExample(); // shown by every card of examples
  return [saidStrip(view), changed && ratesCard(view), changed && el("div", { class: "tl-rp-pair tl-rp-uneven" }, measuresCard(view), startCard(view)),
    changed && el("div", { class: "tl-rp-pair" }, classesCard(view), resistivityCard(view)),
    changed && pairsCard(view, example), changed && examplesCard(view, example), changed && divergenceCard(view), changed && planeCard(view), tokensCard(view), changed && el("div", { class: "tl-rp-pair" }, curveCards(view))];
}

const cannot = (what, error) => el("div", { class: "tl-card" }, empty(what, `${error.message} ${error.remedy ?? ""}`));

/** Build the tab into `element`. */
export function mount({ element }) {
  const host = element.querySelector(".tl-root");
  let [view, drawn, token] = [null, null, 0];
  const blank = el("div", { hidden: true });
  const picker = methodsCard({ running: () => Boolean(view?.rows.some((row) => row.active)) });
  const running = runningCard({ ended: () => open() });
  const compare = compareCard({ choose: (run) => set({ repair: run }) });
  const detail = el("div", { class: "tl-rp-figures", id: "tl-rp-figures" });
  const body = el("div", { class: "tl-repair", hidden: true }, picker.node, running.node, compare.node, detail);
  show(host, blank, body);

  function stop(content) {
    view = drawn = null;
    running.update(null);
    show(blank, content);
    blank.hidden = false;
    body.hidden = true;
    delete host.dataset.ready;
  }

  async function open() {
    if (state.tab !== "repair") { running.update(null); return; }
    const mine = token += 1;
    if (!state.case) { stop(el("div", { class: "tl-card" }, empty("No case is open.", "Open a demo or your own case first.", el("button", { type: "button", class: "tl-primary", onclick: () => set({ tab: "home" }) }, "Open a case")))); return; }
    try {
      const next = await getJSON(`${casePath(state.case)}/repairs`);
      if (mine !== token) return;
      await draw(next, mine);
    } catch (error) {
      if (mine === token) stop(cannot("The repairs cannot be shown.", error));
    }
  }

  /** The run under way, else the newest one if it ended early. */
  const unfinished = (rows) => rows.find((row) => row.active) ?? (rows[0]?.state === "finished" ? null : rows[0] ?? null);

  async function draw(next, mine) {
    view = next;
    blank.hidden = true;
    body.hidden = false;
    const finished = view.rows.filter((row) => row.state === "finished");
    const chosen = finished.find((row) => row.run === state.repair) ?? finished[0] ?? null;
    picker.update(view);
    running.update(unfinished(view.rows));
    compare.update(view, chosen?.run);
    if (!chosen) {
      drawn = null;
      show(detail, !view.rows.length && el("div", { class: "tl-card" }, empty("No repair yet.", "Choose one above. Afterwards the old and the new model stand here side by side: clean accuracy and attack success, each with its interval, and what both do on the same pictures. The case’s own model is never changed.")));
      host.dataset.ready = "none";
      return;
    }
    if (chosen.run === drawn) { host.dataset.ready = drawn; return; }
    await drawOne(chosen.run, mine);
  }

  /** One repair in full; where that fails, the others stay within reach, and the next look tries again. */
  async function drawOne(run, mine) {
    let [one, content] = [null, null];
    try {
      one = await getJSON(repairPath(run));
      if (mine === token) content = figures(one);
    } catch (error) { [one, content] = [null, cannot("This repair cannot be shown.", error)]; }
    if (mine !== token) return;
    drawn = one && run;
    show(detail, content);
    host.dataset.ready = drawn ?? "none";
  }

  watch(["case"], () => { token += 1; drawn = null; show(detail); body.hidden = blank.hidden = true; set({ repair: null }); open(); });
  watch(["methods", "repair", "tab"], open);
  watch(["finished"], () => { const run = state.finished.split(" ")[0].split("/").at(-1); if (view?.rows.some((row) => row.run === run && row.state !== "finished")) set({ repair: null }); open(); });
  open();
}
