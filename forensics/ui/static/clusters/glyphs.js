// Points as colour and shape: colours that colour-blind people tell apart, a shape of its own for each kind.

import { tone, viridis } from "../core/palette.js";

export const OTHER = 254;
export const NOTHING = 255;
const LEVELS = 48; // steps of a score's colour scale
const KINDS = 12;
const WONG = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
const NAMES = ["circle", "triangle", "square", "diamond", "cross", "star"];

/** Outlines around (0, 0) for a radius of 1. */
const PATHS = {
  circle: (c) => c.arc(0, 0, 0.95, 0, 7),
  triangle: (c) => polygon(c, [[0, -1.15], [1.05, 0.75], [-1.05, 0.75]]),
  square: (c) => c.rect(-0.85, -0.85, 1.7, 1.7),
  diamond: (c) => polygon(c, [[0, -1.2], [1.2, 0], [0, 1.2], [-1.2, 0]]),
  cross: (c) => polygon(c, [[-0.38, -1.1], [0.38, -1.1], [0.38, -0.38], [1.1, -0.38], [1.1, 0.38], [0.38, 0.38],
    [0.38, 1.1], [-0.38, 1.1], [-0.38, 0.38], [-1.1, 0.38], [-1.1, -0.38], [-0.38, -0.38]]),
  star: (c) => polygon(c, Array.from({ length: 10 }, (_, k) => {
    const r = k % 2 ? 0.55 : 1.3;
    return [r * Math.sin((k * Math.PI) / 5), -r * Math.cos((k * Math.PI) / 5)];
  })),
};

function polygon(context, corners) {
  corners.forEach(([x, y], k) => (k ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.closePath();
}

/** The look of kind `k`: six colours and six shapes, paired anew after the first six. */
const kind = (k) => ({ colour: WONG[k % 6], shape: NAMES[(k + Math.floor(k / 6) * 2) % 6], size: 1 });

/** Looks by code: kinds of a column or a group. */
export function kindLooks() {
  const looks = new Map(Array.from({ length: KINDS }, (_, k) => [k, kind(k)]));
  looks.set(OTHER, { colour: tone("soft"), shape: "circle", size: 0.8 });
  looks.set(NOTHING, { colour: tone("faint"), shape: "circle", size: 0.65 });
  return looks;
}

/** Looks of yes and no: flags and ground truth read the same wherever they stand. */
export function flagLooks() {
  return new Map([[0, { colour: tone("kept"), shape: "circle", size: 0.85 }],
    [1, { colour: tone("flag"), shape: "triangle", size: 1.2 }],
    [NOTHING, { colour: tone("faint"), shape: "circle", size: 0.65 }]]);
}

/** Looks of a score's levels. */
export function scoreLooks() {
  const looks = new Map(Array.from({ length: LEVELS }, (_, k) => [k, { colour: viridis(k / (LEVELS - 1)), shape: "circle", size: 0.9 }]));
  looks.set(NOTHING, { colour: tone("faint"), shape: "cross", size: 0.65 });
  return looks;
}

/** The level of each value between low and high. */
export function scoreCodes(values, { low, high }) {
  const codes = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i += 1) {
    const share = (values[i] - low) / (high - low || 1);
    codes[i] = Number.isFinite(share) ? Math.round(Math.min(1, Math.max(0, share)) * (LEVELS - 1)) : NOTHING;
  }
  return codes;
}

/** A small picture of a look, for legends. */
export function swatch({ colour, shape }, size = 13) {
  const canvas = document.createElement("canvas");
  const ratio = window.devicePixelRatio || 1;
  canvas.width = canvas.height = Math.round(size * ratio);
  canvas.style.width = canvas.style.height = `${size}px`;
  canvas.setAttribute("aria-hidden", "true");
  const context = canvas.getContext("2d");
  context.setTransform(size * ratio * 0.36, 0, 0, size * ratio * 0.36, canvas.width / 2, canvas.height / 2);
  context.fillStyle = colour;
  context.beginPath();
  PATHS[shape](context);
  context.fill();
  return canvas;
}

export const shapeName = ({ shape }) => shape;

/** A look at a size as pixels: offsets from the middle and how much of each pixel is covered. */
export function stamp({ colour, shape, size }, radius) {
  const r = Math.max(0.8, radius * size);
  const half = Math.ceil(r * 1.3) + 1;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 2 * half + 1;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.setTransform(r, 0, 0, r, half + 0.5, half + 0.5);
  context.fillStyle = colour;
  context.beginPath();
  PATHS[shape](context);
  context.fill();
  const { data } = context.getImageData(0, 0, canvas.width, canvas.width);
  const covered = Array.from({ length: canvas.width * canvas.width }, (_, p) => p).filter((p) => data[4 * p + 3] > 8);
  const dx = Int16Array.from(covered, (p) => (p % canvas.width) - half);
  const dy = Int16Array.from(covered, (p) => Math.floor(p / canvas.width) - half);
  const cover = Float32Array.from(covered, (p) => data[4 * p + 3] / 255);
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
  return { dx, dy, cover, half, red, green, blue };
}
