// A card beside the pointer: picture and texts of the point under it.

import { recall } from "../core/api.js";
import { el, picture, show } from "../core/dom.js";
import { mapPath } from "./data.js";

const DWELL = 125; // milliseconds on a point before its texts are asked for

/** The card; `update(i, x, y)` follows the pointer, `open(name, run, rows, said)` says whose points these are and what their texts are called. */
export function hoverCard(stage) {
  const node = el("div", { class: "tl-umap-hover", id: "tl-umap-hover", hidden: true, "aria-hidden": "true" });
  stage.append(node);
  let [name, run, rows, said, at, timer] = [null, null, [], "answer", -1, null];

  function stand(x, y) {
    const [width, height] = [stage.clientWidth, stage.clientHeight];
    node.style.left = `${x + 18 + 230 > width ? Math.max(4, x - 18 - 226) : x + 18}px`;
    node.style.top = `${Math.max(4, Math.min(y - 20, height - node.offsetHeight - 6))}px`;
  }

  async function fill(i, x, y) {
    try {
      const item = await recall(mapPath(name, run, `/samples/${rows[i]}`));
      if (i !== at) return;
      show(node, picture(item.picture), el("div", {}, el("strong", {}, item.id), el("p", { class: "tl-sub" }, item.question ?? ""),
        el("p", {}, item.answer ?? `no ${said}`), el("p", { class: "tl-sub" }, item.cluster < 0 ? "in no group" : `group ${item.cluster}`)));
      node.hidden = false;
      node.dataset.row = String(item.row);
      stand(x, y);
    } catch { node.hidden = true; /* the gallery below says what is wrong with the server */ }
  }

  return {
    open(...next) { [name, run, rows, said] = next; at = -1; node.hidden = true; },
    update(i, x, y) {
      if (i === at) { if (i >= 0 && !node.hidden) stand(x, y); return; }
      at = i;
      clearTimeout(timer);
      node.hidden = true;
      if (i >= 0) timer = setTimeout(fill, DWELL, i, x, y);
    },
  };
}
