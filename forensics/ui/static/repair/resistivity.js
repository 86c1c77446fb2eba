// How little a small change of a picture moves each layer, before and after.

import { getJSON } from "../core/api.js";
import { card, el, empty, segmented, show } from "../core/dom.js";
import { fixed } from "../core/format.js";
import { repairPath } from "./data.js";
import { lineChart } from "./lines.js";

const WHAT = "Cosine of what a layer sees in a picture and in the same picture changed: 1 means the change does not move it.";

/** The card; it loads its own numbers. Null where the repair kept none. */
export function resistivityCard(view) {
  const facts = view.comparison?.resistivity;
  if (!facts) return null;
  const body = el("div");
  const tools = el("div", { class: "tl-tools" });
  const node = card("Resistivity, layer by layer", { subtitle: WHAT, tools: [tools] }, body);
  node.id = "tl-rp-resistivity";
  if (facts.problem) { show(body, empty("Not measured here.", facts.problem)); return node; }
  const chart = lineChart({ dots: true });
  const ways = el("div", { class: "tl-rp-ways" });
  const note = el("p", { class: "tl-note" });
  let [found, chosen] = [null, null];

  function draw() {
    const one = found.changes.find((entry) => entry.name === chosen);
    const steps = Array.from({ length: found.layers }, (_, k) => k);
    const series = [["before", "as delivered", "b"], ["after", "repaired", "a"]].map(([key, label, tone]) => ({ label, steps, values: one[key].mean, low: one[key].low, high: one[key].high, tone, dash: key === "before" ? "6 3" : "" }));
    show(ways, segmented("What is done to the pictures", found.changes.map((entry) => [entry.name, entry.label]), chosen, (next) => { chosen = next; draw(); }));
    chart.update({ series, unit: "cosine", x: "layer", label: `Resistivity to ${one.label}. ${series.map((line) => `${line.label}: ${line.values.map((value) => fixed(value, 2)).join(", ")}`).join("; ")}.` });
    const last = found.layers - 1;
    show(note, `Last layer: ${fixed(one.before.mean[last], 2)} before, ${fixed(one.after.mean[last], 2)} after. Mean of ${facts.pictures} test pictures; shaded: the middle half of them.`);
  }

  getJSON(repairPath(view.run, "/resistivity")).then((reply) => {
    found = reply;
    if (!found.changes.length) { show(body, empty("Not measured here.", "")); return; }
    chosen = (found.changes.find((entry) => entry.name === "trigger") ?? found.changes[0]).name;
    show(tools, chart.button);
    show(body, ways, chart.node, note);
    draw();
    node.dataset.ready = view.run;
  }).catch((error) => show(body, empty(error.message, error.remedy ?? "")));
  return node;
}
