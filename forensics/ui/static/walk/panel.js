// The side panel of a guided walk-through: one step, one question, and what to look at.

import { recall } from "../core/api.js";
import { el, show } from "../core/dom.js";
import { set, state, watch } from "../core/store.js";
import { watcher } from "./conditions.js";
import { bringIn, lightOff, lightUp } from "./light.js";
import { current, leave, note, onProgress, progressOf, restart } from "./progress.js";

const PACE = 700;

function question(step, answer, choose) {
  const said = answer === undefined ? null : Number(answer);
  return el("fieldset", { class: "tl-walk-question" }, el("legend", {}, step.question),
    step.answers.map((text, k) => el("button", { type: "button", class: "tl-walk-answer", "aria-pressed": String(said === k), "data-right": said === null ? null : String(k === step.right), disabled: said !== null, onclick: () => choose(k) },
      said !== null && el("span", { "aria-hidden": "true" }, k === step.right ? "✓ " : said === k ? "✕ " : ""), text)),
    said !== null && el("p", { class: "tl-walk-because", role: "status" }, el("b", {}, said === step.right ? "Yes. " : "Not quite. "), step.because));
}

/** Build the panel into `element`; it shows itself while a walk is open. */
export function mount({ element }) {
  const host = element.querySelector(".tl-root");
  const node = el("aside", { class: "tl-walk", id: "tl-walk", "aria-label": "Guided walk-through", hidden: true });
  show(host, node);
  let [walk, seen, eye, folded, mine] = [null, "", null, false, 0];

  function go(step) { note(walk.name, { step: Math.max(0, Math.min(walk.steps.length - 1, step)) }); }

  function guide(step) {
    set({ tab: step.tab });
    setTimeout(() => bringIn(step), 350);
  }

  function ending() {
    return [el("p", {}, el("b", {}, "That was it. "), "You can do all of this on a case of your own, or plant one on this tab."),
      el("div", { class: "tl-start" }, el("button", { type: "button", class: "tl-primary", id: "tl-walk-end", onclick: leave }, "Close"), el("button", { type: "button", class: "tl-ghost", onclick: () => restart(walk.name) }, "Begin again"))];
  }

  function buttons(place, done) {
    const last = place === walk.steps.length - 1;
    return el("div", { class: "tl-start tl-walk-buttons" },
      el("button", { type: "button", class: "tl-ghost", disabled: place === 0, onclick: () => go(place - 1) }, "Back"),
      el("button", { type: "button", class: "tl-ghost", id: "tl-walk-show", onclick: () => guide(walk.steps[place]) }, "Show me where"),
      !last && el("button", { type: "button", class: done ? "tl-primary" : "tl-ghost", id: "tl-walk-next", onclick: () => go(place + 1) }, done ? "Next" : "Skip"));
  }

  function draw() {
    const progress = progressOf(walk.name);
    const place = Math.min(progress.step, walk.steps.length - 1);
    const step = walk.steps[place];
    const [answer, done] = [progress.answers[place], progress.done.includes(place)];
    const key = JSON.stringify([walk.name, place, answer, done, folded, progress.done.length]);
    if (key === seen) return;
    if (!eye || eye.of !== `${walk.name} ${place}`) eye = { of: `${walk.name} ${place}`, ...watcher(walk, step) };
    seen = key;
    const all = progress.done.length === walk.steps.length;
    node.dataset.step = String(place);
    node.dataset.done = String(done);
    show(node,
      el("header", {}, el("strong", {}, walk.title), el("span", { class: "tl-sub" }, ` step ${place + 1} of ${walk.steps.length}`),
        el("span", { class: "tl-tools" }, el("button", { type: "button", class: "tl-ghost", id: "tl-walk-fold", "aria-expanded": String(!folded), onclick: () => { folded = !folded; draw(); } }, folded ? "Open" : "Fold"), el("button", { type: "button", class: "tl-ghost", id: "tl-walk-leave", onclick: leave }, "Leave"))),
      el("div", { class: "tl-walk-dots", "aria-hidden": "true" }, walk.steps.map((_, k) => el("i", { "data-now": String(k === place), "data-done": String(progress.done.includes(k)) }))),
      !folded && [el("h3", {}, step.title, done && el("span", { class: "tl-calm-text" }, " ✓ done")), el("p", {}, step.do),
        question(step, answer, (k) => { note(walk.name, { answers: { ...progressOf(walk.name).answers, [place]: k } }); look(); }),
        answer !== undefined && !done && el("p", { class: "tl-sub" }, "Now do it; this step notices by itself."),
        all ? ending() : buttons(place, done)]);
  }

  /** Whether the step was done, and where its control is. */
  function look() {
    if (!walk) return;
    const progress = progressOf(walk.name);
    const place = Math.min(progress.step, walk.steps.length - 1);
    if (eye?.met() && progress.answers[place] !== undefined && !progress.done.includes(place)) { note(walk.name, { done: [...progress.done, place] }); return; }
    if (!folded) lightUp(walk.steps[place], state.tab); else lightOff();
  }

  async function open() {
    const name = current();
    const token = mine += 1;
    if (!name) { walk = null; seen = ""; node.hidden = true; document.body.classList.remove("tl-walking"); lightOff(); return; }
    try {
      const { walkthroughs } = await recall("/api/walkthroughs");
      if (token !== mine) return;
      walk = walkthroughs.find((one) => one.name === name) ?? null;
    } catch { walk = null; } // the top bar says that the server is away
    if (!walk) { node.hidden = true; return; }
    node.hidden = false;
    document.body.classList.add("tl-walking");
    draw();
    look();
  }

  onProgress(open);
  watch(["case", "tab", "methods", "layer", "sample", "rule", "revealed", "finished"], look);
  setInterval(look, PACE);
  open();
}
