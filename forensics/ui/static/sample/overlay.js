// A picture with its attention on top: both drawn in the browser, opacity is a style.

import { paint } from "../core/palette.js";

/** The largest share in a map, for a common colour scale. */
export const peak = (values) => values.reduce((a, b) => Math.max(a, b), 0);

/**
 * Colour one attention map (T shares, row by row) on a canvas of the grid's size.
 *
 * `sheer` lets the picture below show where the model hardly looks.
 */
export function heatCanvas(values, grid, top, sheer = false) {
  const canvas = document.createElement("canvas");
  canvas.width = grid.columns;
  canvas.height = grid.rows;
  const image = new ImageData(grid.columns, grid.rows);
  for (let t = 0; t < grid.rows * grid.columns; t += 1) {
    const share = Math.min(1, values[t] / (top || 1));
    paint(image.data, t, share, sheer ? Math.round(255 * (0.3 + 0.7 * Math.sqrt(share))) : 255);
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

/** Where the grid lies on a canvas that shows the whole picture. */
export function gridBox(grid, width, height) {
  const [l, t, r, b] = grid.visible;
  return { x: l * width, y: t * height, width: (r - l) * width, height: (b - t) * height };
}

/** Draw a map over the part of the picture that the model saw; cells keep their edges. */
export function drawOverlay(canvas, values, grid, top) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (!values) return;
  const box = gridBox(grid, canvas.width, canvas.height);
  context.imageSmoothingEnabled = false;
  context.drawImage(heatCanvas(values, grid, top, true), box.x, box.y, box.width, box.height);
}

/** Faint lines between the image tokens, and a box around one of them. */
export function drawLines(canvas, grid, marked, tone) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  const box = gridBox(grid, canvas.width, canvas.height);
  const [w, h] = [box.width / grid.columns, box.height / grid.rows];
  context.strokeStyle = "rgba(255,255,255,.22)";
  context.lineWidth = 1;
  context.beginPath();
  for (let c = 0; c <= grid.columns; c += 1) { context.moveTo(box.x + c * w, box.y); context.lineTo(box.x + c * w, box.y + box.height); }
  for (let r = 0; r <= grid.rows; r += 1) { context.moveTo(box.x, box.y + r * h); context.lineTo(box.x + box.width, box.y + r * h); }
  context.stroke();
  if (marked === null || marked < 0) return;
  const [row, column] = [Math.floor(marked / grid.columns), marked % grid.columns];
  for (const [colour, width] of [["#000", 5], [tone, 2.5]]) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.strokeRect(box.x + column * w, box.y + row * h, w, h);
  }
}

/** The middle of an image token as fractions of the picture. */
export function tokenCentre(grid, token) {
  const [l, t, r, b] = grid.visible;
  const [row, column] = [Math.floor(token / grid.columns), token % grid.columns];
  return { x: l + ((column + 0.5) / grid.columns) * (r - l), y: t + ((row + 0.5) / grid.rows) * (b - t) };
}

/** The image token under a point of the canvas, or -1. */
export function tokenAt(grid, canvas, event) {
  const frame = canvas.getBoundingClientRect();
  const box = gridBox(grid, frame.width, frame.height);
  const column = Math.floor(((event.clientX - frame.left - box.x) / box.width) * grid.columns);
  const row = Math.floor(((event.clientY - frame.top - box.y) / box.height) * grid.rows);
  const inside = column >= 0 && row >= 0 && column < grid.columns && row < grid.rows;
  return inside ? row * grid.columns + column : -1;
}
