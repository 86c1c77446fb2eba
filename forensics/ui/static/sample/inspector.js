// The sample at hand: where the model looks, layer by layer and head by head, and why it is suspected.

import { decisionQuery, recall, runPath } from "../core/api.js";
import { el, empty, segmented, show } from "../core/dom.js";
import { count, fixed, percent } from "../core/format.js";
import { ramp } from "../core/palette.js";
import { set, state } from "../core/store.js";
import { isFlagged, listed } from "../attention/ranking.js";
import { dependence } from "./dependence.js";
import { factList } from "./facts.js";
import { attention, halves, layerMap } from "./live.js";
import { table, tableToggle } from "../chart/frame.js";
import { drawMultiples } from "./multiples.js";
import { peak, tokenCentre } from "./overlay.js";
import { pictureStage } from "./picture.js";
import { inView, NO_VIEW, viewChooser } from "./views.js";

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
  let stored = null; // [layer][token], head means as the scan kept them
  let live = null; // the worker's reply for the picture as shown
  let patchHidden = false;
  let oneScale = true;
  let note = "";
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
  const heading = el("header", { class: "tl-inspector-head" });
  const problem = el("div");
  const legend = el("div", { class: "tl-legend" });
  const depends = dependence(about, [stage.stage, problem, el("div", { class: "tl-under" }, stage.readout, legend)]);

  const layer = () => Math.min(state.layer ?? 0, (found?.layers ?? 1) - 1);
  const hideBox = () => sample?.hide?.[layer()] ?? null;
  const shown = () => sample?.views[chosen] ?? NO_VIEW;

  function maps() {
    if (live && (state.head !== "mean" || patchHidden || !stored)) {
      return Array.from({ length: live.layers }, (_, l) => inView(layerMap(live, l, state.head), shown()));
    }
    return patchHidden || !stored ? null : stored.map((values) => inView(values, shown()));
  }

  /** What the picture has to show now. */
  function view() {
    const all = maps();
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

  /** What the map beside the attention has to know: the sample, and where its attention peaks. */
  function about() {
    const at = sample?.peaks[layer()];
    const seen = at && sample.views[at.view];
    return { sample, image: images[0], layer: layer(), peak: seen?.image === 0 ? tokenCentre(seen, at.cell) : null };
  }

  const scaleTop = (all, l) => (oneScale ? Math.max(...all.map(peak)) : peak(all[l]));

  function draw() {
    if (!sample) return;
    stage.draw();
    depends.draw();
    const all = maps();
    multiples.hidden = !all;
    show(legend, all && [el("span", {}, "0 %"), el("i", { style: `background:${ramp()}` }),
      el("span", {}, percent(scaleTop(all, layer()), 1), el("span", { class: "tl-words" }, " of the image attention"))]);
    if (all) {
      const entropy = live && patchHidden ? live.entropy : sample.entropy;
      drawMultiples(multiples, { maps: all, grid: shown(), entropy, layer: layer(),
        top: (l) => scaleTop(all, l), choose: (l) => set({ layer: l }) });
    }
    show(status, note);
    status.hidden = !note;
    layers.tell(); headSlider.tell(); opacity.tell();
  }

  /** Ask the worker for the heads of the picture as shown. */
  async function fetchLive() {
    const wanted = sample.row;
    const hidden = patchHidden;
    note = state.live ? "Asking the model for its heads…" : "Starting the model, this can take a while…";
    draw();
    try {
      const reply = await attention(wanted, hidden ? hideBox() : null);
      if (sample.row !== wanted || patchHidden !== hidden) return;
      live = reply;
      note = "";
    } catch (error) {
      note = `${error.message} ${error.remedy ?? ""}`;
    }
    draw();
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
    if (images[image]) draw();
  }

  function drawSwitches() {
    show(switches, viewChooser(sample?.views ?? [], chosen, choose),
      segmented("Picture", [["given", "As given"], ["hidden", "Patch hidden", "Paint over the attention peak of this layer and ask the model again"]],
        patchHidden ? "hidden" : "given", (value) => { patchHidden = value === "hidden"; live = null; drawSwitches(); refresh(); }),
      segmented("Colour scale", [["one", "One scale", "The same colours in every layer"], ["each", "Per layer", "Each layer from its own 0 to its own maximum"]],
        oneScale ? "one" : "each", (value) => { oneScale = value === "one"; drawSwitches(); draw(); }),
      toggle.button, depends.button);
  }

  function refresh() {
    if (patchHidden && !hideBox()) { note = "There is no attention peak to hide."; draw(); return; }
    if (!live && (patchHidden || state.head !== "mean" || !stored)) {
      if (patchHidden || state.head !== "mean" || state.live) { fetchLive(); return; }
      note = "The scan kept no map of this sample; move the head slider to ask the model for it.";
    } else note = "";
    draw();
  }

  function head() {
    const i = found.position.get(sample.row);
    const flagged = isFlagged(found, i, state.cut);
    const rank = found.order.indexOf(i);
    show(heading, el("div", {},
      el("h3", { class: "tl-id" }, `Sample ${sample.id}`),
      el("p", { class: "tl-sub" }, el("span", { class: flagged ? "tl-flag-text" : "tl-kept-text" }, flagged ? "▲ flagged" : "● kept"),
        ` · ${found.scored ? "score" : "mean entropy"} ${fixed(found.sortedBy[i])} · rank ${rank < 0 ? "–" : count(rank + 1)} of ${count(found.order.length)}`,
        known && ` · ${known.poisoned.has(sample.row) ? "✚ poisoned" : "not poisoned"}`)),
    el("div", { class: "tl-tools" },
      el("button", { type: "button", class: "tl-ghost", id: "tl-previous", "aria-label": "Previous sample (left arrow)", onclick: () => step(-1) }, "←"),
      el("button", { type: "button", class: "tl-ghost", id: "tl-next", "aria-label": "Next sample (right arrow)", onclick: () => step(1) }, "→")));
  }

  /** Move to the neighbour in the gallery's order. */
  function step(delta) {
    if (!found) return;
    const list = listed(found, state);
    if (!list.length) return;
    const at = list.findIndex((i) => found.rows[i] === state.sample);
    const next = at < 0 ? 0 : Math.max(0, Math.min(list.length - 1, at + delta));
    set({ sample: found.rows[list[next]], page: Math.floor(next / 24) });
  }

  function waiting() {
    sample = null;
    show(node, el("h3", {}, "Sample"), empty("No sample chosen.", "Click one in the gallery or in the map; ← and → walk through them."));
  }

  async function load() {
    const row = state.sample;
    if (row === null || !found) { waiting(); return; }
    const ahead = loadImage(found.position.has(row) ? picturePath(row, 0) : null);
    const next = await recall(`${runPath(state)}/samples/${row}${decisionQuery(state)}`);
    if (row !== state.sample) return;
    sample = next;
    images = [];
    live = null;
    chosen = Math.max(0, sample.peaks[layer()]?.view ?? 0);
    const flat = next.map && halves(next.map);
    stored = flat && Array.from({ length: found.layers }, (_, l) => {
      const tokens = flat.length / found.layers;
      return flat.subarray(l * tokens, (l + 1) * tokens);
    });
    fill();
    refresh();
    node.dataset.row = String(row);
    const picture = await ahead;
    if (sample !== next) return;
    images[0] = picture;
    if (picture) { draw(); if (shown().image) choose(chosen); }
    else show(problem, empty("This picture cannot be shown.", "The scan's list of failed samples says why."));
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
    show(node, heading, depends.pair, layers.row, headSlider.row, opacity.row, switches, status, depends.panel,
      smalls, numbers, facts.node);
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
    node, step, load,
    update(next) { found = next; return load(); },
    reveal(next) { known = next; if (sample) head(); },
    layer() {
      layers.input.value = String(layer());
      if (!sample) return;
      if (patchHidden) live = null;
      facts.update(sample, hideBox());
      refresh();
    },
    head: () => { if (sample) refresh(); },
    redraw: () => { if (sample && found) head(); },
  };
}
