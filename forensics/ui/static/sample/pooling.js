// Where the image tower of an encoder looks at one sample: the map of every block and head.

import { casePath, recall } from "../core/api.js";
import { el, empty, show } from "../core/dom.js";
import { fixed, percent } from "../core/format.js";
import { ramp } from "../core/palette.js";
import { state } from "../core/store.js";
import { layerMap, pooling } from "./live.js";
import { drawMultiples } from "./multiples.js";
import { peak } from "./overlay.js";
import { pictureStage } from "./picture.js";

const WORDS = {
  "class token": "Attention of the class token, which becomes the image embedding, in every block.",
  "attention pooling": "Attention of the learnt query that makes the image embedding, in the last layer alone: this tower has no class token.",
};

async function loaded(path) {
  const image = new Image();
  image.src = path;
  try { await image.decode(); return image; } catch { return null; }
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The panel; `open(row, id)` tells it which sample is looked at. It is hidden where the model is no encoder.
 * With `fold` the model is asked only once the panel is unfolded. */
export function poolingPanel({ fold = true } = {}) {
  let [row, name, reply, image, control] = [null, "", null, null, null];
  let [layer, head] = [0, "mean"];
  const stage = pictureStage(view, { name: fold ? "pooling-" : "tower-", tell: (now, token) => `row ${Math.floor(token / now.grid.columns)}, column ${token % now.grid.columns}: `
    + `${percent(now.values[token], 1)} of the attention on the picture` });
  stage.opacity(0.6);
  const legend = el("div", { class: "tl-legend" });
  const heads = el("select", { id: fold ? "tl-pooling-head" : "tl-tower-head", class: "tl-umap-select", "aria-label": "Head", onchange: () => { head = heads.value === "mean" ? "mean" : Number(heads.value); draw(); } });
  const note = el("p", { class: "tl-note", "aria-live": "polite" });
  const multiples = el("div", { class: "tl-multiples", id: fold ? "tl-pooling-layers" : "tl-tower-layers" });
  const drawn = el("div", { hidden: true }, stage.stage, el("div", { class: "tl-under" }, stage.readout, legend), el("label", { class: "tl-note" }, "Head ", heads), multiples);
  const node = fold
    ? el("details", { class: "tl-pooling", id: "tl-pooling", hidden: true, ontoggle: load }, el("summary", {}, "Where the image tower looks"), note, drawn)
    : el("div", { class: "tl-pooling", id: "tl-tower-pooling", hidden: true }, note, drawn);

  const maps = () => Array.from({ length: reply.layers }, (_, l) => layerMap(reply, l, head));
  const top = (all) => Math.max(...all.map(peak));

  function view() {
    const all = maps();
    return { image, grid: reply.grids[0], values: all[layer], top: top(all), mark: null, hide: null,
      label: `Picture of sample ${name}: where the image tower looks in layer ${layer}, entropy ${fixed(reply.entropy[layer])} nats.` };
  }

  function draw() {
    const all = maps();
    layer = Math.min(layer, reply.layers - 1);
    stage.draw();
    show(legend, el("span", {}, "0 %"), el("i", { style: `background:${ramp()}` }), el("span", {}, percent(top(all), 1)));
    drawMultiples(multiples, { maps: all, grid: reply.grids[0], entropy: reply.entropy, layer, top: () => top(all), choose: (l) => { layer = l; draw(); } });
    multiples.hidden = reply.layers < 2;
    const rest = head === "mean" ? mean(reply.rest[layer]) : reply.rest[layer][head];
    show(note, WORDS[reply.pooling], ` Layer ${layer}: entropy ${fixed(reply.entropy[layer])} nats (mean of heads)`,
      rest > 0.0005 ? `; ${percent(rest, 0)} of the attention stays on the class token itself and is not drawn.` : ".");
  }

  function fillHeads() {
    if (head !== "mean" && head >= reply.heads) head = "mean";
    show(heads, ["mean", ...Array(reply.heads).keys()].map((h) => el("option", { value: String(h), selected: h === head }, h === "mean" ? "mean of all" : String(h))));
  }

  async function load() {
    if ((fold && !node.open) || row === null || reply) return;
    control?.abort();
    control = new AbortController();
    const wanted = row;
    show(note, "Asking the model; the first question loads it.");
    try {
      const [answer, picture] = await Promise.all([pooling(wanted, control.signal), loaded(`/pictures/${encodeURIComponent(state.case)}/view/${wanted}`)]);
      if (wanted !== row) return;
      [reply, image] = [answer, picture];
      drawn.hidden = !image;
      if (!image) { show(note, empty("This picture cannot be shown.", "")); return; }
      fillHeads();
      draw();
      node.dataset.row = String(wanted);
    } catch (error) {
      if (error.name !== "AbortError" && wanted === row) show(note, empty(error.message, error.remedy ?? ""));
    }
  }

  return {
    node,
    async open(next, id) {
      [row, name, reply] = [next, id, null];
      drawn.hidden = true;
      delete node.dataset.row;
      const opened = await recall(casePath(state.case));
      if (row !== next) return;
      node.hidden = opened.kind !== "clip";
      load();
    },
  };
}
