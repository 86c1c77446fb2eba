// The sample at hand: where the model looks, layer by layer and head by head, and why it is suspected.

import { decisionQuery, recall, runPath } from "../core/api.js";
import { el, empty, segmented, show } from "../core/dom.js";
import { fixed, percent } from "../core/format.js";
import { ramp } from "../core/palette.js";
import { set, state } from "../core/store.js";
import { dependence } from "./dependence.js";
import { factList } from "./facts.js";
import { heading, step } from "./heading.js";
import { table, tableToggle } from "../chart/frame.js";
import { drawMultiples } from "./multiples.js";
import { peak, tokenCentre } from "./overlay.js";
import { pictureStage } from "./picture.js";
import { shares } from "./shares.js";
import { NO_VIEW, viewChooser } from "./views.js";

function slider(id, label, attributes, read) {
  const input = el("input", { type: "range", id, ...attributes });
  const value = el("output", { for: id });
  const row = el("div", { class: "tl-slider" }, el("label", { for: id }, label), input, value);
  return { input, row, tell: () => show(value, read(Number(input.value))) };
}

const picturePath = (row, image) => `/pictures/${encodeURIComponent(state.case)}/view/${row}${image ? `?image=${image}` : ""}`;

async function loadImage(path) {
  if (!path) return null;
  const image = new Image();
  image.src = path;
  try { await image.decode(); return image; } catch { return null; }
}

