// Clean accuracy class by class, before and after.

import { frame, responsive, table, tableToggle } from "../chart/frame.js";
import { card, el, show, svg } from "../core/dom.js";
import { percent } from "../core/format.js";

const ROW = 22;

/** Every class: an open mark before, a full one after. */
function classChart(width, view) {
  const names = Math.min(150, width * 0.3);
  const height = 22 + ROW * view.classes.length + 34;
  const least = Math.min(...view.classes.flatMap((one) => [one.before.clean_accuracy, one.after.clean_accuracy]).filter(Number.isFinite), 0.95);
  const low = Math.max(0, Math.floor(10 * least) / 10);
  const box = frame(width, height, { x: { low, high: 1, label: "clean accuracy", wanted: 4 }, y: { low: 0, high: 1, show: false }, left: names + 10, top: 6, right: 58,
    label: `Clean accuracy of every class, before and after. ${view.classes.map((one) => `${one.name} ${percent(one.before.clean_accuracy)} to ${percent(one.after.clean_accuracy)}`).join("; ")}.` });
  view.classes.forEach((one, k) => box.root.append(classRow(one, 12 + ROW * (k + 0.5), box, names, width)));
  return box.root;
}

function classRow(one, y, box, names, width) {
  const [before, after] = [one.before.clean_accuracy, one.after.clean_accuracy];
  const group = svg("g", {}, svg("title", {}, `${one.name}, ${one.n} pictures: ${percent(before, 1)} before, ${percent(after, 1)} after`),
    svg("text", { x: names, y: y + 4, "text-anchor": "end", class: one.target ? "tl-rp-target" : "" }, `${one.target ? "▲ " : ""}${one.name.length > 20 ? `${one.name.slice(0, 19)}…` : one.name}`));
  if (!Number.isFinite(before) || !Number.isFinite(after)) { group.append(svg("text", { x: box.left + 4, y: y + 4 }, "no pictures")); return group; }
  const style = after < before ? "tl-rp-fell" : "tl-rp-rose";
  group.append(svg("line", { x1: box.left, x2: box.right, y1: y, y2: y, class: "tl-grid" }), svg("line", { x1: box.sx(before), x2: box.sx(after), y1: y, y2: y, class: `tl-rp-move ${style}` }),
    svg("circle", { cx: box.sx(before), cy: y, r: 4.5, class: "tl-rp-was" }), svg("circle", { cx: box.sx(after), cy: y, r: 4.5, class: `tl-rp-is ${style}` }),
    svg("text", { x: width, y: y + 4, "text-anchor": "end" }, `${after - before > 0 ? "+" : after < before ? "−" : ""}${Math.abs(100 * (after - before)).toFixed(1)}`));
  return group;
}

/** Clean accuracy class by class; null where the repair kept none. */
export function classesCard(view) {
  if (!view.classes.length) return null;
  const figure = el("div", { class: "tl-figure tl-rp-classes" });
  const holder = el("div", { hidden: true });
  const toggle = tableToggle(figure, holder, () => table("Every class", ["class", "pictures", "accuracy before", "after", "attack success before", "after"],
    view.classes.map((one) => [`${one.name}${one.target ? " (target)" : ""}`, one.n, percent(one.before.clean_accuracy, 1), percent(one.after.clean_accuracy, 1), percent(one.before.attack_success_rate, 1), percent(one.after.attack_success_rate, 1)])));
  responsive(figure, (width) => show(figure, classChart(width, view)))();
  const node = card("Class by class", { subtitle: `Clean accuracy: ○ before, ● after, points at the right.${view.classes.some((one) => one.target) ? " ▲ the class that the trigger leads to." : ""}`, tools: [toggle.button] }, figure, holder);
  node.id = "tl-rp-classes";
  return node;
}
