// Predict: histograms and samples first, then a guess that is kept until the truth is revealed.

import { getJSON, post } from "../core/api.js";
import { confirmButton } from "../core/confirm.js";
import { el, picture, segmented, show } from "../core/dom.js";
import { count, fixed } from "../core/format.js";
import { set, state } from "../core/store.js";
import { responsive, table, tableToggle } from "../chart/frame.js";
import { histogram } from "../chart/histogram.js";
import { choice, field, words } from "./controls.js";
import { doing, labPath } from "./data.js";

function bars(view, looked) {
  let chosen = view.first;
  const [figure, holder, pick] = [el("div", { class: "tl-figure", id: "tl-lab-bars" }), el("div", { hidden: true }), el("div")];
  const now = () => view.bars[chosen];
  const draw = responsive(figure, (width) => show(figure, histogram(width, { height: 200, edges: now().edges, kept: now().counts, flagged: now().counts.map(() => 0), cut: null, xLabel: now().unit, label: `${now().name}: how many samples have which value` }).root));
  const toggle = tableToggle(figure, holder, () => table(now().name, ["from", "to", "samples"], now().counts.map((n, k) => [fixed(now().edges[k]), fixed(now().edges[k + 1]), count(n)])));
  const pickers = () => show(pick, view.bars.length > 1 && segmented("Which layer", view.bars.map((one, k) => [k, one.name.replace("Layer ", "")]), chosen, (k) => { chosen = k; looked.add("histogram"); pickers(); draw(); toggle.update(); }));
  pickers();
  return el("section", { class: "tl-card", "aria-label": "Histogram" }, el("header", { class: "tl-card-head" }, el("div", {}, el("h3", {}, "How the model behaves on all samples"), el("p", { class: "tl-sub" }, view.what)), el("div", { class: "tl-tools" }, view.bars.length > 1 && el("span", { class: "tl-sub" }, "layer"), pick, toggle.button)), figure, holder);
}

const STRIDE = 0.05; // of an arrow key, as a share of the picture

