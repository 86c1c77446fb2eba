// Does the suspected trigger work elsewhere? The transplant test: its start, progress and result.

import { alertOf, herald } from "../core/alert.js";
import { casePath, getJSON, post, runPath } from "../core/api.js";
import { card, el, picture, show } from "../core/dom.js";
import { count, fixed, percent, signed } from "../core/format.js";
import { set, state, watch } from "../core/store.js";
import { intervals } from "../chart/intervals.js";
import { responsive, table, tableToggle } from "../chart/frame.js";
import { MARKS } from "./verdict.js";

const PACE = 1000; // milliseconds between looks at a test that works
const CALM = 4000; // and after a look that failed
const FORCED = 50; // samples that the control experiment takes by force
const WHAT = "Cuts the attention peak out of flagged samples, pastes it into pictures nobody suspects, and asks the model again, beside controls.";

const span = (found) => `${signed(found.value)} (${signed(found.low)} to ${signed(found.high)})`;

/** Every number of the test: the text alternative of the chart. */
function numbers(view) {
  return [table("Flips by kind of patch, with 95 % intervals", ["patch", "flips", "rate", "from", "to", "contains"],
    view.arms.map((row) => [row.label, `${count(row.flips)} of ${count(row.n)}`, percent(row.rate, 1),
      percent(row.low, 1), percent(row.high, 1), percent(row.rate_contains, 1)])),
  table("Suspected patch minus control; intervals clustered by donor", ["control", "difference", "p*", "beyond the base"],
    view.numbers.map((row) => [row.label, span(row), row.p < 0.001 ? "< 0.001" : fixed(row.p, 3), row.beyond ? span(row.beyond) : "–"])),
  el("p", { class: "tl-note" }, "* McNemar’s exact test, after Holm. “Contains”: the answer holds the tested one, but says more.")];
}

function answer(words, text, changed) {
  return el("p", { class: changed ? "tl-flip" : "" }, el("span", { class: "tl-sub" }, words), " ", el("q", {}, text ?? "no answer"));
}

/** One host before and after; a click shows it in the inspector. */
function pair(example) {
  return el("button", { type: "button", class: "tl-graft", "data-row": String(example.host_row), title: `Show sample ${example.host}; the patch is from ${example.donor}`,
    onclick: () => set({ sample: example.host_row }) },
  el("span", { class: "tl-graft-pictures" }, picture(example.picture, "gone"), el("span", { "aria-hidden": "true" }, "→"), picture(example.pasted, "gone")),
  answer("as it is", example.before, false), answer(example.flipped ? "▲ with patch" : "with patch", example.after, example.flipped));
}

/** What a finished test measured: chart, examples, necessity. */
export function transplantFigures(view) {
  const figure = el("div", { class: "tl-figure" });
  const holder = el("div", { hidden: true });
  const draw = responsive(figure, (width) => show(figure, intervals(width, { rows: view.arms, xLabel: "pictures whose answer becomes the patch’s answer",
    label: `Flip rate of each kind of patch: ${view.arms.map((row) => `${row.label} ${percent(row.rate)}`).join(", ")}.` })));
  const toggle = tableToggle(figure, holder, () => numbers(view));
  draw();
  return el("div", { class: "tl-transplant" },
    el("section", { "aria-label": "Flip rates" },
      el("header", { class: "tl-card-head" }, el("h4", {}, "How often the answer flips"), toggle.button), figure, holder,
      view.necessity && el("p", { class: "tl-note", id: "tl-necessity" }, view.necessity), el("p", { class: "tl-note" }, view.facts)),
    el("section", { "aria-label": "Examples" },
      el("header", { class: "tl-card-head" }, el("h4", {}, "Pictures drawn at random")),
      el("div", { class: "tl-grafts" }, view.examples.map(pair))));
}

/** The same for the panel of methods, in a card of its own. */
export const transplantPanel = (view) => el("div", { class: "tl-card" }, transplantFigures(view));

function verdict(view) {
  const mark = MARKS[view.verdict];
  return el("p", { class: "tl-transplant-said", id: "tl-transplant-said" },
    el("span", { class: `tl-chip tl-${mark.tone}` }, `${mark.shape} ${mark.name.toLowerCase()}`), " ", view.sentence);
}

function progress(view) {
  const share = view.total ? view.done / view.total : 0;
  return el("div", { class: "tl-transplant-wait" },
    el("div", { class: "tl-track", role: "progressbar", "aria-label": "Progress of the test", "aria-valuemin": "0", "aria-valuemax": String(view.total || 1), "aria-valuenow": String(view.done) },
      el("i", { style: `width:${(100 * share).toFixed(1)}%` })),
    el("span", { class: "tl-sub" }, view.state === "queued" ? "waiting for the worker" : `${count(view.done)} of about ${count(view.total)} questions · ${view.message || "loading the model"}`));
}

