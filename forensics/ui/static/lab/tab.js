// The Lab tab: plant, train, predict, reveal, repair; and worksheets and walk-throughs for a class.

import { getJSON, recall } from "../core/api.js";
import { el, empty, show } from "../core/dom.js";
import { state, watch } from "../core/store.js";
import { labPath } from "./data.js";
import { forgetDraft, gameCards } from "./game.js";
import { outcome } from "./outcome.js";
import { plantCard } from "./plant.js";
import { sheetCard, walksCard } from "./sheets.js";
import { trainCard } from "./train.js";

/** Build the tab into `element`. */
export function mount({ element }) {
  const host = element.querySelector(".tl-root");
  const [top, body, side] = [el("div"), el("div", { class: "tl-lab-body" }), el("div", { class: "tl-lab-side" })];
  let [fixed, walks, planted, token, drawn] = [null, null, null, 0, ""];
  const train = trainCard({ changed: () => open(true) });
  show(host, el("div", { class: "tl-lab", id: "tl-lab" }, top, body, side));

  function fold(openNow) {
    planted ??= plantCard({ view: fixed });
    show(top, el("details", { class: "tl-lab-fold", open: openNow, id: "tl-lab-plant" }, el("summary", {}, "Plan a lesson"), planted));
  }

  async function content(view) {
    if (!view.ready) return [view.own ? train.node : el("div", { class: "tl-card" }, empty("This case was not scanned yet.", "Start its scan on the tab Case; then predict here."))];
    if (view.revealed) forgetDraft(state.case);
    if (view.revealed) return [...outcome(view, () => open(true)), view.own && train.node];
    return [await gameCards({ places: fixed.places, lesson: view, done: () => { drawn = ""; open(true); } }), view.own && train.node];
  }

  async function open(force = false) {
    if (state.tab !== "lab") { train.stop(); return; }
    const mine = token += 1;
    try {
      fixed ??= await recall("/api/lab");
      walks ??= (await recall("/api/walkthroughs")).walkthroughs;
      const view = state.case ? await getJSON(labPath()) : { lesson: null };
      if (mine !== token) return;
      const key = JSON.stringify([state.case, view.lesson, view.ready, view.revealed, view.players, view.repaired?.run, view.revealed && view.steps]);
      if (view.lesson && view.own) train.update(view); else train.stop();
      if (!force && key === drawn) return;
      const cards = view.lesson ? await content(view) : [];
      if (mine !== token) return;
      if (top.dataset.case !== String(state.case)) { fold(!view.lesson); top.dataset.case = String(state.case); }
      if (key !== drawn) show(body, cards);
      drawn = key;
      show(side, view.lesson && sheetCard(), walksCard(walks));
      host.dataset.ready = view.revealed ? "revealed" : view.ready ? "ready" : view.lesson ? "training" : "none";
    } catch (error) {
      if (mine !== token) return;
      drawn = "";
      show(body, el("div", { class: "tl-card" }, empty("The lab cannot be shown.", `${error.message} ${error.remedy ?? ""}`)));
    }
  }
  watch(["case"], () => { token += 1; }); // also while another tab is looked at
  watch(["case", "tab", "finished", "job"], () => open());
  open();
}
