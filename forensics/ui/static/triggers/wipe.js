// Two pictures of one size: wiped over each other, or side by side; maps of attention on top.

import { el, show } from "../core/dom.js";
import { drawOverlay, peak } from "../sample/overlay.js";

const LONGEST = 448;
const SHEER = 0.62; // of the attention over a picture

/** Draw a picture, and where the model looks at it, on one canvas. */
function paintOn(canvas, image, heat) {
  const scale = LONGEST / Math.max(image.naturalWidth, image.naturalHeight);
  canvas.width = Math.max(1, Math.round(image.naturalWidth * scale));
  canvas.height = Math.max(1, Math.round(image.naturalHeight * scale));
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  if (!heat) return;
  const over = document.createElement("canvas");
  over.width = canvas.width;
  over.height = canvas.height;
  drawOverlay(over, heat.values, heat.grid, heat.top);
  context.globalAlpha = SHEER;
  context.drawImage(over, 0, 0);
  context.globalAlpha = 1;
}

/** The stage; `update({before, after, words, heat})` draws, `mode("wipe" | "side")` arranges. */
export function wipeStage() {
  const [clean, marked] = [0, 1].map(() => el("canvas", { role: "img" }));
  const line = el("i", { class: "tl-wipe-line", "aria-hidden": "true" });
  const stage = el("div", { class: "tl-wipe", id: "tl-wipe" },
    el("figure", {}, clean, el("figcaption", {}, "without")), el("figure", {}, marked, el("figcaption", {}, "with trigger")), line);
  const slider = el("input", { type: "range", min: "0", max: "100", value: "50", id: "tl-wipe-at", "aria-label": "Wipe between the picture without and with the trigger", oninput: place });
  const control = el("label", { class: "tl-slider tl-wipe-slider" }, el("span", {}, "wipe"), slider, el("span", {}));
  const node = el("div", {}, stage, control);
  let how = "wipe";

  function place() {
    const at = Number(slider.value);
    marked.parentNode.style.clipPath = how === "wipe" ? `inset(0 0 0 ${at}%)` : "";
    line.style.left = `${at}%`;
  }

  function drag(event) {
    if (how !== "wipe" || !(event.buttons & 1)) return;
    const box = stage.getBoundingClientRect();
    slider.value = String(Math.round((100 * (event.clientX - box.left)) / box.width));
    place();
  }
  stage.addEventListener("pointerdown", (event) => { if (how === "wipe") { stage.setPointerCapture(event.pointerId); drag(event); } });
  stage.addEventListener("pointermove", drag);

  return {
    node,
    mode(next) {
      how = next;
      stage.dataset.mode = next;
      control.hidden = next !== "wipe";
      place();
    },
    update({ before, after, words, heat }) {
      paintOn(clean, before, heat && { ...heat, values: heat.before, top: Math.max(peak(heat.before), peak(heat.after)) });
      paintOn(marked, after, heat && { ...heat, values: heat.after, top: Math.max(peak(heat.before), peak(heat.after)) });
      clean.setAttribute("aria-label", words.before);
      marked.setAttribute("aria-label", words.after);
      stage.style.setProperty("--ratio", `${clean.width} / ${clean.height}`);
      stage.dataset.ready = String(Number(stage.dataset.ready ?? 0) + 1);
    },
    clear() { delete stage.dataset.ready; show(node, stage, control); for (const canvas of [clean, marked]) canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height); },
  };
}
