// A sized SVG with axes: what every chart of the app starts from.

import { el, svg, show } from "../core/dom.js";
import { linear, ticks, tickText } from "./scale.js";

/** Keep drawing `draw(width)` into `host` whenever its width changes. Returns a redraw function. */
export function responsive(host, draw) {
  let width = 0;
  const redraw = () => { if (host.clientWidth > 0) draw(host.clientWidth); };
  new ResizeObserver(() => {
    if (Math.abs(host.clientWidth - width) < 1) return;
    width = host.clientWidth;
    redraw();
  }).observe(host);
  return redraw;
}

/** Axes of a chart. `x` and `y` are {low, high, label, format, wanted}. */
export function frame(width, height, { x, y, label, bottom = 34, left = 36, top = 18, right = 12 }) {
  const sx = linear(x.low, x.high, left, width - right);
  const sy = linear(y.low, y.high, height - bottom, top);
  const root = svg("svg", {
    class: "tl-chart", width, height, viewBox: `0 0 ${width} ${height}`, role: "img",
    "aria-label": label,
  });
  const xs = x.values ?? ticks(x.low, x.high, x.wanted ?? Math.max(3, width / 90));
  for (const value of xs) {
    root.append(svg("text", { x: sx(value), y: height - bottom + 15, class: "tl-tick", "text-anchor": "middle" },
      x.format ? x.format(value) : x.values ? String(value) : tickText(value, xs)));
  }
  if (y.show !== false) {
    const ys = ticks(y.low, y.high, y.wanted ?? 4);
    for (const value of ys) {
      root.append(svg("line", { x1: left, x2: width - right, y1: sy(value), y2: sy(value), class: "tl-grid" }));
      root.append(svg("text", { x: left - 6, y: sy(value) + 4, class: "tl-tick", "text-anchor": "end" },
        tickText(value, ys)));
    }
  }
  root.append(svg("line", { x1: left, x2: width - right, y1: height - bottom, y2: height - bottom, class: "tl-axis" }));
  if (y.label) root.append(svg("text", { x: 0, y: 10, class: "tl-tick" }, y.label));
  if (x.label) {
    root.append(svg("text", { x: (left + width - right) / 2, y: height - 3, class: "tl-label", "text-anchor": "middle" }, x.label));
  }
  return { root, sx, sy, left, right: width - right, top, bottom: height - bottom };
}

/** A bar in words that can be chosen: what a drag over a histogram is to a keyboard. */
export function barButton(name, choose) {
  return el("button", { type: "button", class: "tl-ghost", title: "Show the samples of this bar", onclick: choose }, name);
}

/** A plain table: the text alternative of a figure. `rows` are lists of strings, numbers or nodes. */
export function table(caption, header, rows) {
  return el("div", { class: "tl-table-wrap", tabindex: "0" }, el("table", { class: "tl-table" },
    el("caption", {}, caption),
    el("thead", {}, el("tr", {}, header.map((name) => el(name ? "th" : "td", name ? { scope: "col" } : {}, name)))),
    el("tbody", {}, rows.map((row) => el("tr", {}, row.map((cell) => el("td", {}, cell)))))));
}

/** Put new tables in place of old ones; each stays where it was scrolled to, under the keys that scroll it. */
function refill(holder, build) {
  const tables = () => [...holder.querySelectorAll(".tl-table-wrap")];
  const before = tables().map((one) => [one.scrollLeft, one.scrollTop, one === document.activeElement]);
  show(holder, build());
  tables().forEach((one, k) => {
    const [left, top, focused] = before[k] ?? [0, 0, false];
    if (focused) one.focus({ preventScroll: true });
    one.scrollTo({ left, top, behavior: "instant" });
  });
}

/** A button that swaps a figure for its table. `rows` is called when the table is wanted. */
export function tableToggle(figure, holder, build) {
  const button = el("button", { type: "button", class: "tl-ghost", "aria-pressed": "false",
    title: "Show the numbers of this figure as a table" }, "Table");
  const update = () => {
    const open = button.getAttribute("aria-pressed") === "true";
    figure.hidden = open;
    holder.hidden = !open;
    if (open) refill(holder, build);
  };
  button.addEventListener("click", () => {
    button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
    update();
  });
  return { button, update };
}
