// The point looked at: its picture, texts and numbers.

import { recall } from "../core/api.js";
import { card, el, empty, picture, show } from "../core/dom.js";
import { capital, signed } from "../core/format.js";
import { poolingPanel } from "../sample/pooling.js";
import { mapPath } from "./data.js";

const fact = (name, value) => [el("dt", {}, name), el("dd", {}, value)];

/** The card; `act.inspect(row)` opens the sample in the other tab (null: nothing would be there). */
export function sampleCard(act) {
  const body = el("div", { id: "tl-umap-sample", "aria-live": "polite" });
  const looks = poolingPanel();
  const node = card("Sample", {}, body, looks.node);
  let asked = 0;

  function full(item, { scores, said }) {
    return [el("div", { class: "tl-umap-one" }, picture(item.picture), el("dl", { class: "tl-facts" }, fact("Id", item.id),
      item.question ? fact("Question", item.question) : [], fact(capital(said), item.answer ?? "–"), item.label ? fact("Label", item.label) : [],
      fact("Group", item.cluster < 0 ? "in none" : String(item.cluster)), fact("From", el("span", { class: "tl-path" }, `${item.source}, line ${item.line}`)))),
    el("dl", { class: "tl-facts" }, scores.map((score) => fact(score.title, signed(item.scores[score.name], 3)))),
    act.inspect && el("button", { type: "button", class: "tl-ghost", id: "tl-umap-inspect", onclick: () => act.inspect(item.row) }, "Open in Attention")];
  }

  return {
    node,
    nothing() { asked += 1; looks.node.hidden = true; show(body, empty("No sample chosen.", "Click a point or a picture, or walk over the map with the arrow keys.")); },
    async open(name, run, row, summary) {
      const mine = asked += 1;
      try {
        const item = await recall(mapPath(name, run, `/samples/${row}`));
        if (mine === asked) { show(body, full(item, summary)); node.dataset.row = String(row); looks.open(row, item.id); }
      } catch (error) {
        if (mine === asked) show(body, empty("This sample cannot be shown.", `${error.message} ${error.remedy ?? ""}`));
      }
    },
  };
}
