// The same pictures before and after: what the model says and where it looks, with and without the trigger.

import { recall } from "../core/api.js";
import { card, el, empty, segmented, show } from "../core/dom.js";
import { percent } from "../core/format.js";
import { ramp } from "../core/palette.js";
import { drawOverlay, peak } from "../sample/overlay.js";
import { halves } from "../sample/live.js";
import { examplePicture, repairPath } from "./data.js";
import { filmstrip } from "./film.js";
import { saidNode, saidWords } from "./said.js";

const STATES = [["before", "As delivered"], ["after", "Repaired"]];
const HOWS = { plain: "without the trigger", triggered: "with the trigger" };
const SIDE = 232;

/** One of the four pictures: a canvas with the attention on top, and the first answers. */
function stage(view, one, place, key, how) {
  const canvas = el("canvas", { width: SIDE, height: SIDE, role: "img" });
  const said = one.states[key][how];
  const node = el("figure", { class: "tl-rp-state", "data-state": `${key}-${how}` }, canvas, saidNode(said, view, one.label));
  const image = new Image();
  image.src = examplePicture(view.run, place, how);
  const ready = image.decode().then(() => true, () => false);
  return {
    node,
    async draw(values, facts, top, opacity) {
      if (!(await ready)) { canvas.replaceWith(el("span", { class: "tl-no-picture" }, "not kept")); return; }
      const context = canvas.getContext("2d");
      context.imageSmoothingEnabled = false;
      context.drawImage(image, 0, 0, SIDE, SIDE);
      const words = `${STATES.find(([name]) => name === key)[1]}, ${HOWS[how]}: ${saidWords(said)}`;
      canvas.setAttribute("aria-label", words);
      if (!values) return;
      const over = document.createElement("canvas");
      over.width = over.height = SIDE;
      drawOverlay(over, values, { rows: facts.rows, columns: facts.columns, visible: seen(one, facts) }, top);
      context.globalAlpha = opacity;
      context.drawImage(over, 0, 0);
      context.globalAlpha = 1;
    },
  };
}

/** Where the grid lies on the kept picture: language models see a part of a picture that was padded to a square. */
function seen(one, facts) {
  const [l, t, r, b] = one.box ?? [0, 0, 1, 1];
  const [x, y, u, v] = one.box ? facts.visible : [0, 0, 1, 1];
  return [l + x * (r - l), t + y * (b - t), l + u * (r - l), t + v * (b - t)];
}

/** The card; null where the repair kept no pictures. `link` is the example that all cards show. */
export function examplesCard(view, link) {
  const told = view.comparison;
  if (!told?.examples.length) return null;
  const hows = told.triggered ? ["plain", "triggered"] : ["plain"];
  const facts = told.attention?.problem ? null : told.attention;
  let [layer, looks, maps, stages] = [facts ? facts.layers - 1 : 0, Boolean(facts), null, []];
  const words = told.kind === "answers";
  const grid = el("div", { class: "tl-rp-grid", "data-hows": String(hows.length) });
  const controls = el("div", { class: "tl-controls" });
  const node = card(words ? "Where it looks, before and after" : "The same pictures, before and after", { subtitle: `What the model says${facts ? (words ? " and where its first answer token looks" : " and where its image tower looks") : ""}, ${told.triggered ? "with and without the trigger" : "without a trigger: none is known here"}.${words ? "" : " Pictures as the model gets them."}` },
    !words && filmstrip(view, link), controls, grid, told.word_trigger && el("p", { class: "tl-note" }, "This trigger also has words; here only its mark on the picture is shown."),
    told.attention?.problem && el("p", { class: "tl-note" }, `Where it looks cannot be shown: ${told.attention.problem}`));
  node.id = "tl-rp-examples";

  const valuesOf = (key, how) => (maps && looks ? maps[key][how]?.subarray(layer * facts.rows * facts.columns, (layer + 1) * facts.rows * facts.columns) : null);

  function paint() {
    const every = stages.map(({ key, how }) => valuesOf(key, how)).filter(Boolean);
    const top = every.length ? Math.max(...every.map(peak)) : 1;
    for (const one of stages) one.stage.draw(valuesOf(one.key, one.how), facts, top, 0.62);
    show(legend, looks && facts ? [el("span", {}, "0 %"), el("i", { style: `background:${ramp()}` }), el("span", {}, `${percent(top, 1)} of the attention on a patch, all four alike`)] : null);
  }
  const legend = el("div", { class: "tl-legend" });

  function tools() {
    if (!facts) return;
    const at = el("output", {}, `${layer} of 0 to ${facts.layers - 1}`);
    show(controls, segmented("What is drawn", [["looks", "Where it looks"], ["plain", "Picture alone"]], looks ? "looks" : "plain", (next) => { looks = next === "looks"; tools(); paint(); }),
      looks && facts.layers > 1 && el("label", { class: "tl-rp-layer" }, "layer ", el("input", { type: "range", id: "tl-rp-layer", min: "0", max: String(facts.layers - 1), value: String(layer), "aria-label": words ? "Layer of the language model" : "Layer of the image tower", oninput: (event) => { layer = Number(event.target.value); show(at, `${layer} of 0 to ${facts.layers - 1}`); paint(); } }), at), legend);
  }

  async function open() {
    const mine = link.place;
    tools();
    const one = told.examples[mine];
    stages = hows.flatMap((how) => STATES.map(([key]) => ({ key, how, stage: stage(view, one, mine, key, how) })));
    const cells = hows.map((how) => [el("h4", { class: "tl-rp-how" }, HOWS[how]), stages.filter((found) => found.how === how).map((found) => found.stage.node)]);
    show(grid, el("span"), STATES.map(([, title]) => el("h4", {}, title)), cells);
    grid.dataset.truth = one.label ?? "";
    show(said, el("b", {}, one.id), ` ${words ? "is truly answered with" : "truly shows"} “${one.label ?? "?"}”.`, !words && view.target && one.label === view.target ? " It is of the target class itself, so it does not count for attack success." : "");
    maps = null;
    paint();
    if (!facts) { node.dataset.ready = view.run; return; }
    try {
      const reply = await recall(repairPath(view.run, `/attention/${mine}`));
      if (mine !== link.place) return;
      maps = Object.fromEntries(STATES.map(([key]) => [key, Object.fromEntries(Object.entries(reply[key]).map(([how, text]) => [how, halves(text)]))]));
      paint();
      node.dataset.ready = view.run;
    } catch (error) { if (mine === link.place) grid.append(empty(error.message, error.remedy ?? "")); }
  }
  const said = el("p", { class: "tl-note", "aria-live": "polite" });
  node.insertBefore(said, grid);
  link.watch(open);
  open();
  return node;
}
