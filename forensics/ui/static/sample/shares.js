// The attention of one sample in every layer: as the scan kept it, or as the model tells it now.

import { state } from "../core/store.js";
import { attention, halves, layerMap } from "./live.js";
import { inView } from "./views.js";

const NOTES = {
  asking: () => (state.live ? "Asking the model for its heads…" : "Starting the model, this can take a while…"),
  nothingToHide: () => "There is no attention peak to hide.",
  notKept: () => "The scan kept no map of this sample; move the head slider to ask the model for it.",
};

/** [layer][token] from the flat array that the scan kept; null where it kept none. */
function byLayer(text, layers) {
  const flat = text && halves(text);
  const tokens = flat && flat.length / layers;
  return flat && Array.from({ length: layers }, (_, l) => flat.subarray(l * tokens, (l + 1) * tokens));
}

/** Shares of the sample at hand; `told()` is called when an answer or a note has arrived. */
export function shares(told) {
  let sample = null;
  let stored = null; // head means as the scan kept them
  let live = null; // the worker's reply for the picture as shown
  let asked = null; // what the worker works on
  let note = "";
  const fromScan = (hidden) => stored && !hidden && state.head === "mean";

  /** Ask the worker for the heads of the picture as shown; a question that is under way is not asked twice. */
  async function ask(hide) {
    const question = JSON.stringify([sample.row, hide]);
    if (asked === question) return;
    asked = question;
    note = NOTES.asking();
    told();
    let reply = null;
    let trouble = "";
    try { reply = await attention(sample.row, hide); } catch (error) { trouble = `${error.message} ${error.remedy ?? ""}`; }
    if (asked !== question) return;
    asked = null;
    [live, note] = [reply, trouble];
    told();
  }

  return {
    note: () => note,
    entropy: (hidden) => (hidden && live ? live.entropy : sample.entropy),

    /** Turn to another sample. */
    begin(next, layers) {
      [sample, stored, live, asked, note] = [next, byLayer(next.map, layers), null, null, ""];
    },

    /** The picture is shown otherwise: what the model told of it no longer holds. */
    forget() { live = asked = null; },

    /** Shares of a view, [layer][cell]; null where there are none yet. */
    maps(view, hidden) {
      if (fromScan(hidden)) return stored.map((values) => inView(values, view));
      return live && Array.from({ length: live.layers }, (_, l) => inView(layerMap(live, l, state.head), view));
    },

    /** See to it that there are shares to show; `hide` is {image, box} or null. */
    provide(hidden, hide) {
      note = "";
      if (hidden && !hide) note = NOTES.nothingToHide();
      else if (!live && !fromScan(hidden)) {
        if (hidden || state.head !== "mean" || state.live) { ask(hidden ? hide : null); return; }
        note = NOTES.notKept();
      }
      told();
    },
  };
}
