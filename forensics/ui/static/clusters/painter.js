// Draw tens of thousands of points by writing pixels: in software as fast as with a graphics card.

import { tone } from "../core/palette.js";
import { stamp } from "./glyphs.js";

const FADED = 0.16; // of points that are not selected while others are

/** Radius of a point in screen pixels: smaller where there are many, larger when zoomed in. */
export function radiusOf(n, zoom) {
  const base = n > 20000 ? 1.9 : n > 6000 ? 2.6 : n > 1500 ? 3.6 : 4.4;
  return Math.min(7, base * Math.max(1, zoom) ** 0.4);
}

function background(image) {
  const probe = document.createElement("canvas").getContext("2d");
  probe.fillStyle = tone("card") || "#fff";
  probe.fillRect(0, 0, 1, 1);
  const [red, green, blue] = probe.getImageData(0, 0, 1, 1).data;
  new Uint32Array(image.data.buffer).fill((255 << 24) | (blue << 16) | (green << 8) | red);
}

function place(image, mark, x, y, alpha) {
  const { data, width, height } = image;
  const { dx, dy, cover, half, red, green, blue } = mark;
  if (x < -half || y < -half || x >= width + half || y >= height + half) return;
  for (let k = 0; k < cover.length; k += 1) {
    const px = x + dx[k];
    const py = y + dy[k];
    if (px < 0 || py < 0 || px >= width || py >= height) continue;
    const at = 4 * (py * width + px);
    const a = cover[k] * alpha;
    data[at] += (red - data[at]) * a;
    data[at + 1] += (green - data[at + 1]) * a;
    data[at + 2] += (blue - data[at + 2]) * a;
  }
}

/**
 * Paint all points onto a canvas.
 *
 * `at` {sx, sy} in screen pixels; `order` the points from bottom to top; `codes` and `looks` say
 * how each looks; `mask` which are selected (null: no selection); `visible(i)`.
 */
export function paintPoints(canvas, { at, order, codes, looks, mask, visible, radius, ratio }) {
  // Pixels are written by us, so they stay in main memory: a graphics card would only copy them.
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const image = context.createImageData(canvas.width, canvas.height);
  background(image);
  const marks = new Map([...looks].map(([code, look]) => [code, stamp(look, radius * ratio)]));
  const alpha = order.length > 20000 ? 0.8 : 0.9;
  const passes = mask ? [[0, alpha * FADED], [1, 1]] : [[null, alpha]];
  for (const [wanted, strength] of passes) {
    for (let k = 0; k < order.length; k += 1) {
      const i = order[k];
      if ((wanted !== null && mask[i] !== wanted) || !visible(i)) continue;
      const mark = marks.get(codes[i]);
      if (mark) place(image, mark, Math.round(at.sx[i] * ratio), Math.round(at.sy[i] * ratio), strength);
    }
  }
  context.putImageData(image, 0, 0);
}

/** Points in the order to paint: rare kinds on top of common ones. */
export function paintOrder(codes) {
  const counts = new Uint32Array(256);
  for (let i = 0; i < codes.length; i += 1) counts[codes[i]] += 1;
  const kinds = Array.from(counts.keys()).filter((code) => counts[code])
    .sort((a, b) => (b > 253) - (a > 253) || counts[b] - counts[a]);
  const start = new Map();
  let total = 0;
  for (const code of kinds) { start.set(code, total); total += counts[code]; }
  const order = new Uint32Array(codes.length);
  for (let i = 0; i < codes.length; i += 1) {
    const next = start.get(codes[i]);
    order[next] = i;
    start.set(codes[i], next + 1);
  }
  return order;
}
