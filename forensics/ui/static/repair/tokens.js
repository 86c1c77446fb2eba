// What a token unlearning took away: the weight of every word of the chosen captions, and of every patch.

import { getJSON } from "../core/api.js";
import { card, el, empty, picture, show } from "../core/dom.js";
import { count, fixed, percent } from "../core/format.js";
import { ramp, viridis } from "../core/palette.js";
import { drawOverlay } from "../sample/overlay.js";
import { repairPath } from "./data.js";

const PAGE = 6;
const SIDE = 112;

/** One caption: its words on the colour scale, those that are unlearnt underlined. */
function strip(tokens, largest) {
  return el("p", { class: "tl-rp-strip" }, tokens.map((one) => {
    const share = Math.max(0, one.importance) / (largest || 1);
    return el("span", { class: one.kept ? "tl-rp-token tl-rp-kept" : "tl-rp-token", style: `background:${viridis(share)};color:${share > 0.6 ? "#18202c" : "#fff"}`,
      title: `“${one.text}”: weight ${fixed(one.importance, 3)}${one.kept ? ", unlearnt" : ""}` }, one.text);
  }));
}

async function patches(canvas, pair) {
  const image = new Image();
  image.src = pair.picture;
  try { await image.decode(); } catch { canvas.replaceWith(picture(null, "cannot be read")); return; }
  const context = canvas.getContext("2d");
  const least = Math.min(image.naturalWidth, image.naturalHeight); // the towers crop the middle
  context.imageSmoothingEnabled = false;
  context.drawImage(image, (image.naturalWidth - least) / 2, (image.naturalHeight - least) / 2, least, least, 0, 0, SIDE, SIDE);
  if (!pair.patches) return;
  const { rows, columns, values } = pair.patches;
  const raised = values.map((value) => Math.max(0, value ?? 0));
  const over = document.createElement("canvas");
  over.width = over.height = SIDE;
  drawOverlay(over, raised, { rows, columns, visible: [0, 0, 1, 1] }, Math.max(...raised));
  context.globalAlpha = 0.6;
  context.drawImage(over, 0, 0);
  context.globalAlpha = 1;
}

function place(pair) {
  if (!pair.picture) return el("span", { class: "tl-no-picture" }, "not of this case");
  const canvas = el("canvas", { width: SIDE, height: SIDE, role: "img", "aria-label": pair.patches ? `Picture of ${pair.id} with the weight of every patch` : `Picture of ${pair.id}` });
  patches(canvas, pair);
  return canvas;
}

const line = (pair, largest) => el("li", {}, place(pair), el("div", {}, strip(pair.tokens, largest),
  el("p", { class: "tl-sub" }, el("b", {}, pair.id), ` similarity ${fixed(pair.similarity, 2)}, gain ${fixed(pair.gain, 2)}${pair.patches ? "" : "; patches not weighed"}`)));

/** The card; null where the repair weighed no words. */
export function tokensCard(view) {
  if (!view.tokens) return null;
  const list = el("ol", { class: "tl-rp-pairs" });
  const pager = el("div", { class: "tl-pager" });
  const note = el("p", { class: "tl-note" });
  const node = card("What was unlearnt: words and patches", { className: "tl-rp-wide-card",
    subtitle: view.changed ? "The pairs that were singled out, the most suspicious first. Underlined words are unlearnt." : "The pairs that were singled out, the most suspicious first. Nothing was unlearnt." },
    el("div", { class: "tl-legend" }, "weight of a word or patch: ", el("span", {}, "none"), el("i", { style: `background:${ramp()}` }), el("span", {}, "most")), note, list, pager);
  node.id = "tl-rp-tokens";

  let asked = 0;

  async function open(start) {
    const mine = asked += 1; // of several pages in a row the last one is shown
    try {
      const found = await getJSON(repairPath(view.run, `/tokens?start=${start}&most=${PAGE}`));
      if (mine !== asked) return;
      show(note, found.word ? [`${percent(found.agreement)} of these captions share the word `, el("q", {}, found.word), "."] : "These captions share no word.");
      show(list, found.pairs.map((pair) => line(pair, found.largest)));
      const step = (text, label, to, on) => el("button", { type: "button", class: "tl-ghost", "aria-label": label, disabled: !on, onclick: () => open(to) }, text);
      show(pager, found.total > PAGE && [step("←", "Earlier pairs", Math.max(0, start - PAGE), start > 0), `${count(start + 1)}–${count(Math.min(start + PAGE, found.total))} of ${count(found.total)}`, step("→", "Further pairs", start + PAGE, start + PAGE < found.total)]);
      node.dataset.ready = view.run;
    } catch (error) { if (mine === asked) show(list, empty(error.message, error.remedy ?? "")); }
  }
  open(0);
  return node;
}