/** The samples of the game: tick what looks poisoned, click a picture to mark the spot. */
function samples(view, guess, looked, changed) {
  const [grid, note] = [el("div", { class: "tl-lab-grid", id: "tl-lab-grid" }), el("p", { class: "tl-sub" })];
  let told = false;
  const dot = () => guess.where === "spot" && guess.x !== null && el("i", { class: "tl-lab-spot", style: `left:${100 * guess.x}%;top:${100 * guess.y}%` });
  const dots = () => { for (const button of grid.querySelectorAll(".tl-lab-picture")) { button.querySelector(".tl-lab-spot")?.remove(); const now = dot(); if (now) button.append(now); } };
  function put(x, y) {
    Object.assign(guess, { where: "spot", x: Math.max(0, Math.min(1, x)), y: Math.max(0, Math.min(1, y)) });
    changed();
    dots();
  }
  function mark(event) {
    const box = event.currentTarget.getBoundingClientRect();
    if (event.detail === 0) put(guess.x ?? 0.5, guess.y ?? 0.5); // by keyboard: arrows move it
    else put((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  }
  function move(event) {
    const [x, y] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
    if (!x && !y) return;
    event.preventDefault();
    put((guess.x ?? 0.5) + STRIDE * x, (guess.y ?? 0.5) + STRIDE * y);
  }
  function one(sample) {
    const box = el("input", { type: "checkbox", checked: guess.samples.has(sample.id), "data-id": sample.id, onchange: (event) => { guess.samples[event.target.checked ? "add" : "delete"](sample.id); tell(); } });
    return el("figure", { class: "tl-lab-shown" },
      el("button", { type: "button", class: "tl-lab-picture", title: "Mark this spot as the trigger’s place; arrow keys move it", "aria-label": `Mark the trigger’s place on ${sample.id}; arrow keys move it`, onclick: mark, onkeydown: move }, picture(sample.picture), dot()),
      el("figcaption", {}, el("label", {}, box, " suspicious"), told && el("span", { class: "tl-lab-said" }, sample.question && el("span", { class: "tl-sub" }, sample.question), el("em", {}, sample.answer ?? "no answer"))));
  }
  const tell = () => show(note, `${guess.samples.size} of ${view.shown.length} ticked. They were chosen for the game: if anything is planted, there are more poisoned ones here than in the whole set.`);
  const draw = () => { show(grid, view.shown.map(one)); tell(); };
  draw();
  const answers = el("button", { type: "button", class: "tl-ghost", id: "tl-lab-answers", "aria-pressed": "false", onclick: () => { told = !told; looked.add("answers"); answers.setAttribute("aria-pressed", String(told)); draw(); } }, "Show the words");
  const attention = el("button", { type: "button", class: "tl-ghost", id: "tl-lab-attention", onclick: () => { looked.add("attention"); set({ tab: view.bars.length > 1 ? "attention" : "clusters" }); } }, view.bars.length > 1 ? "Look in Attention" : "Look in Clusters");
  return { node: el("section", { class: "tl-card", "aria-label": "Samples" }, el("header", { class: "tl-card-head" }, el("div", {}, el("h3", {}, "Some samples"), note), el("div", { class: "tl-tools" }, answers, attention)), grid), draw: dots };
}

function form(places, guess, looked, problem, done, spot) {
  const list = el("div", { class: "tl-lab-guess" });
  const target = words("Target: what does it say?", guess.target, (value) => { guess.target = value; }, { longest: 120, id: "tl-lab-guess-target" });
  const where = el("div");
  const draw = () => {
    show(where, choice("Where is the trigger?", Object.entries(places).filter(([name]) => name !== "nowhere"), guess.where === "nowhere" ? "everywhere" : guess.where, (value) => { guess.where = value; draw(); spot(); }, "tl-lab-where"),
      guess.where === "spot" && el("p", { class: "tl-sub" }, guess.x === null ? "Click its place on one of the pictures." : `Marked ${Math.round(100 * guess.x)} % from the left, ${Math.round(100 * guess.y)} % from the top.`));
    target.hidden = where.hidden = !guess.poisoned;
    show(verdict, segmented("Is anything planted?", [["yes", "A backdoor is planted"], ["no", "Nothing is"]], guess.poisoned ? "yes" : "no", (value) => { guess.poisoned = value === "yes"; if (guess.poisoned && guess.where === "nowhere") guess.where = "everywhere"; draw(); }));
  };
  const verdict = el("div", { id: "tl-lab-verdict" });
  const player = el("input", { type: "text", maxlength: 40, value: guess.player, id: "tl-lab-player", autocomplete: "off", oninput: (event) => { guess.player = event.target.value; } });
  draw();
  show(list, field("Your name", player), verdict, target, where, doing("Commit my prediction", async () => {
    const sent = { ...guess, samples: guess.poisoned ? [...guess.samples] : [], looked: [...looked], ...(guess.poisoned ? {} : { where: "nowhere", target: "", x: null, y: null }) };
    if (sent.where !== "spot") Object.assign(sent, { x: null, y: null });
    done(await post(labPath("/predictions"), { prediction: sent }));
  }, problem, { id: "tl-lab-commit" }));
  return { node: list, draw };
}

const drafts = new Map(); // case -> what is guessed there so far: the cards are drawn anew when another player commits

/** After a commit, and where nothing is left to guess. */
export const forgetDraft = (name) => drafts.delete(name);

function draftOf(name) {
  if (!drafts.has(name)) drafts.set(name, { looked: new Set(), guess: { player: "", poisoned: true, target: "", samples: new Set(), where: "everywhere", x: null, y: null } });
  return drafts.get(name);
}

/** Where nobody has committed a guess, it asks once more. */
function revealButton({ players }, name, done, problem) {
  const act = async () => done(await post(labPath("/reveal")));
  const text = "Reveal the truth";
  const id = "tl-lab-reveal";
  if (players.length) return doing(text, act, problem, { id, class: "tl-ghost" });
  const button = confirmButton(`reveal ${name}`, { words: text, name: text, question: "Reveal without a prediction?" }, act);
  return Object.assign(button, { id });
}

/** The cards of the game, drawn from the evidence of a scanned lesson. */
export async function gameCards({ places, lesson, done }) {
  const name = state.case;
  const view = await getJSON(labPath("/evidence"));
  const { guess, looked } = draftOf(name);
  const problem = el("div");
  const committed = (answer) => { forgetDraft(name); done(answer); };
  let fields = null;
  const grid = samples(view, guess, looked, () => fields.draw());
  fields = form(places, guess, looked, problem, committed, () => grid.draw());
  const players = el("p", { class: "tl-sub", id: "tl-lab-players" }, lesson.players.length ? `Committed: ${lesson.players.join(", ")}.` : "Nobody has committed a prediction yet.");
  return el("div", { class: "tl-lab-game" }, el("div", { class: "tl-lab-look" }, bars(view, looked), grid.node),
    el("section", { class: "tl-card tl-lab-predict", "aria-label": "Predict" }, el("h3", {}, "Predict before the reveal"), el("p", { class: "tl-sub" }, "Each of you commits a guess under a name. Nobody sees the truth before somebody presses Reveal; then no guess counts any more."), fields.node, problem, players, revealButton(lesson, name, done, problem)));
}
