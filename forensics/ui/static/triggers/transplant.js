// Does the reconstructed trigger override content elsewhere? Placeholder until the result is read.

import { card } from "../core/dom.js";
import { lineOf, TRANSPLANT } from "./data.js";
import { stage, starter } from "./stages.js";
import { el, show } from "../core/dom.js";

/** The card; `update(view)` tells it which scan is on the page. */
export function transplantCard() {
  const body = el("div");
  const node = card("Does the trigger work on other pictures?", { label: "Transplant test" }, body);
  return { node, update(view) { show(body, stage(lineOf(TRANSPLANT), { title: "Not tested yet.", advice: "", begin: (trouble) => starter(TRANSPLANT, "Test it on other pictures", trouble, { id: "tl-graft-start", options: { run: view.run } }) })); } };
}
