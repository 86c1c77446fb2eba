// What the answer of one sample depends on: an occlusion map beside the attention map.
//
// The worker hides random cells of the picture in many views and tells how far the answer moves.

import { responsive } from "../chart/frame.js";
import { histogram } from "../chart/histogram.js";
import { el, show } from "../core/dom.js";
import { fixed, percent, plural } from "../core/format.js";
import { ramp } from "../core/palette.js";
import { state } from "../core/store.js";
import { occlusion } from "./live.js";
import { pictureStage } from "./picture.js";
import { strips } from "./strips.js";

const DWELL = 250; // milliseconds on a sample before its map is asked for
const FAINT = 0.1; // nats: a map whose hottest cell has less stays dark
const BINS = 16;
const NO_CELLS = { rows: 1, columns: 1, visible: [0, 0, 1, 1] };

const nats = (value) => `${fixed(value, value !== null && Math.abs(value) < 0.1 ? 3 : 1)} nats`;
const line = (name, value) => [el("dt", {}, name), el("dd", {}, value)];

/** Divergences of the views as a histogram: views that keep the answer, views that change it. */
function viewBins({ divergence, agreed }) {
  const top = Math.max(FAINT, ...divergence);
  const edges = Array.from({ length: BINS + 1 }, (_, b) => (top * b) / BINS);
  const [kept, flagged] = [new Array(BINS).fill(0), new Array(BINS).fill(0)];
  divergence.forEach((d, k) => {
    const bin = Math.min(BINS - 1, Math.max(0, Math.floor((d / top) * BINS)));
    (agreed[k] ? kept : flagged)[bin] += 1;
  });
  return { edges, kept, flagged };
}

/** Cells between the hot cell and an attention peak at (x, y), fractions of the picture. */
function distance(cells, at, { x, y }) {
  const [l, t, r, b] = cells.visible;
  const column = Math.floor(((x - l) / (r - l)) * cells.columns);
  const row = Math.floor(((y - t) / (b - t)) * cells.rows);
  return Math.max(Math.abs(column - at.column), Math.abs(row - at.row));
}

/**
 * The map, its read-out, and the pair of pictures that it forms with `beside` (the attention map).
 *
 * `about()` returns {sample, image: which of its pictures is shown, picture, layer, peak: {image, x, y} or null}.
 */
