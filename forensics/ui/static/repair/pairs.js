// View pairs: a picture, the same picture with parts hidden, and what both models say to both.

import { card, el, segmented, show } from "../core/dom.js";
import { percent } from "../core/format.js";
import { examplePicture, filled, nats } from "./data.js";
import { filmstrip } from "./film.js";
import { spoken } from "./said.js";

const STATES = [["before", "As delivered"], ["after", "Repaired"]];
const SIDE = 192;

const fillOf = (view) => `parts ${filled(view.comparison.fill)}`;

/** Hide cells as the second view does: the mean colour is a grey to the model; what is filled otherwise is only marked. */
function hide(context, cells, box, opaque) {
  const [l, t, r, b] = box.map((share) => share * SIDE);
  const [x, y, u, v] = cells.visible;
  const [w, h] = [((u - x) * (r - l)) / cells.columns, ((v - y) * (b - t)) / cells.rows];
  context.save();
  context.beginPath();
  context.rect(l, t, r - l, b - t);
  context.clip();
  for (const cell of cells.hidden) {
    const [row, column] = [Math.floor(cell / cells.columns), cell % cells.columns];
    const [left, top] = [l + x * (r - l) + column * w, t + y * (b - t) + row * h];
    context.fillStyle = opaque ? "#7f7f7f" : "rgba(127,127,127,.45)";
    context.fillRect(left, top, w + 0.5, h + 0.5);
    context.strokeStyle = "rgba(255,255,255,.45)";
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(left, top + h);
    context.lineTo(left + w, top);
    context.stroke();
  }
  context.restore();
}

function stage(view, place, how, one, masked) {
  const canvas = el("canvas", { width: SIDE, height: SIDE, role: "img", "aria-label": `${one.id}${how === "triggered" ? " with the trigger" : ""}${masked ? `, ${one.states.after[how].cells.hidden.length} cells changed` : ""}` });
  const image = new Image();
  image.src = examplePicture(view.run, place, how);
  image.decode().then(() => {
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.drawImage(image, 0, 0, SIDE, SIDE);
    if (masked) hide(context, one.states.after[how].cells, one.box, filled(view.comparison.fill) === filled("mean"));
  }, () => canvas.replaceWith(el("span", { class: "tl-no-picture" }, "not kept")));
  return el("figure", {}, canvas, el("figcaption", { class: "tl-sub" }, masked ? `with ${fillOf(view)}` : "picture"));
}

const row = (view, one, how, [key, title]) => {
  const said = one.states[key][how];
  return el("tr", { "data-state": key }, el("th", { scope: "row" }, title), el("td", { "data-head": "picture" }, spoken(said.answer, view, one.label)), el("td", { "data-head": fillOf(view) }, spoken(said.masked, view, one.label)),
    el("td", { "data-head": "D", class: "tl-rp-nats" }, nats(said.divergence)), el("td", { "data-head": "H", class: "tl-rp-nats" }, nats(said.entropy)));
};

const heads = (view) => [["shown", ""], ["To the picture", ""], [`With ${fillOf(view)}`, ""], ["D", "How far the two outputs lie apart: divergence in nats a token, teacher-forced on the answer"], ["H", "How unsure both outputs are: entropy in nats a token"]];

/** The card; null where the repair compared no two views. `link` is the example that all cards show. */
export function pairsCard(view, link) {
  const told = view.comparison;
  if (told?.kind !== "answers" || !told.examples.length) return null;
  let how = told.triggered ? "triggered" : "plain";
  const body = el("div", { class: "tl-rp-pairing" });
  const said = el("p", { class: "tl-note", "aria-live": "polite" });
  const tools = el("div", { class: "tl-tools" });
  const node = card("The same pictures, before and after", { tools: [tools], subtitle: `What both models answer to a test picture, and to a second view of it with random ${fillOf(view)}. ▲ the target, ✓ right, ◆ something else.` },
    filmstrip(view, link), said, body,
    el("p", { class: "tl-note" }, "A planted answer hardly depends on the picture, unless its mark is gone: D is small. But so it is for honest answers that need no picture, so a small D alone proves nothing."));
  node.id = "tl-rp-views";

  function draw() {
    const one = told.examples[link.place];
    const { cells } = one.states.after[how];
    if (told.triggered) show(tools, segmented("Which picture", [["triggered", "with the trigger"], ["plain", "without"]], how, (next) => { how = next; draw(); }));
    show(said, el("b", {}, one.id), one.question && [" · asked ", el("q", {}, one.question)], " · true answer ", el("q", {}, one.label ?? ""), ` · ${percent(cells.hidden.length / (cells.rows * cells.columns || 1))} of the cells changed`);
    show(body, el("div", { class: "tl-rp-two" }, stage(view, link.place, how, one, false), stage(view, link.place, how, one, true)),
      el("div", { class: "tl-rp-said-wrap" }, el("table", { class: "tl-rp-said-table" }, el("thead", {}, el("tr", {}, heads(view).map(([name, title]) => el("th", { scope: "col", title }, name)))), el("tbody", {}, STATES.map((state) => row(view, one, how, state))))));
    node.dataset.ready = view.run;
    node.dataset.how = how;
  }
  link.watch(draw);
  draw();
  return node;
}
