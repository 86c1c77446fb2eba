// Repair the prompts with the reconstructed trigger. Placeholder until the result is read.

import { card, el, show } from "../core/dom.js";
import { lineOf, REPAIR } from "./data.js";
import { stage, starter } from "./stages.js";

/** The card; `update(view)` tells it which scan is on the page. */
export function repairCard() {
  const body = el("div");
  const node = card("Repair the prompts", { label: "Repair" }, body);
  return { node, update(view) { show(body, stage(lineOf(REPAIR), { title: "Not repaired yet.", advice: "", begin: (trouble) => starter(REPAIR, "Repair the prompts", trouble, { id: "tl-repair-start", options: { run: view.run } }) })); } };
}
