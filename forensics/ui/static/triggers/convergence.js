// How the loss of a class went down, against the other classes.

import { frame, responsive, table, tableToggle } from "../chart/frame.js";
import { card, el, empty, show, svg } from "../core/dom.js";
import { signed } from "../core/format.js";

const HEIGHT = 214;

function path(curve, steps, box) {
  let open = false;
  return curve.map((value, i) => {
    if (!Number.isFinite(value)) { open = false; return ""; }
    const point = `${open ? "L" : "M"}${box.sx(steps[i]).toFixed(1)} ${box.sy(value).toFixed(1)}`;
    open = true;
    return point;
  }).join("");
}

function band({ steps, low, high }, box) {
  const kept = steps.map((_, i) => i).filter((i) => Number.isFinite(low[i]) && Number.isFinite(high[i]));
  if (kept.length < 2) return null;
  const along = (values, list) => list.map((i) => `${box.sx(steps[i]).toFixed(1)} ${box.sy(values[i]).toFixed(1)}`).join("L");
  return svg("path", { class: "tl-conv-band", d: `M${along(high, kept)}L${along(low, [...kept].reverse())}Z` });
}

const last = (values) => values.filter(Number.isFinite).at(-1) ?? null;

function draw(width, view, name) {
  const { curve } = view;
  const known = [...curve.seeds.flat(), ...curve.low, ...curve.high].filter(Number.isFinite);
  const [least, most] = [Math.min(0, ...known), Math.max(0, ...known)];
  const room = 0.06 * (most - least || 1);
  const box = frame(width, HEIGHT, { x: { low: curve.steps[0], high: curve.steps.at(-1), label: "step of the search" }, y: { low: least - room, high: most + room, label: "loss (margin)" },
    label: `Loss by step. ${name} ends at ${curve.seeds.map((seed) => signed(last(seed), 1)).join(", ")}; the middle of the other classes at ${signed(last(curve.middle), 1)}.` });
  const shade = band(curve, box);
  if (shade) box.root.append(shade);
  box.root.append(svg("line", { x1: box.left, x2: box.right, y1: box.sy(0), y2: box.sy(0), class: "tl-gate" }), svg("path", { class: "tl-conv-others", d: path(curve.middle, curve.steps, box) }),
    ...curve.seeds.map((seed, k) => svg("path", { class: "tl-conv-own", d: path(seed, curve.steps, box), "stroke-dasharray": ["", "6 3", "2 3"][k % 3] })));
  return box.root;
}

/** The card; `update(detail)` draws one class. */
export function convergenceCard() {
  let view = null;
  const figure = el("div", { class: "tl-figure" });
  const holder = el("div", { hidden: true });
  const note = el("p", { class: "tl-sub" });
  const redraw = responsive(figure, (width) => { if (view?.curve) show(figure, draw(width, view, view.name)); });
  const toggle = tableToggle(figure, holder, () => (view?.curve ? table("Loss by step", ["step", ...view.curve.seeds.map((_, k) => `seed ${k + 1}`), "others: 10 %", "middle", "90 %"],
    view.curve.steps.map((step, i) => [step, ...view.curve.seeds.map((seed) => signed(seed[i], 2)), signed(view.curve.low[i]), signed(view.curve.middle[i]), signed(view.curve.high[i])])) : el("p", { class: "tl-sub" }, "No record.")));
  const node = card("Convergence", { tools: [toggle.button] }, note, figure, holder);
  node.id = "tl-convergence";
  return {
    node,
    update(next) {
      view = next;
      if (!view.curve) { show(note); show(figure, empty("This run kept no record of its steps.", "")); return; }
      const ends = last(view.curve.seeds[0] ?? []);
      show(note, el("span", { class: "tl-conv-key tl-conv-key-own" }), view.name, view.curve.seeds.length > 1 ? ` (${view.curve.seeds.length} seeds)` : "", el("span", { class: "tl-conv-key tl-conv-key-others" }), "other classes: middle, and where 80 % of them lie. ",
        ends !== null && ends < 0 ? "Below 0 the class wins." : "It stays above 0: the class does not win on average.");
      redraw();
      toggle.update();
    },
  };
}
