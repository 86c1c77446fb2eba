// What colours the points: a list to choose from, a legend whose entries hide and show their points.

import { el, show } from "../core/dom.js";
import { capital, clock, count, fixed } from "../core/format.js";
import { onTheme, ramp } from "../core/palette.js";
import { loadCodes, loadDecisions } from "./data.js";
import { flagLooks, kindLooks, scoreCodes, scoreLooks, shapeName, swatch } from "./glyphs.js";

const COLUMNS = { answer: ({ said }) => capital(said), label: () => "Label", source: () => "Source file" };

/** Every way to colour a map: {key, group, text}. */
function ways(summary, truth) {
  const found = summary.flags.map((run) => ({ key: run.run, group: "Verdict: flags of", text: `${run.label}${run.mode ? `, ${run.mode}` : ""}, ${clock(run.created)}` }));
  found.push({ key: "decision", group: "Verdict", text: "Decisions of people" });
  found.push({ key: "cluster", group: "Groups and data", text: "Group" });
  for (const [key, text] of Object.entries(COLUMNS)) if (summary.categories[key]) found.push({ key, group: "Groups and data", text: text(summary) });
  for (const score of summary.scores) found.push({ key: `score:${score.name}`, group: "Score", text: score.title });
  if (truth) found.push({ key: "truth", group: "Revealed", text: "Ground truth" });
  return found;
}

/** Codes, looks and legend of one way. */
async function colours(name, summary, points, key, truth) {
  if (key.startsWith("score:")) {
    const score = summary.scores.find((one) => `score:${one.name}` === key);
    return { codes: scoreCodes(points.scores[score.name], score), looks: scoreLooks, score, legend: null };
  }
  if (key === "decision") { const { codes, legend } = await loadDecisions(name, summary.run); return { codes, looks: kindLooks, legend }; }
  const codes = await loadCodes(name, summary.run, key);
  const run = summary.flags.find((one) => one.run === key);
  if (run || key === "truth") return { codes, looks: flagLooks, legend: (run ?? truth).legend };
  return { codes, looks: kindLooks, legend: summary.categories[key] };
}

function entry({ code, label, count: size }, look, hidden, toggle) {
  return el("button", { type: "button", class: "tl-umap-key", "aria-pressed": String(!hidden), "data-code": code,
    title: `${hidden ? "Show" : "Hide"} these points; hidden points are not selected. Shape: ${shapeName(look)}.`, onclick: toggle },
  swatch(look), el("span", {}, label), el("span", { class: "tl-sub" }, count(size)));
}

/** The point of a group that is nearest to its centre: a group of two parts has none at the centre. */
function middleOf({ cluster, centre: [cx, cy] }, { x, y, cluster: of }) {
  let [best, far] = [0, Infinity];
  for (let i = 0; i < of.length; i += 1) {
    const gap = of[i] === cluster ? (x[i] - cx) ** 2 + (y[i] - cy) ** 2 : Infinity;
    if (gap < far) { far = gap; best = i; }
  }
  return best;
}

/** The chooser and the legend; `apply({codes, looks, groups})` and `hide(codes)` act on the map. */
export function colourBar({ apply, hide, failed }) {
  const chooser = el("select", { id: "tl-umap-colour", class: "tl-umap-select", "aria-label": "Colour the points by" });
  const legend = el("div", { class: "tl-umap-legend", id: "tl-umap-legend", role: "group", "aria-label": "Legend: press an entry to hide its points" });
  const node = el("label", { class: "tl-umap-by" }, "colour by ", chooser);
  let [name, found, truth, shown, hidden] = [null, null, null, null, new Set()];
  let asked = 0;

  function drawLegend() {
    if (shown.score) {
      const { low, high, meaning } = shown.score;
      show(legend, el("span", { class: "tl-legend tl-umap-scale" }, el("span", {}, fixed(low, 3)), el("i", { style: `background:${ramp()}` }), el("span", {}, fixed(high, 3))),
        el("span", { class: "tl-sub" }, meaning));
      return;
    }
    const looks = shown.looks();
    show(legend, shown.legend.map((line) => entry(line, looks.get(line.code), hidden.has(line.code), () => {
      if (hidden.has(line.code)) hidden.delete(line.code); else hidden.add(line.code);
      hide(new Set(hidden));
      drawLegend();
    })));
  }

  /** Names on the map, where they are what the colours say. */
  const names = (key) => (key === "cluster" ? found.summary.groups.filter((group) => group.cluster >= 0).slice(0, 40)
    .map((group) => ({ text: String(group.cluster), point: middleOf(group, found.points) })) : []);

  async function use(key) {
    const mine = asked += 1;
    try {
      const next = await colours(name, found.summary, found.points, key, truth);
      if (mine !== asked) return;
      shown = next;
      hidden = new Set();
      hide(hidden);
      apply({ codes: shown.codes, looks: shown.looks(), groups: names(key) });
      drawLegend();
      legend.dataset.ready = key;
    } catch (error) {
      if (mine === asked) failed(error);
    }
  }

  function options(chosen) {
    const all = ways(found.summary, truth);
    const groups = [...new Set(all.map((way) => way.group))];
    show(chooser, groups.map((group) => el("optgroup", { label: group }, all.filter((way) => way.group === group)
      .map((way) => el("option", { value: way.key, selected: way.key === chosen }, way.text)))));
    chooser.value = chosen;
  }

  chooser.addEventListener("change", () => use(chooser.value));
  onTheme(() => { if (shown) { apply({ codes: shown.codes, looks: shown.looks(), groups: names(chooser.value) }); drawLegend(); } });

  return {
    node, legend,
    update(caseName, next) {
      [name, found, truth, shown] = [caseName, next, null, null];
      const flagging = next.summary.flags.find((run) => run.legend.some((line) => line.code === 1 && line.count));
      const first = flagging?.run ?? "cluster";
      options(first);
      return use(first);
    },
    /** Offer flags of runs that ended since. */
    offer() { options(chooser.value); },
    reveal(next) { truth = next; options("truth"); return use("truth"); },
  };
}
