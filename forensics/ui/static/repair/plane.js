// Image vectors on a plane, before and after: where triggered pictures end up.

import { getJSON } from "../core/api.js";
import { responsive, table, tableToggle } from "../chart/frame.js";
import { linear } from "../chart/scale.js";
import { card, el, empty, show, svg } from "../core/dom.js";
import { percent } from "../core/format.js";
import { repairPath } from "./data.js";

const MARGIN = 12;

function mark(kind, x, y) {
  if (kind === "triggered") return svg("path", { class: "tl-rp-p-trigger", d: `M${x} ${y - 4.5}L${x + 4} ${y + 3}H${x - 4}Z` });
  return svg("circle", { class: kind === "target" ? "tl-rp-p-target" : "tl-rp-p-plain", cx: x, cy: y, r: 3 });
}

function panel(width, places, facts, words) {
  const height = Math.min(width, 300);
  const every = [...places.plain, ...(places.triggered ?? [])];
  const [xs, ys] = [every.map((one) => one[0]), every.map((one) => one[1])];
  const [w, h] = [Math.max(...xs) - Math.min(...xs) || 1, Math.max(...ys) - Math.min(...ys) || 1];
  const scale = Math.min((width - 2 * MARGIN) / w, (height - 2 * MARGIN) / h); // distances mean the same in both directions
  const middle = [(Math.max(...xs) + Math.min(...xs)) / 2, (Math.max(...ys) + Math.min(...ys)) / 2];
  const sx = linear(middle[0] - width / 2 / scale, middle[0] + width / 2 / scale, 0, width);
  const sy = linear(middle[1] - height / 2 / scale, middle[1] + height / 2 / scale, height, 0);
  const root = svg("svg", { class: "tl-chart tl-rp-plane-svg", width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": words });
  const draw = (kind, list, keep) => list.forEach(([x, y], k) => {
    if (!keep(k)) return;
    const node = mark(kind, sx(x), sy(y));
    node.append(svg("title", {}, `${facts.classes[facts.labels[k]] ?? "?"}${kind === "triggered" ? " with the trigger" : ""}`));
    root.append(node);
  });
  draw("plain", places.plain, (k) => facts.labels[k] !== facts.target);
  draw("target", places.plain, (k) => facts.labels[k] === facts.target);
  if (places.triggered) draw("triggered", places.triggered, (k) => facts.labels[k] !== facts.target);
  return root;
}

/** How far triggered pictures lie from the middle of the target, against untouched ones of other classes. */
function nearness(places, facts) {
  const own = places.plain.filter((_, k) => facts.labels[k] === facts.target);
  if (!own.length || !places.triggered) return null;
  const middle = [0, 1].map((axis) => own.reduce((sum, one) => sum + one[axis], 0) / own.length);
  const away = (list) => { const kept = list.filter((_, k) => facts.labels[k] !== facts.target).map((one) => Math.hypot(one[0] - middle[0], one[1] - middle[1])); return kept.reduce((sum, one) => sum + one, 0) / (kept.length || 1); };
  return { plain: away(places.plain), triggered: away(places.triggered) };
}

/** The card; null where the repair kept none. */
export function planeCard(view) {
  const facts = view.comparison?.plane;
  if (!facts?.n) return null;
  const body = el("div", { class: "tl-rp-planes" });
  const holder = el("div", { hidden: true });
  let found = null;
  const toggle = tableToggle(body, holder, () => table("Mean distance from the middle of the target class, on the plane", ["", "untouched pictures of other classes", "the same with the trigger"],
    ["before", "after"].map((key) => { const near = found?.[key] && nearness(found[key], facts); return [key, near ? near.plain.toFixed(2) : "–", near ? near.triggered.toFixed(2) : "–"]; })));
  const turned = "Each plane has directions of its own: the second was turned and mirrored so that its untouched pictures lie as in the first. Compare places and distances within a plane, not the axes.";
  const node = card("Where pictures lie for the model", { tools: [toggle.button], subtitle: `${facts.n} test pictures on the two main directions of their vectors: ● untouched, ${facts.target === null ? "" : "◉ untouched of the target class, "}${view.comparison.triggered ? "▲ the others with the trigger" : "no trigger is known"}.` }, body, el("p", { class: "tl-note", id: "tl-rp-turned" }, turned), holder);
  node.id = "tl-rp-plane";
  getJSON(repairPath(view.run, "/plane")).then((reply) => {
    found = reply;
    if (!reply.before) { show(body, empty("Not kept.", "")); return; }
    for (const [key, title] of [["before", "As delivered"], ["after", "Repaired"]]) {
      const figure = el("div", { class: "tl-figure" });
      const near = nearness(reply[key], facts);
      const words = `${title}: ${near ? `pictures with the trigger lie ${near.triggered.toFixed(2)} from the middle of the target class on average, untouched ones ${near.plain.toFixed(2)}` : "untouched pictures"}.`;
      body.append(el("figure", {}, el("h4", {}, title), figure, el("figcaption", { class: "tl-note" }, `The plane shows ${percent(facts.shown[key])} of the spread. ${near ? `Mean distance from the target’s middle: ▲ ${near.triggered.toFixed(2)}, ● ${near.plain.toFixed(2)}.` : ""}`)));
      responsive(figure, (width) => show(figure, panel(width, reply[key], facts, words)))();
    }
    node.dataset.ready = view.run;
  }).catch((error) => show(body, empty(error.message, error.remedy ?? "")));
  return node;
}
