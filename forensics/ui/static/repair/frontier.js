// Clean accuracy against attack success: every repair a letter, the unbeaten ones joined.

import { frame, responsive } from "../chart/frame.js";
import { el, show, svg } from "../core/dom.js";
import { percent } from "../core/format.js";
import { inWords } from "./data.js";

const HEIGHT = 280;
const both = (version) => version.attack_success_rate.value !== null && version.clean_accuracy.value !== null;
const at = (version) => ({ x: version.attack_success_rate.value, y: version.clean_accuracy.value });

/** Those that no other beats: less attack success and more clean accuracy. */
export function unbeaten(dots) {
  return dots.filter((one) => !dots.some((other) => other !== one && other.x <= one.x && other.y >= one.y && (other.x < one.x || other.y > one.y)))
    .sort((a, b) => a.x - b.x || b.y - a.y);
}

function cross(version, box, style) {
  const { x, y } = at(version);
  const [a, c] = [version.attack_success_rate, version.clean_accuracy];
  return svg("path", { class: `tl-rp-cross-lines ${style}`, d: `M${box.sx(a.low)} ${box.sy(y)}H${box.sx(a.high)}M${box.sx(x)} ${box.sy(Math.max(box.floor, c.low))}V${box.sy(c.high)}` });
}

function letter(dot, box, chosen, choose) {
  const here = dot.run === chosen;
  const words = `${dot.letter}: ${dot.label}. Attack success ${inWords(dot.version.attack_success_rate)}. Clean accuracy ${inWords(dot.version.clean_accuracy)}.`;
  return svg("g", { class: `tl-rp-letter${here ? " tl-rp-letter-shown" : ""}`, role: "button", tabindex: "0", "aria-label": words, "aria-pressed": String(here),
    onclick: () => choose(dot.run), onkeydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(dot.run); } } },
  svg("title", {}, words), svg("circle", { cx: box.sx(dot.x), cy: box.sy(dot.y), r: 9 }), svg("text", { x: box.sx(dot.x), y: box.sy(dot.y) + 4, "text-anchor": "middle" }, dot.letter));
}

/** Runs that differ in the weight of their regulariser alone, in its order; single ones make no curve. */
export function families(dots) {
  const found = new Map();
  for (const dot of dots) if (dot.weight) found.set(dot.weight.family, [...(found.get(dot.weight.family) ?? []), dot]);
  return [...found.values()].filter((list) => list.length > 1).map((list) => list.sort((a, b) => a.weight.value - b.weight.value));
}

/** The weights beside their letters, away from the nearer end of the axis; where two would meet, one below the other. */
function weightLabels(dots, box) {
  const placed = [];
  return [...dots].sort((a, b) => b.y - a.y || a.weight.value - b.weight.value).map((dot) => {
    const [x, right] = [box.sx(dot.x), dot.x < 0.8];
    let y = box.sy(dot.y) - 7;
    while (placed.some((other) => Math.abs(other.x - x) < 40 && Math.abs(other.y - y) < 12)) y += 12;
    placed.push({ x, y });
    return svg("text", { class: "tl-rp-weight", x: x + (right ? 13 : -13), y, "text-anchor": right ? "start" : "end" }, `${dot.letter}: λ ${dot.weight.value}`);
  });
}

/** The chart; `choose(run)` is called with the letter that is clicked. */
export function frontierChart({ choose }) {
  let [view, chosen] = [null, null];
  const figure = el("div", { class: "tl-figure" });
  const note = el("p", { class: "tl-note" }, "");
  const node = el("section", { class: "tl-rp-frontier", id: "tl-rp-frontier", "aria-label": "Clean accuracy against attack success" }, figure, note);

  const dots = () => view.rows.filter((row) => row.letter && both(row.after)).map((row) => ({ run: row.run, label: row.label, letter: row.letter, weight: row.weight, version: row.after, ...at(row.after) }));

  function draw(width) {
    const shown = dots();
    const before = view.delivered.filter((found) => both(found.version));
    const lows = [...shown.map((dot) => dot.version), ...before.map((found) => found.version)].map((version) => version.clean_accuracy.low);
    const floor = Math.max(0, Math.floor(10 * Math.min(...lows, 0.9)) / 10);
    const box = frame(width, HEIGHT, { x: { low: -0.02, high: 1.02, label: "attack success", wanted: 5 }, y: { low: floor, high: 1.005, label: "clean accuracy", wanted: 5 },
      label: `Clean accuracy against attack success. ${[...before.map((found) => ["as delivered", found.version]), ...shown.map((dot) => [`${dot.letter}, ${dot.label}`, dot.version])].map(([name, version]) => `${name}: ${percent(version.clean_accuracy.value)} against ${percent(version.attack_success_rate.value)}`).join("; ")}.` });
    box.floor = floor;
    const line = unbeaten(shown);
    if (line.length > 1) box.root.append(svg("path", { class: "tl-rp-front", d: line.map((dot, k) => (k ? `H${box.sx(dot.x)}V${box.sy(dot.y)}` : `M${box.sx(dot.x)} ${box.sy(dot.y)}`)).join("") }));
    const curves = families(shown);
    for (const curve of curves) box.root.append(svg("path", { class: "tl-rp-lambda", d: curve.map((dot, k) => `${k ? "L" : "M"}${box.sx(dot.x)} ${box.sy(dot.y)}`).join("") }));
    for (const { version } of before) box.root.append(cross(version, box, "tl-rp-before-lines"));
    for (const dot of shown) box.root.append(cross(dot.version, box, ""));
    for (const { version } of before) {
      const [x, y] = [box.sx(at(version).x), box.sy(at(version).y)];
      box.root.append(svg("path", { class: "tl-rp-before", d: `M${x - 7} ${y - 5}H${x + 7}L${x} ${y + 7}Z` }, svg("title", {}, `As delivered. Attack success ${inWords(version.attack_success_rate)}. Clean accuracy ${inWords(version.clean_accuracy)}.`)));
    }
    for (const dot of [...shown].sort((a, b) => (a.run === chosen) - (b.run === chosen))) box.root.append(letter(dot, box, chosen, choose));
    box.root.append(...weightLabels(shown.filter((dot) => dot.weight), box));
    show(note, "Letters as in the table; ▽ as delivered. Further up and further left is better. ", line.length > 1 && "The dashed line joins repairs that no other beats. ", curves.length > 0 && ["The full line joins runs that differ in the weight λ alone", curves.flat().some((dot) => dot.weight.plain) ? "; λ 0 is ordinary tuning." : "."]);
    box.root.setAttribute("role", "group");
    show(figure, box.root);
  }
  const redraw = responsive(figure, (width) => { if (view) draw(width); });
  return {
    node,
    update(next, run) {
      [view, chosen] = [next, run];
      node.hidden = !dots().length;
      redraw();
    },
  };
}
