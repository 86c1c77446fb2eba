// How a tuning went: the loss by step while it runs, and every curve that it kept once it is over.

import { getJSON } from "../core/api.js";
import { card, el, show } from "../core/dom.js";
import { fixed } from "../core/format.js";
import { repairPath } from "./data.js";
import { lineChart } from "./lines.js";

const UNITS = { share: "share of pictures", cosine: "cosine", loss: "loss", nats: "nats a token", weight: "share of the answers’ weight" };

const PACE = 2000; // milliseconds between looks at a loss that grows

/** Words for a figure: where each series begins and ends. */
const told = (title, series) => `${title}. ${series.map((one) => `${one.label}: ${fixed(one.values[0], 3)} to ${fixed(one.values.at(-1), 3)}`).join("; ")}.`;

/** Names of stages as people read them: the loops call a plain step "step". */
const stageName = (stage) => (stage === "step" || !stage ? "tuning" : stage);

/** The loss of a run; `follow(run, active)` draws it, again and again while it is under way, `stop()` ends. */
export function liveCurve() {
  const charts = el("div", { class: "tl-rp-live" });
  const node = el("div", { hidden: true }, charts);
  let [timer, run, live, shown] = [null, null, false, new Map()];

  async function look() {
    clearTimeout(timer);
    if (run === null) return;
    const of = run;
    try {
      const { stages } = await getJSON(repairPath(of, "/losses"));
      if (of !== run) return;
      for (const stage of stages) {
        if (!shown.has(stage.stage)) {
          const chart = lineChart({ height: 140 });
          shown.set(stage.stage, chart);
          charts.append(el("section", {}, el("header", { class: "tl-card-head" }, el("h4", {}, `Loss, ${stageName(stage.stage)}`), el("div", { class: "tl-tools" }, chart.button)), chart.node));
        }
        const label = stageName(stage.stage);
        shown.get(stage.stage).update({ x: "step", unit: "loss", label: told(`Loss of the ${label}`, [{ label, values: stage.loss }]), series: [{ label, steps: stage.steps, values: stage.loss }] });
      }
      node.hidden = !stages.length;
      node.dataset.points = String(stages.reduce((sum, stage) => sum + stage.steps.length, 0));
    } catch { /* the bar at the top says what is wrong with the server */ }
    if (of === run && live) timer = setTimeout(look, PACE);
  }

  function clear() {
    shown = new Map();
    show(charts);
    node.hidden = true;
  }
  return {
    node,
    follow(next, active) {
      if (next === run && active === live) return;
      if (next !== run) clear();
      [run, live] = [next, active];
      look(); // one that ended is looked at once
    },
    stop() { run = null; clearTimeout(timer); node.hidden = true; },
  };
}

/** The curves of a finished repair, each in a card; none where it kept none. */
export const curveCards = (view) => view.curves.map((found) => {
  const chart = lineChart({ dots: found.series.every((one) => one.values.length <= 30) });
  const node = card(found.title, { subtitle: `${UNITS[found.unit] ?? found.unit}, by ${found.x}`, tools: [chart.button], className: "tl-rp-curve" }, chart.node);
  chart.update({ ...found, label: told(found.title, found.series) });
  return node;
});
