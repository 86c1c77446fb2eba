// What is drawn over the points: a gesture, the cursor, the point under the pointer, names of groups.

import { tone } from "../core/palette.js";

function path(context, corners, closed) {
  context.beginPath();
  corners.forEach(([x, y], k) => (k ? context.lineTo(x, y) : context.moveTo(x, y)));
  if (closed) context.closePath();
}

function gestureArea(context, corners) {
  path(context, corners, true);
  context.globalAlpha = 0.14;
  context.fillStyle = tone("blue");
  context.fill();
  context.globalAlpha = 1;
  context.lineWidth = 1.6;
  context.setLineDash([5, 3]);
  context.strokeStyle = tone("blue");
  context.stroke();
  context.setLineDash([]);
}

/** A ring in two tones, seen on light and dark points alike. */
function ring(context, x, y, radius, width) {
  for (const [colour, wide] of [[tone("card"), width + 2.5], [tone("ink"), width]]) {
    context.beginPath();
    context.arc(x, y, radius, 0, 7);
    context.lineWidth = wide;
    context.strokeStyle = colour;
    context.stroke();
  }
}

function groupName(context, text, x, y) {
  context.font = "600 12px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineWidth = 3.5;
  context.lineJoin = "round";
  context.strokeStyle = tone("card");
  context.strokeText(text, x, y);
  context.fillStyle = tone("ink");
  context.fillText(text, x, y);
}

/** Draw the overlay; `at` are the points' places, `names` are {text, x, y} on the screen. */
export function drawOverlay(canvas, ratio, { gesture, at, hover, cursor, focused, radius, names }) {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  for (const { text, x, y } of names) groupName(context, text, x, y);
  if (gesture?.length > 1) gestureArea(context, gesture);
  if (hover >= 0) ring(context, at.sx[hover], at.sy[hover], radius + 3.5, 1.6);
  if (cursor >= 0) {
    const [x, y] = [at.sx[cursor], at.sy[cursor]];
    ring(context, x, y, radius + 6, 2);
    if (focused) { path(context, [[x - radius - 13, y], [x - radius - 8, y]]); context.moveTo(x + radius + 8, y); context.lineTo(x + radius + 13, y); context.stroke(); }
  }
}
