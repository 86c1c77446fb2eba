// The map: a canvas of points, an overlay for gestures, and what pointer and keys do on it.

import { el } from "../core/dom.js";
import { count } from "../core/format.js";
import { onTheme } from "../core/palette.js";
import { fit, nearest, project } from "./geometry.js";
import { listenKeys } from "./keyboard.js";
import { listenPointer } from "./pointer.js";
import { drawOverlay } from "./overlay.js";
import { paintOrder, paintPoints, radiusOf } from "./painter.js";

const HELP = "Arrow keys move a cursor from point to point, space selects it, shift and space adds it, Escape clears, "
  + "plus and minus zoom, 0 shows everything.";

/**
 * Build the map. `told` takes what happens: `select(mask, adding)`, `hover(i, x, y)`, `cursor(i)`,
 * `say(text)`, `clear()`.
 */
export function sampleMap(told) {
  const base = el("canvas", { class: "tl-umap-points" });
  const over = el("canvas", { class: "tl-umap-over" });
  const stage = el("div", { class: "tl-umap", id: "tl-umap", tabindex: "0", role: "application",
    "aria-roledescription": "map of samples", "aria-describedby": "tl-umap-keys" }, base, over);
  const node = el("div", {}, stage, el("p", { class: "tl-unseen", id: "tl-umap-keys" }, HELP));
  const map = {
    stage, told, points: null, at: null, view: null, home: null, mode: "lasso", mask: null,
    hover: -1, cursor: -1, gesture: null, hidden: new Set(), codes: null, looks: new Map(), order: null, groups: [],
  };
  let [width, height] = [0, 0];
  let waiting = 0; // what the next frame has to draw: 1 the overlay, 2 the points too

  map.visible = (i) => !map.hidden.has(map.codes[i]);
  map.zoom = () => (map.view && map.home ? map.view.scale / map.home.scale : 1);
  map.radius = () => radiusOf(map.points?.n ?? 0, map.zoom());

  function paint() {
    const what = waiting;
    waiting = 0;
    if (!map.points || !map.codes || !width) return;
    const ratio = window.devicePixelRatio || 1;
    if (what > 1) {
      const began = performance.now();
      map.at = project(map.points, map.view, width, height, map.at);
      paintPoints(base, { at: map.at, order: map.order, codes: map.codes, looks: map.looks, mask: map.mask,
        visible: map.visible, radius: map.radius(), ratio });
      stage.dataset.ready = String(Number(stage.dataset.ready ?? 0) + 1);
      stage.dataset.paint = (performance.now() - began).toFixed(1);
      stage.dataset.at = performance.now().toFixed(1);
    }
    const names = map.groups.map(({ text, point }) => ({ text, x: map.at.sx[point], y: map.at.sy[point] - map.radius() - 9 }));
    drawOverlay(over, ratio, { ...map, names, focused: document.activeElement === stage, radius: map.radius() });
  }

  map.draw = (what = 2) => {
    if (!waiting) requestAnimationFrame(paint);
    waiting = Math.max(waiting, what);
  };

  function size() {
    if (!stage.clientWidth) return;
    const [w, h] = [stage.clientWidth, stage.clientHeight];
    if (w === width && h === height) return;
    [width, height] = [w, h];
    const ratio = window.devicePixelRatio || 1;
    for (const canvas of [base, over]) { canvas.width = Math.round(w * ratio); canvas.height = Math.round(h * ratio); }
    if (map.points) { map.home = fit(map.points, w, h); map.view = { ...map.home }; map.draw(); }
  }

  /** Zoom by a factor around a place on the screen, the middle by default. */
  map.scale = (factor, x = width / 2, y = height / 2) => {
    if (!map.view) return;
    const next = Math.min(400, Math.max(0.5, map.zoom() * factor)) * map.home.scale;
    const [dx, dy] = [x - width / 2, height / 2 - y];
    map.view.cx += dx / map.view.scale - dx / next;
    map.view.cy += dy / map.view.scale - dy / next;
    map.view.scale = next;
    map.draw();
  };
  map.pan = (dx, dy) => {
    map.view.cx -= dx / map.view.scale;
    map.view.cy += dy / map.view.scale;
    map.draw();
  };
  map.reset = () => { if (map.home) { map.view = { ...map.home }; map.draw(); } };

  /** Put the cursor on a point, and the point on the screen. */
  map.go = (i, quiet = false) => {
    map.cursor = i;
    if (i >= 0 && map.at) {
      const [x, y] = [map.at.sx[i], map.at.sy[i]];
      if (x < 8 || y < 8 || x > width - 8 || y > height - 8) { map.view.cx = map.points.x[i]; map.view.cy = map.points.y[i]; map.draw(); }
    }
    map.draw(1);
    if (!quiet) told.cursor(i);
  };
  map.middle = () => nearest(map.at, width / 2, height / 2, Infinity, map.visible);

  new ResizeObserver(size).observe(stage);
  onTheme(() => map.draw());
  listenPointer(map);
  listenKeys(map);
  stage.addEventListener("focus", () => map.draw(1));
  stage.addEventListener("blur", () => map.draw(1));

  return {
    node, map,
    /** Show other points. */
    update(points, label) {
      Object.assign(map, { points, at: null, mask: null, hover: -1, cursor: -1, gesture: null, codes: null, groups: [] });
      map.home = fit(points, width || 600, height || 400);
      map.view = { ...map.home };
      stage.setAttribute("aria-label", `Map of ${count(points.n)} samples. ${label} The table of groups and the gallery hold the same.`);
    },
    /** Colour the points anew; `groups` are names to write at a point. */
    colour({ codes, looks, groups }) {
      Object.assign(map, { codes, looks, groups, order: paintOrder(codes) });
      map.draw();
    },
    hide(hidden) { map.hidden = hidden; map.draw(); },
    select(mask) { map.mask = mask; map.draw(); },
    mode(mode) { map.mode = mode; stage.dataset.mode = mode; },
    redraw: () => map.draw(),
  };
}