export function dependence(about, beside) {
  let open = false;
  let reply = null;
  let problem = "";
  let control = null;
  let timer = null;

  const stage = pictureStage(shows, { name: "occlusion-", tell });
  const legend = el("div", { class: "tl-legend" });
  const button = el("button", { type: "button", class: "tl-ghost", id: "tl-depends", "aria-pressed": "false", onclick: toggle,
    title: "Hide random parts of the picture, 64 times, and see when the answer changes. Loads the model" }, "What does the answer depend on?");
  const status = el("p", { class: "tl-note", "aria-live": "polite" });
  const numbers = el("dl", { class: "tl-facts tl-dependence", id: "tl-dependence" });
  const figure = el("div", { class: "tl-figure" });
  const redraw = responsive(figure, drawViews);
  const compared = strips(about);
  const panel = el("section", { class: "tl-depends", "aria-label": "What the answer depends on", hidden: true },
    el("h3", {}, "What the answer depends on", el("span", { class: "tl-sub" }, "(reconstruction)")),
    status, numbers, figure, compared.node);

  const looks = el("figcaption");
  const second = el("figure", {}, el("figcaption", {}, "What it depends on"), stage.stage,
    el("div", { class: "tl-under" }, stage.readout, legend));
  const pair = el("div", { class: "tl-pair" }, el("figure", {}, looks, beside), second);

  // The reply holds the cells of all pictures, one picture after the other.
  const cells = () => reply?.cells.find((grid) => grid.image === about().image) ?? null;
  const size = (grid) => grid.rows * grid.columns;
  const first = () => reply.cells.slice(0, reply.cells.indexOf(cells())).reduce((sum, grid) => sum + size(grid), 0);
  const effects = () => reply.map.slice(first(), first() + size(cells()));
  const scaleTop = () => Math.max(FAINT, ...reply.map);
  const hot = () => (reply?.peak?.image === about().image ? reply.peak : null);

  /** What the second picture has to show. */
  function shows() {
    const values = cells() && Float32Array.from(effects(), (v) => Math.max(0, v ?? 0));
    return {
      image: about().picture, values, grid: cells() ?? NO_CELLS, top: reply ? scaleTop() : 1, hide: null,
      mark: hot() ? hot().row * cells().columns + hot().column : null,
      label: reply ? `What the answer of sample ${about().sample.id} depends on. ${reply.sentence}` : "The picture of the sample.",
    };
  }

  function tell(now, token) {
    const [row, column] = [Math.floor(token / now.grid.columns), token % now.grid.columns];
    const effect = effects()[token];
    return `row ${row}, column ${column}: ` + (effect === null ? "never hidden" : `${effect < 0 ? "−" : "+"}${nats(Math.abs(effect))} when hidden`);
  }

  function facts() {
    const { layer, peak } = about();
    const at = hot();
    const away = at && peak?.image === at.image ? distance(cells(), at, peak) : null;
    return [
      line("Answer kept", `in ${reply.kept} of ${reply.views} views (${percent(reply.agreement)})`),
      line("Hot cell", at ? `row ${at.row}, column ${at.column}, ${at.place}` : reply.peak?.place ?? "none: no cell matters"),
      at && line("Peak share", `${percent(reply.peak_share)} of the map`),
      away !== null && line("Attention peak", `${away === 0 ? "in the hot cell" : `${plural(away, "cell")} from it`}, layer ${layer}`),
    ];
  }

  function drawViews(width) {
    if (!reply) return;
    const spec = { ...viewBins(reply), height: 112, xLabel: "change of the answer (KL, nats)", yLabel: "views", label:
      `Histogram of ${reply.views} masked views: ${reply.kept} keep the answer, ${reply.views - reply.kept} change it.` };
    show(figure, histogram(width, spec).root,
      el("p", { class: "tl-key" }, el("i", { class: "tl-key-kept" }), "answer kept", el("i", { class: "tl-key-flag" }), "answer changed"));
  }

  function draw() {
    pair.dataset.both = String(open);
    looks.hidden = second.hidden = !open;
    if (!open) return;
    show(looks, `Attention, layer ${about().layer}`);
    figure.hidden = numbers.hidden = !reply;
    show(status, problem || (reply ? `${reply.views} views of the picture, each with a random ${percent(reply.share)} of its cells greyed out. `
      + "Bright: the answer’s first token changes when this cell is hidden. It ranks samples and proves nothing."
      : state.live ? "Asking the model about 64 masked views…" : "Starting the model, this can take a while…"));
    show(legend, reply && [el("span", {}, "0"), el("i", { style: `background:${ramp()}` }), el("span", {}, nats(scaleTop()))]);
    stage.draw();
    if (!reply) return;
    show(numbers, facts());
    redraw();
  }

  async function ask() {
    const wanted = about().sample;
    control?.abort();
    control = new AbortController();
    const { signal } = control;
    try {
      const next = await occlusion(wanted.row, signal);
      if (about().sample !== wanted) return;
      reply = next;
      panel.dataset.ready = String(wanted.row);
    } catch (error) {
      if (error.name === "AbortError" || about().sample !== wanted) return;
      problem = `${error.message} ${error.remedy ?? ""}`;
    }
    draw();
  }

  /** Begin anew for the sample that is shown now. */
  function update() {
    control?.abort();
    clearTimeout(timer);
    reply = null;
    problem = "";
    delete panel.dataset.ready;
    if (!open || !about().sample) return;
    stage.clear();
    timer = setTimeout(ask, DWELL);
    compared.update();
  }

  function toggle() {
    open = !open;
    button.setAttribute("aria-pressed", String(open));
    panel.hidden = !open;
    update();
    draw();
  }

  draw();
  return { pair, button, panel, update, draw, opacity: stage.opacity };
}
