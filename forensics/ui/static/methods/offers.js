// Methods that were not run yet: a button each, which opens its form in the drawer.

import { el, show } from "../core/dom.js";
import { clock } from "../core/format.js";
import { openDrawer } from "./listing.js";
import { nameParts, readiness, verdictWord } from "./words.js";

/** What is known already, or what a first run would take. */
const second = (line) => (line.said ? `Ran ${clock(line.said.created)}: ${line.said.outcome ?? verdictWord(line.said.verdict)}.` : readiness(line));

function offer(line, place) {
  return el("button", { type: "button", class: "tl-offer", id: `${place}-offer-${line.name}`, disabled: Boolean(line.refused),
    title: `Gives ${line.gives}`, onclick: () => openDrawer(line.name) },
  el("span", {}, `${line.said ? "↻" : "+"} `, nameParts(line.label)), el("span", { class: "tl-sub" }, second(line)));
}

/** A row of buttons under a heading; `place` begins their ids, for two such rows are on the page. */
export function offers(heading, place) {
  const node = el("div", { class: "tl-offers", hidden: true });
  return {
    node,
    update(lines) {
      node.hidden = !lines.length;
      show(node, el("span", { class: "tl-sub" }, heading), el("div", { class: "tl-offer-row" }, lines.map((line) => offer(line, place))));
    },
  };
}
