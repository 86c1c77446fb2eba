// Plant: pick trigger, place, rate and target; see poisoned samples beside their originals.

import { post } from "../core/api.js";
import { el, show } from "../core/dom.js";
import { count, percent } from "../core/format.js";
import { FRESH, set } from "../core/store.js";
import { choice, field, settingsOf, slider, words } from "./controls.js";
import { doing, trouble } from "./data.js";

const PAUSE = 220; // milliseconds after the last change before the server draws

/** One sample before and after, with the exact text of its row. */
function beside(one) {
  const changed = ([, before, after]) => before !== after;
  return el("article", { class: "tl-lab-sample" },
    el("div", { class: "tl-lab-pair" }, [["original", one.original], ["in the set", one.planted]].map(([name, source]) => el("figure", {}, el("img", { src: source, alt: `${one.id}, ${name}`, width: 108, height: 108 }), el("figcaption", {}, name)))),
    el("dl", { class: "tl-lab-row" }, el("dt", {}, "id"), el("dd", {}, one.id), one.row.map((line) => [el("dt", {}, line[0]), el("dd", {}, changed(line) ? [el("del", {}, line[1]), " ", el("ins", {}, line[2])] : line[1])])));
}

/** The card; `made(answer)` is called when a case was made. */
export function plantCard({ view }) {
  const plan = { kind: "language", family: "patch", settings: {}, target: "", rate: null, samples: null, epochs: null, seed: 1, title: "" };
  const [form, shown, told, problem] = [el("div", { class: "tl-lab-form" }), el("div", { class: "tl-lab-samples", "aria-live": "polite" }), el("p", { class: "tl-sub", id: "tl-lab-said" }), el("div")];
  let [timer, token] = [null, 0];
  const size = () => view.kinds[plan.kind];
  const family = () => view.families.find((one) => one.kind === plan.family);
  const values = () => ({ ...plan, target: plan.target || size().target, rate: plan.rate ?? size().rate, samples: plan.samples ?? size().samples, epochs: plan.epochs ?? size().epochs });

  async function preview() {
    const mine = token += 1;
    try {
      const found = await post("/api/lab/preview", { plan: values() });
      if (mine !== token) return;
      trouble(problem, null);
      show(told, found.poisoned ? `${count(found.poisoned)} of ${count(found.samples)} samples are poisoned. Six of them, as the model will learn them:` : `Nothing is planted: ${count(found.samples)} honest samples. A class should meet such a case as well.`);
      show(shown, found.shown.map(beside));
      shown.dataset.trigger = found.trigger;
    } catch (error) { if (mine === token) { trouble(problem, error); show(shown); delete shown.dataset.trigger; } }
  }

  function changed() {
    clearTimeout(timer);
    token += 1; // an answer that is still on its way is out of date
    delete shown.dataset.trigger;
    timer = setTimeout(preview, PAUSE);
  }

  const make = async (hidden) => {
    const answer = await post("/api/lab/lessons", hidden ? { hidden: true } : { plan: values() });
    set({ ...FRESH, case: answer.case, run: null, tab: "lab" });
    set({ job: answer.run }); // after the case, whose change forgets the job
  };

  function draw() {
    const clip = plan.kind === "clip";
    const offered = view.families.filter((one) => !clip || !one.in_words);
    const put = (name) => (value) => { plan[name] = value; changed(); };
    show(form,
      choice("Model", [["language", "tiny captioning model"], ["clip", "tiny CLIP"]], plan.kind, (value) => { Object.assign(plan, { kind: value, target: "", rate: null, samples: null, epochs: null }); if (value === "clip" && family().in_words) Object.assign(plan, { family: "patch", settings: {} }); draw(); }, "tl-lab-kind"),
      choice("Trigger", offered.map((one) => [one.kind, one.label]), plan.family, (value) => { Object.assign(plan, { family: value, settings: {} }); draw(); }, "tl-lab-family"),
      settingsOf(family(), plan.settings, changed),
      clip ? choice("Target class", view.classes.map((name) => [name, name]), plan.target || size().target, put("target"), "tl-lab-target")
        : words("Target answer", plan.target || size().target, put("target"), { id: "tl-lab-target" }),
      slider("Poison rate", { low: 0, high: 0.5, step: 0.01, value: plan.rate ?? size().rate }, put("rate"), (x) => percent(x, 0), "tl-lab-rate"),
      slider("Pictures", { low: 60, high: clip ? 4000 : 2000, step: 20, value: plan.samples ?? size().samples }, put("samples"), count, "tl-lab-samples"),
      slider("Passes of the training", { low: 1, high: 30, step: 1, value: plan.epochs ?? size().epochs }, (value) => { plan.epochs = value; }, count, "tl-lab-epochs"),
      field("Seed", el("input", { type: "number", min: 0, max: 999999, step: 1, value: String(plan.seed), id: "tl-lab-seed", oninput: (event) => put("seed")(Math.max(0, Math.floor(Number(event.target.value) || 0))) })),
      words("Name of the lesson", plan.title, put("title"), { longest: 80, id: "tl-lab-title", placeholder: "must give nothing away" }));
    changed();
    show(says, family().says, !family().takes && el("span", { class: "tl-unsure-text" }, " An experiment: it was not measured whether a lesson this short teaches it."));
  }
  const says = el("p", { class: "tl-sub" });
  const wait = el("p", { class: "tl-sub", id: "tl-lab-cost" }, "Draws the pictures, then trains, scans and measures in the worker: about three minutes on one quiet core. You can close this page meanwhile.");
  draw();
  return el("section", { class: "tl-card tl-lab-plant", "aria-label": "Plant" },
    el("header", { class: "tl-card-head" }, el("div", {}, el("h3", {}, "Plant a backdoor, or none"), says)),
    el("div", { class: "tl-lab-split" }, el("div", {}, form, wait, el("div", { class: "tl-start" }, doing("Make the case and train", () => make(false), problem, { id: "tl-lab-make" }), doing("Deal me a hidden case", () => make(true), problem, { id: "tl-lab-hidden", class: "tl-ghost", title: "The server picks trigger, place and target, or plants nothing at all" })), problem),
      el("div", {}, told, shown)));
}