/** The card among the evidence of a scan. */
export function transplantCard() {
  const body = el("div");
  const problem = el("div", { "aria-live": "polite" });
  const tools = el("span", { class: "tl-tools" });
  const said = herald(); // the numbers of the progress change each second
  const node = card("Does the suspected trigger work elsewhere?", { subtitle: WHAT, tools: [tools], label: "Transplant test" }, body, problem, said.node);
  node.id = "tl-transplant";
  let flagged = 0;
  let timer = null;
  let drawn = "";

  const path = () => `${runPath(state)}/transplant`;

  /** Ask for what a button says, then go on with the answer; what goes wrong stands below it. It concerns no other run of the page. */
  async function pressed({ target }, ask, then) {
    const asked = path();
    target.disabled = true;
    show(problem);
    try {
      const answer = await ask();
      if (asked === path()) then(answer);
    } catch (error) {
      if (asked !== path()) return;
      target.disabled = false;
      show(problem, alertOf(error));
    }
  }

  const begin = (event, force) => pressed(event, () => post(path(), { force }), (view) => { set({ job: view.run }); draw(view); });

  const resume = (event, run) => pressed(event, () => post(`${casePath(state.case)}/runs/${encodeURIComponent(run)}/resume`),
    () => { set({ job: run }); look(); });

  const start = (text) => el("button", { type: "button", class: "tl-primary", id: "tl-transplant-start", onclick: (event) => begin(event, 0) }, text);
  const control = () => el("button", { type: "button", class: "tl-ghost", id: "tl-transplant-force", onclick: (event) => begin(event, FORCED),
    title: `Takes the ${FORCED} lowest-scoring samples as if they were flagged, to see what the test says without a trigger` }, `Control run: flag ${FORCED} by force`);

  function invite() {
    return el("div", { class: "tl-transplant-start" }, flagged
      ? [start("Test it on other pictures"), el("span", { class: "tl-sub" }, "A few thousand short questions to the model; the bar at the top shows the progress.")]
      : [el("span", {}, "Nothing is flagged by this scan, so there is no patch to cut out."), control()]);
  }

  function ended(view) {
    const words = { failed: view.error, cancelled: "The test was cancelled; what was asked is kept.", interrupted: "The process that ran the test is gone; what was asked is kept." };
    return el("div", { class: "tl-transplant-start" }, view.resumable
      ? el("button", { type: "button", class: "tl-primary", onclick: (event) => resume(event, view.run) }, view.state === "failed" ? "Try again" : "Resume") : start("Start again"),
    el("span", {}, words[view.state] ?? view.state));
  }

  function draw(view) {
    const working = view.state === "queued" || view.state === "running";
    clearTimeout(timer);
    if (working) timer = setTimeout(again, PACE);
    const key = view.state === "finished" ? `${view.run}` : "";
    if (working || said.node.textContent) said.tell(`The transplant test is ${view.state}.`);
    if (key && key === drawn) return;
    drawn = key;
    const done = view.state === "finished";
    show(tools, done && (flagged ? el("button", { type: "button", class: "tl-ghost", onclick: (event) => begin(event, 0) }, "Test again") : control()));
    if (!view.state) show(body, invite());
    else if (working) show(body, progress(view));
    else if (!done) show(body, ended(view));
    else {
      show(body, verdict(view), transplantFigures(view), el("details", { class: "tl-limits tl-transplant-foot" },
        el("summary", {}, "What this cannot show"), el("ul", {}, view.limits.map((text) => el("li", {}, text)))));
    }
    node.dataset.state = view.state ?? "none";
  }

  async function look() {
    const asked = path();
    clearTimeout(timer);
    try {
      const view = await getJSON(asked);
      if (asked === path()) draw(view);
    } catch (error) {
      if (asked !== path()) return;
      drawn = ""; // the next good answer is drawn in its place
      show(body, el("p", { class: "tl-note" }, `${error.message} ${error.remedy ?? ""}`));
      clearTimeout(timer);
      timer = setTimeout(again, CALM);
    }
  }

  const again = () => { if (state.case && state.run && !node.hidden) look(); };

  watch(["finished", "job"], again);
  return {
    node,
    update(found) {
      const { rules, scanned_rule: rule } = found.summary;
      flagged = rules[rule]?.flagged ?? 0;
      drawn = "";
      show(problem);
      said.tell("");
      return look();
    },
  };
}
