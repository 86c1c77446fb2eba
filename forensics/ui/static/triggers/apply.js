// A reconstructed trigger on any picture of the case: what the model says, and where it looks.

import { post } from "../core/api.js";
import { card, el, empty, segmented, show } from "../core/dom.js";
import { percent } from "../core/format.js";
import { ramp } from "../core/palette.js";
import { state } from "../core/store.js";
import { halves } from "../sample/live.js";
import { levels, triggersPath } from "./data.js";
import { moved } from "./moved.js";
import { pictureStrip } from "./strip.js";
import { wipeStage } from "./wipe.js";

async function loaded(base64) {
  const image = new Image();
  image.src = `data:image/png;base64,${base64}`;
  await image.decode();
  return image;
}

function topFive(title, said, target) {
  return el("section", { "aria-label": title }, el("h4", {}, title), el("ol", { class: "tl-said-list" }, said.top.map((one) => el("li", { "data-target": String(one.name === target) },
    el("span", { title: one.name }, one.name), el("i", { style: `width:${(100 * one.probability).toFixed(1)}%`, "aria-hidden": "true" }), el("b", {}, percent(one.probability))))));
}

/** The panel at the side; `seed(place)` tells the page which seed is looked at. */
export function applyPanel({ chooseSeed }) {
  let [view, entry, seed, strength, mode, looks, layer] = [null, null, 0, 1, "wipe", false, -1];
  let [reply, images, asking, again] = [null, null, false, false];
  const stage = wipeStage();
  const title = el("h3", { id: "tl-apply-title" });
  const trouble = el("div", { "aria-live": "polite" });
  const strip = pictureStrip({ failed: (error) => show(trouble, empty(error.message, error.remedy ?? "")) });
  const ways = el("div", { class: "tl-apply-ways" });
  const how = el("output", {});
  const power = el("input", { type: "range", min: "0", step: "0.05", id: "tl-strength", "aria-label": "Strength of the trigger", oninput: () => { strength = Number(power.value); tellStrength(); ask(); } });
  const seeds = el("div", { class: "tl-apply-seeds" });
  const layers = el("div");
  const words = el("p", { class: "tl-note", id: "tl-looks", "aria-live": "polite" });
  const answers = el("div", { class: "tl-tops", id: "tl-tops", "aria-live": "polite" });
  const drawn = el("div", { class: "tl-applied" }, ways, stage.node, el("label", { class: "tl-slider" }, el("span", {}, "strength"), power, how), seeds, answers, layers, words);
  const node = el("section", { class: "tl-card", id: "tl-apply", "aria-label": "The trigger on a picture" }, title,
    el("p", { class: "tl-sub" }, "As the model sees it. Choose any picture of the case."), strip.node, trouble, drawn);
  stage.mode(mode);

  const strongest = () => (view.form === "additive" ? 2 : 1);

  function tellStrength() {
    const full = view.form === "additive" && view.budget;
    show(how, full ? levels(view.budget * strength) : percent(strength));
  }

  function controls() {
    show(ways, segmented("How the pictures are shown", [["wipe", "Wipe", "One over the other, with a line to drag"], ["side", "Side by side", "Both at once"]], mode, (next) => { mode = next; stage.mode(mode); controls(); }),
      el("button", { type: "button", class: "tl-ghost", id: "tl-show-looks", "aria-pressed": String(looks), disabled: !reply?.attention, onclick: () => { looks = !looks; controls(); paint(); } }, "Where it looks"));
    power.max = String(strongest());
    power.value = String(strength);
    tellStrength();
    show(seeds, view.seeds > 1 && [el("span", { class: "tl-sub" }, "seed "), segmented("Which reconstruction", Array.from({ length: view.seeds }, (_, k) => [k, String(k + 1), `Reconstruction ${k + 1} of ${view.seeds}`]), seed, chooseSeed)]);
  }

  const maps = (of, at) => of.values.subarray(at * of.tokens, (at + 1) * of.tokens);

  function heat(at) {
    const { rows, columns } = reply.attention;
    return { before: maps(reply.before, at), after: maps(reply.after, at), grid: { rows, columns, visible: [0, 0, 1, 1] } };
  }

  function layerControl() {
    const many = reply.attention?.layers > 1 && looks;
    if (!many) { show(layers); return; }
    const at = el("output", {}, `${layer} of ${reply.attention.layers - 1}`);
    show(layers, el("label", { class: "tl-slider" }, el("span", {}, "layer"), el("input", { type: "range", min: "0", max: String(reply.attention.layers - 1), value: String(layer), id: "tl-looks-layer", "aria-label": "Layer of the image tower",
      oninput: (event) => { layer = Number(event.target.value); show(at, `${layer} of ${reply.attention.layers - 1}`); paint(false); } }), at),
    el("div", { class: "tl-legend" }, el("span", {}, "hardly"), el("i", { style: `background:${ramp()}` }), el("span", {}, "mostly here")));
  }

  function paint(withControl = true) {
    if (!images) return;
    const [before, after] = [reply.before.top[0], reply.after.top[0]];
    stage.update({ before: images[0], after: images[1], heat: looks && reply.attention ? heat(layer) : null,
      words: { before: `Picture ${state.sample + 1} without the trigger: ${before.name}, ${percent(before.probability)}.`, after: `The same with the trigger of class ${entry.name}: ${after.name}, ${percent(after.probability)}.` } });
    if (withControl) layerControl();
    if (!reply.attention) { show(words, reply.attention_problem); return; }
    show(words, moved(heat(layer), { layer, layers: reply.attention.layers, pooling: reply.attention.pooling, before: reply.before.entropy[layer], after: reply.after.entropy[layer] }));
  }

  function tell() {
    const [before, after] = [reply.before, reply.after];
    show(answers, topFive("Without", before, reply.target), topFive("With trigger", after, reply.target),
      el("p", { class: "tl-note" }, `“${reply.target}”: ${percent(before.target, 1)} → ${percent(after.target, 1)}. A pixel changes by ${levels(reply.largest)} at most.`));
  }

  /** What an answer is about; strength and seed may differ, the next answer follows at once. */
  const about = () => [view.run, entry.index, state.sample].join(" ");

  /** Ask the model; while it answers, only the latest wish is kept, and what it says of another one is not shown. */
  async function ask() {
    if (asking) { again = true; return; }
    asking = true;
    again = false;
    const asked = about();
    const wish = `${asked} ${seed} ${strength}`;
    if (!reply) show(trouble, el("p", { class: "tl-wait" }, "Asking the model; the first question loads it."));
    try {
      const next = await post(triggersPath(view.run, `/${entry.index}/apply`), { row: state.sample, seed, strength });
      const pictures = await Promise.all([loaded(next.before.picture), loaded(next.after.picture)]);
      if (asked !== about()) return;
      for (const half of [next.before, next.after]) if (half.maps) { half.values = halves(half.maps); half.tokens = half.values.length / next.attention.layers; }
      const first = !reply;
      [reply, images] = [next, pictures];
      if (layer < 0 || layer >= (next.attention?.layers ?? 0)) layer = (next.attention?.layers ?? 1) - 1;
      show(trouble);
      drawn.hidden = false;
      if (first) controls();
      paint();
      tell();
      node.dataset.shown = wish;
    } catch (error) {
      if (asked !== about()) return;
      reply = null;
      drawn.hidden = true;
      show(trouble, el("div", { class: "tl-alert", role: "alert" }, el("strong", {}, error.message), " ", error.remedy ?? "", " ", el("button", { type: "button", class: "tl-ghost", onclick: () => ask() }, "Try again")));
    } finally {
      asking = false;
      if (again) ask();
    }
  }

  function refresh() {
    if (!view || !entry) return;
    show(title, entry.name, el("span", { class: "tl-sub" }, " on your picture"));
    controls();
    ask();
  }

  drawn.hidden = true;
  return {
    node,
    update(next) { view = next; [seed, strength, reply, images] = [0, 1, null, null]; mode = next.form === "patch" ? "side" : "wipe"; stage.mode(mode); drawn.hidden = true; strip.draw(); },
    open(next) { if (entry?.index === next.index && reply && entry.run === view.run) return; entry = { ...next, run: view.run }; refresh(); },
    seed(next) { seed = next; refresh(); },
    sample() { strip.draw(); refresh(); },
  };
}
