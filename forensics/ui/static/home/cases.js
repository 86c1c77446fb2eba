// The recent cases, each as a card: what it is, what was said about it, what it takes.

import { casePath, getJSON, post } from "../core/api.js";
import { confirmButton } from "../core/confirm.js";
import { el, show } from "../core/dom.js";
import { bytes, clock, count, plural } from "../core/format.js";
import { set, state, watch } from "../core/store.js";
import { badge } from "../methods/words.js";
import { link } from "./open.js";
import { isPicked, onPick, pick } from "./picks.js";

const CHIPS = 4;
const FIRST = 6; // cards before the rest is folded away

function said(card) {
  const chips = card.said.slice(0, CHIPS).map((one) => el("li", {}, badge(one.verdict), el("span", { class: "tl-sub" }, ` ${one.label}`)));
  const more = card.said.length - CHIPS;
  if (!card.said.length) return el("p", { class: "tl-sub" }, card.active ? "A job is under way." : "Nothing was run yet.");
  return el("ul", { class: "tl-case-said" }, chips, more > 0 && el("li", { class: "tl-sub" }, `and ${plural(more, "more method")}`));
}

/** Forgetting deletes nothing, and says so. */
function forgetButton(card, done) {
  const words = { words: "Forget", name: `Take ${card.title} off this list`, question: "Forget? The folder stays.", title: "Take it off this list; its folder stays" };
  return confirmButton(`forget ${card.case}`, words, async () => {
    await post(`${casePath(card.case)}/forget`);
    if (state.case === card.case) set({ case: null, run: null });
    done();
  });
}

function pickButton(card) {
  return el("button", { type: "button", class: "tl-ghost", "aria-pressed": String(isPicked(card.case)), "data-pick": card.case,
    title: "Put two cases beside each other", onclick: () => pick(card.case) }, "Compare");
}

function damaged(card, done) {
  return el("article", { class: "tl-card tl-case tl-case-lost", "data-case": card.case }, el("h3", {}, card.title),
    el("p", { class: "tl-bad-text" }, card.gone ? "Its folder is not there any more." : card.problem),
    el("p", { class: "tl-sub" }, card.gone ? "If you moved it, open it at its new place below." : "Mend the folder, or take it off this list."),
    el("div", { class: "tl-case-foot" }, forgetButton(card, done)));
}

function caseCard(card, done) {
  if (card.problem) return damaged(card, done);
  const disk = el("dd", { "data-disk": card.case }, "…");
  const row = (name, ...value) => el("div", {}, el("dt", {}, name), el("dd", {}, ...value));
  return el("article", { class: "tl-card tl-case", "data-case": card.case, "data-open": String(card.case === state.case) },
    el("h3", {}, el("a", { ...link(card.case), class: "tl-case-title" }, card.title)),
    el("p", { class: "tl-sub" }, `${card.kind_name} · ${count(card.samples)} samples`), said(card),
    el("dl", { class: "tl-case-facts" }, row("last activity", clock(card.changed)),
      row("runs", count(card.runs), card.active ? `, ${card.active} under way` : "", card.damaged ? el("span", { class: "tl-bad-text" }, `, ${card.damaged} damaged`) : ""),
      row("decisions", count(card.decisions)), el("div", {}, el("dt", {}, "disk"), disk)),
    el("div", { class: "tl-case-foot" }, el("a", { ...link(card.case), class: "tl-primary tl-open", role: "button" }, card.case === state.case ? "Go on" : "Open"), pickButton(card), forgetButton(card, done)));
}

/** Build the cards into `element`. */
export function mount({ element }) {
  const host = element.querySelector(".tl-root");
  let [all, token, drawn] = [false, 0, ""];

  async function disks(cards, mine) {
    for (const card of cards) { // one after the other: each walks a folder
      if (mine !== token) return;
      if (card.problem) continue;
      const place = host.querySelector(`[data-disk="${CSS.escape(card.case)}"]`);
      try {
        const { total, runs, pictures } = await getJSON(`${casePath(card.case)}/disk`);
        if (!place) continue;
        show(place, bytes(total));
        place.title = `runs ${bytes(runs)}, pictures ${bytes(pictures)}, the rest ${bytes(total - runs - pictures)}`;
      } catch { if (place) show(place, "unknown"); }
    }
  }

  /** Cards that are right already stay: nobody's press may be lost to an answer that says nothing new. */
  function put(cases, shown) {
    const key = JSON.stringify([cases, state.case, all]);
    if (key === drawn) return;
    drawn = key;
    show(host, cases.length > 0 && [el("h2", {}, "Recent cases"), el("div", { class: "tl-cases" }, shown.map((card) => caseCard(card, draw))),
      cases.length > shown.length && el("button", { type: "button", class: "tl-ghost", onclick: () => { all = true; draw(); } }, `Show all ${cases.length} cases`)]);
  }

  async function draw() {
    const mine = token += 1;
    try {
      const { cases } = await getJSON("/api/home/cases");
      if (mine !== token) return;
      document.body.classList.toggle("tl-has-cases", cases.length > 0);
      const shown = all ? cases : cases.slice(0, FIRST);
      put(cases, shown);
      host.dataset.ready = String(cases.length);
      disks(shown, mine);
    } catch (error) {
      if (mine !== token) return;
      drawn = "";
      show(host, el("p", { class: "tl-alert", role: "alert" }, el("strong", {}, "The list of cases cannot be read. "), `${error.message} ${error.remedy ?? ""}`));
    }
  }
  onPick(() => { for (const button of host.querySelectorAll("[data-pick]")) button.setAttribute("aria-pressed", String(isPicked(button.dataset.pick))); });
  const look = () => { if (state.tab === "home") draw(); }; // what nobody looks at is not asked for
  watch(["case", "finished", "tab"], look);
  look();
}
