// The picture of the inspector: three layered canvases, a hover read-out, a patch painted over.

import { el } from "../core/dom.js";
import { percent } from "../core/format.js";
import { tone } from "../core/palette.js";
import { drawLines, drawOverlay, tokenAt } from "./overlay.js";

const LONGEST = 640;

/** Paint a box with the mean colour of the frame around it, as the worker does before it asks. */
function paintOver(context, box, width, height) {
  const [l, t] = [Math.floor(box[0] * width), Math.floor(box[1] * height)];
  const [r, b] = [Math.max(l + 1, Math.round(box[2] * width)), Math.max(t + 1, Math.round(box[3] * height))];
  const [mx, my] = [Math.max(1, (r - l) >> 1), Math.max(1, (b - t) >> 1)];
  const pixels = context.getImageData(0, 0, width, height).data;
  const sum = [0, 0, 0];
  let n = 0;
  for (let y = Math.max(0, t - my); y < Math.min(height, b + my); y += 1) {
    for (let x = Math.max(0, l - mx); x < Math.min(width, r + mx); x += 1) {
      if (x >= l && x < r && y >= t && y < b) continue;
      for (let c = 0; c < 3; c += 1) sum[c] += pixels[4 * (y * width + x) + c];
      n += 1;
    }
  }
  context.fillStyle = `rgb(${sum.map((s) => Math.round(s / Math.max(1, n))).join(",")})`;
  context.fillRect(l, t, r - l, b - t);
}

const attentionShare = (now, token) => `token ${now.grid.cells?.[token] ?? token}, row ${Math.floor(token / now.grid.columns)}, column ${token % now.grid.columns}: `
  + `${percent(now.values[token], 1)} of the image attention`;

/**
 * The picture and what is drawn on it; `shows()` returns {image, grid, values, top, mark, hide}.
 * `tell(now, token)` says in words what lies under the pointer.
 */
export function pictureStage(shows, { name = "", tell = attentionShare } = {}) {
  const base = el("canvas", { class: "tl-layer-base", role: "img", id: `tl-${name}picture` });
  const heat = el("canvas", { class: "tl-layer-heat", "aria-hidden": "true", id: `tl-${name}heat` });
  const lines = el("canvas", { class: "tl-layer-lines", "aria-hidden": "true" });
  const readout = el("output", { class: "tl-readout", id: `tl-${name}token` }, "Hover for numbers.");
  const stage = el("div", { class: "tl-stage" }, base, heat, lines);

  function drawBase({ image, hide }) {
    const scale = Math.min(1, LONGEST / Math.max(image.naturalWidth, image.naturalHeight));
    base.width = Math.max(1, Math.round(image.naturalWidth * scale));
    base.height = Math.max(1, Math.round(image.naturalHeight * scale));
    const context = base.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0, base.width, base.height);
    if (hide) paintOver(context, hide, base.width, base.height);
    base.classList.toggle("tl-pixels", Math.max(base.width, base.height) < 240);
    stage.style.aspectRatio = `${base.width} / ${base.height}`;
    stage.style.width = `min(100%, ${((46 * base.width) / base.height).toFixed(2)}vh)`; // tall pictures keep their shape
    const fine = Math.ceil(LONGEST / Math.max(base.width, base.height));
    for (const canvas of [heat, lines]) { canvas.width = base.width * fine; canvas.height = base.height * fine; }
  }

  function draw() {
    const now = shows();
    if (!now.image) return;
    drawBase(now);
    drawOverlay(heat, now.values, now.grid, now.top);
    drawLines(lines, now.grid, now.mark, tone("flag"));
    base.setAttribute("aria-label", now.label);
    stage.dataset.ready = "1";
  }

  stage.addEventListener("pointermove", (event) => {
    const now = shows();
    if (!now.grid || !now.values) return;
    const token = tokenAt(now.grid, heat, event);
    readout.textContent = token < 0 ? "outside of what the model saw" : tell(now, token);
  });
  /** Take the last picture away; its frame stays, so that nothing jumps. */
  function clear() {
    delete stage.dataset.ready;
    for (const canvas of [base, heat, lines]) canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
  }

  return {
    stage, readout, draw, clear,
    opacity(value) { heat.style.opacity = String(value); },
  };
}
