// Attention allocation (TCAP): which heads set samples apart, how one head does it, and where its
// attention goes.

import { casePath, recall } from "../core/api.js";
import { el } from "../core/dom.js";
import { count } from "../core/format.js";
import { state } from "../core/store.js";
import { MARKS } from "../attention/verdict.js";
import { gridCard } from "./grid.js";
import { headCard } from "./head.js";
import { massCard } from "./masses.js";

const MODES = {
  exact: "The best heads always vote, so something is always split.",
  calibrated: "Only heads that part the samples more clearly than chance vote.",
  guarded: "As calibrated, within kinds of questions, and only flags whose answers go together.",
};

function modeCard([name, said], chosen) {
  const mark = MARKS[said.verdict];
  return el("div", { class: "tl-rule", "data-chosen": String(name === chosen) },
    el("span", { class: "tl-rule-name" }, name, mark && el("span", { class: `tl-${mark.tone}-text` }, ` ${mark.shape} ${mark.name.toLowerCase()}`),
      name === chosen && el("span", { class: "tl-sub" }, " decides")),
    el("span", { class: "tl-sub" }, MODES[name] ?? ""),
    el("dl", {}, el("dt", {}, "flagged"), el("dd", {}, count(said.count))));
}

/** The figures of a run, from its summary. */
export function allocationPanel(view) {
  const head = headCard(view);
  const masses = massCard();
  const path = `${casePath(state.case)}/runs/${encodeURIComponent(view.run)}/allocation/heads`;
  let wanted = null;

  async function choose(place) {
    wanted = place;
    grid.mark(place);
    const answer = await recall(`${path}/${place}`);
    if (wanted !== place) return;
    head.update(answer.histogram);
    masses.update(answer.means, answer.histogram);
  }

  const grid = gridCard(view, choose);
  const first = view.first ?? view.grid.place[0]?.[0];
  if (first !== undefined) choose(first);
  const modes = el("div", { class: "tl-modes" }, Object.entries(view.modes).map((entry) => modeCard(entry, view.mode)));
  return el("div", { class: "tl-allocation", id: "tl-allocation" }, modes,
    el("div", { class: "tl-charts" }, grid.node, head.node, masses.node));
}
