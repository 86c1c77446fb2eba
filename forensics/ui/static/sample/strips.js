// The scan's candidates against random controls, in the inspector: their start, progress and dots.

import { responsive } from "../chart/frame.js";
import { el, show } from "../core/dom.js";
import { getJSON, post, runPath } from "../core/api.js";
import { count } from "../core/format.js";
import { state } from "../core/store.js";
import { lanes, measureHead, MEASURES } from "./comparison.js";

const PACE = 1000;
const ENDS = { failed: "failed", cancelled: "was cancelled", interrupted: "was interrupted" };

/** The strips of the scan that the page shows; `about()` returns {sample}. */
export function strips(about) {
  const node = el("div", { class: "tl-strips", id: "tl-strips" });
  let known = null;
  let timer = null;
  const redraw = responsive(node, drawStrips);

  function offer(text, label) {
    show(node, el("p", { class: "tl-note" }, text),
      el("button", { type: "button", class: "tl-ghost", id: "tl-compare", onclick: start,
        title: "Shows 16 masked views of up to 64 flagged and 64 other samples to the model" }, label));
  }

  function draw() {
    delete node.dataset.ready;
    if (!known || known.state === null) { offer("This scan’s candidates were not compared with controls yet.", "Compare candidates with controls"); return; }
    if (known.state === "queued" || known.state === "running") {
      show(node, el("p", { class: "tl-note" }, `Comparing candidates with controls: ${count(known.done)} of ${known.total ? count(known.total) : "…"} samples.`));
      return;
    }
    if (known.state !== "finished") { offer(`The comparison ${ENDS[known.state] ?? "stopped"}. ${known.error ?? ""}`, "Compare again"); return; }
    redraw();
    node.dataset.ready = "1";
  }

  function drawStrips(width) {
    if (known?.state !== "finished") return;
    const [some, other] = [true, false].map((c) => known.samples.filter((s) => s.candidate === c).length);
    show(node, el("h4", {}, `${count(some)} candidates, ${count(other)} controls`),
      MEASURES.map((measure) => el("div", {}, measureHead(measure, known), lanes(width, known, measure, about().sample?.row))));
  }

  async function look() {
    clearTimeout(timer);
    const path = `${runPath(state)}/masked-views`;
    try {
      known = await getJSON(path);
    } catch (error) {
      offer(`${error.message} ${error.remedy ?? ""}`, "Compare candidates with controls");
      return;
    }
    if (path !== `${runPath(state)}/masked-views`) return;
    draw();
    if (known.state === "queued" || known.state === "running") timer = setTimeout(look, PACE);
  }

  async function start() {
    try {
      known = await post(`${runPath(state)}/masked-views`);
    } catch (error) {
      offer(`${error.message} ${error.remedy ?? ""}`, "Compare again");
      return;
    }
    draw();
    timer = setTimeout(look, PACE);
  }

  return { node, update: look };
}