/** The inspector panel. */
export function inspector() {
  const node = el("section", { class: "tl-card tl-inspector", id: "tl-inspector", "aria-label": "Sample inspector" });
  let found = null;
  let known = null;
  let sample = null;
  let images = []; // the pictures loaded so far, in the order of the sample
  let chosen = 0; // which view of them is shown
  let all = null; // shares of the view in every layer, as drawn last
  let patchHidden = false;
  let oneScale = true;
  const heads = () => found?.summary.heads ?? 0;

  const stage = pictureStage(view);
  const facts = factList();
  const multiples = el("div", { class: "tl-multiples", id: "tl-multiples" });
  const smalls = el("div", {}, multiples);
  const numbers = el("div", { hidden: true });
  const toggle = tableToggle(smalls, numbers, () => table("Attention of this sample, layer by layer",
    ["layer", `entropy, ${found.summary.unit}`, "strongest token", "its share"],
    sample.peaks.map((at, l) => [l, fixed(sample.entropy[l]), `${at.token}, ${at.place}`, percent(at.mass, 1)])));
  const status = el("p", { class: "tl-note", "aria-live": "polite" });
  const layers = slider("tl-layer", "layer", { min: 0, step: 1 }, (v) => String(v));
  const headSlider = slider("tl-head", "head", { min: 0, step: 1 }, (v) => (v === 0 ? "mean" : `${v} of ${heads()}`));
  const opacity = slider("tl-opacity", "opacity", { min: 0, max: 100, step: 1, value: 60 }, (v) => `${v} %`);
  const switches = el("div", { class: "tl-switches" });
  const title = heading((delta) => step(found, delta));
  const seen = shares(draw);
  const problem = el("div");
  const legend = el("div", { class: "tl-legend" });
  const depends = dependence(about, [stage.stage, problem, el("div", { class: "tl-under" }, stage.readout, legend)]);

  const parts = [title.node, depends.pair, layers.row, headSlider.row, opacity.row, switches, status, depends.panel, smalls, numbers, facts.node];

  const layer = () => Math.min(state.layer ?? 0, (found?.layers ?? 1) - 1);
  const hideBox = () => sample?.hide?.[layer()] ?? null;
  const shown = () => sample?.views[chosen] ?? NO_VIEW;

  /** What the picture has to show now. */
  function view() {
    const values = all?.[layer()] ?? null;
    const at = sample?.peaks[layer()];
    return {
      image: images[shown().image], values, grid: shown(), top: all ? scaleTop(all, layer()) : 1,
      mark: at && !patchHidden && at.view === chosen ? at.cell : null,
      hide: patchHidden && hideBox()?.image === shown().image ? hideBox().box : null,
      label: at ? `Picture of sample ${sample.id}. In layer ${layer()} the strongest image token, ${at.place}, `
        + `holds ${percent(at.mass, 1)} of the image attention; entropy ${fixed(sample.entropy[layer()])} ${found.summary.unit}.` : "",
    };
  }

  /** What the map beside the attention has to know: the sample, its picture, and where its attention peaks. */
  function about() {
    const at = sample?.peaks[layer()];
    const { image } = shown();
    const view = at && sample.views[at.view];
    return { sample, image, picture: images[image], layer: layer(), peak: view ? { image: view.image, ...tokenCentre(view, at.cell) } : null };
  }

  const scaleTop = (all, l) => (oneScale ? Math.max(...all.map(peak)) : peak(all[l]));

  function draw() {
    if (!sample) return;
    all = seen.maps(shown(), patchHidden);
    stage.draw();
    depends.draw();
    multiples.hidden = !all;
    show(legend, all && [el("span", {}, "0 %"), el("i", { style: `background:${ramp()}` }),
      el("span", {}, percent(scaleTop(all, layer()), 1), el("span", { class: "tl-words" }, " of the image attention"))]);
    if (all) {
      drawMultiples(multiples, { maps: all, grid: shown(), entropy: seen.entropy(patchHidden), layer: layer(),
        top: (l) => scaleTop(all, l), choose: (l) => set({ layer: l }) });
    }
    show(status, seen.note());
    status.hidden = !seen.note();
    layers.tell(); headSlider.tell(); opacity.tell();
  }

  /** Show another view of the sample, and its picture once it is here. */
  async function choose(view) {
    const wanted = sample;
    const { image } = wanted.views[view];
    chosen = view;
    drawSwitches();
    if (!images[image]) {
      stage.clear();
      const picture = await loadImage(picturePath(wanted.row, image));
      if (sample !== wanted) return;
      images[image] = picture;
    }
    if (sample === wanted && chosen === view) drawPicture(image);
  }

  function drawPicture(image) {
    show(problem, images[image] ? null : empty(`${image ? `Picture ${image + 1}` : "This picture"} cannot be shown.`, "The scan's list of failed samples says why."));
    if (images[image]) draw();
  }

  function drawSwitches() {
    const now = JSON.stringify([sample?.views.map(({ image, kind }) => [image, kind]), chosen, patchHidden, oneScale]);
    if (switches.dataset.shows === now) return; // what may be under a finger stays
    switches.dataset.shows = now;
    show(switches, viewChooser(sample?.views ?? [], chosen, choose),
      segmented("Picture", [["given", "As given"], ["hidden", "Patch hidden", "Paint over the attention peak of this layer and ask the model again"]],
        patchHidden ? "hidden" : "given", (value) => { patchHidden = value === "hidden"; seen.forget(); drawSwitches(); refresh(); }),
      toggle.button,
      segmented("Colour scale", [["one", "One scale", "The same colours in every layer"], ["each", "Per layer", "Each layer from its own 0 to its own maximum"]],
        oneScale ? "one" : "each", (value) => { oneScale = value === "one"; drawSwitches(); draw(); }),
      depends.button);
  }

  const refresh = () => seen.provide(patchHidden, hideBox());
  const head = () => title.draw(found, sample, known);

  function waiting() {
    sample = null;
    show(node, el("h3", {}, "Sample"), empty("No sample chosen.", "Click one in the gallery or in the map; ← and → walk through them."));
  }

  async function load() {
    const row = state.sample;
    if (row === null || !found) { waiting(); return; }
    const ahead = loadImage(found.position.has(row) ? picturePath(row, 0) : null);
    const of = found;
    const next = await recall(`${runPath(state)}/samples/${row}${decisionQuery(state)}`);
    if (row !== state.sample || of !== found) return;
    sample = next;
    images = [];
    chosen = Math.max(0, sample.peaks[layer()]?.view ?? 0);
    seen.begin(next, found.layers);
    fill();
    refresh();
    node.dataset.row = String(row);
    const picture = await ahead;
    if (sample !== next) return;
    images[0] = picture;
    if (shown().image) choose(chosen); else drawPicture(0);
  }

  /** Put the panel's parts in place for the sample. */
  function fill() {
    layers.input.max = String(found.layers - 1);
    layers.input.value = String(layer());
    headSlider.input.max = String(heads());
    headSlider.input.value = state.head === "mean" ? "0" : String(state.head + 1);
    head();
    drawSwitches();
    facts.update(sample, hideBox());
    show(problem);
    stage.clear();
    if (title.node.parentNode !== node) show(node, ...parts); // once: a part taken out loses its focus and the click under way
    depends.update();
    toggle.update();
  }

  layers.input.addEventListener("input", () => set({ layer: Number(layers.input.value) }));
  headSlider.input.addEventListener("input", () => {
    const value = Number(headSlider.input.value);
    set({ head: value === 0 ? "mean" : value - 1 });
  });
  opacity.input.addEventListener("input", () => { for (const part of [stage, depends]) part.opacity(Number(opacity.input.value) / 100); opacity.tell(); });
  for (const part of [stage, depends]) part.opacity(0.6);
  waiting();

  return {
    node, load,
    step: (delta) => step(found, delta),
    update(next) { found = next; return load(); },
    reveal(next) { known = next; if (sample) head(); },
    layer() {
      layers.input.value = String(layer());
      if (!sample) return;
      if (patchHidden) seen.forget();
      facts.update(sample, hideBox());
      refresh();
    },
    head: () => { if (sample) refresh(); },
    redraw: () => { if (sample && found) head(); },
  };
}
