// What follows a scan in a card of its own: its run under way, its result, or the offer to start it.

import { getJSON } from "../core/api.js";
import { card, el, empty, show } from "../core/dom.js";
import { state, watch } from "../core/store.js";
import { lineOf, triggersPath } from "./data.js";
import { stage, starter } from "./stages.js";

/**
 * A card of what follows a scan. `about` is the path of its view; `title`, `subtitle`, `label` and `id` are the card's.
 * `result(view, follower)` draws what was found, `begin(follower)` says how it is started ({text, id, options}) and
 * `offer(follower)` what is said while there is nothing ({title, advice}). A follower knows the scan, the run drawn and its parts.
 */
export function following(method, about, { title, subtitle, label, id }, { result, begin, offer }) {
  const [body, tools, trouble] = [el("div"), el("span", { class: "tl-tools" }), el("div")];
  const node = card(title, { subtitle, tools: [tools], label }, trouble, body);
  node.id = id;
  let asked = 0;
  const follower = { node, body, tools, scan: null, drawn: null, start, load, update };

  function start(primary) {
    const { text, ...given } = begin(follower);
    return starter(method, text, trouble, { ...given, primary });
  }

  /** Draw what there is instead of a result. */
  function wait(line, words) {
    show(tools);
    node.dataset.run = "";
    show(body, stage(line, words));
  }

  async function load() {
    if (!follower.scan || !state.methods) return; // without methods another case is being opened
    const mine = asked += 1;
    const line = lineOf(method);
    if (line?.active) { follower.drawn = null; wait(line, {}); return; }
    try {
      const { view } = await getJSON(triggersPath(follower.scan.run, about));
      if (mine !== asked || (view && view.run === follower.drawn)) return;
      show(trouble);
      follower.drawn = view?.run ?? null;
      if (!view) { wait(line, { ...offer(follower), begin: () => start(true) }); return; }
      result(view, follower);
      node.dataset.run = view.run;
    } catch (error) {
      if (mine !== asked) return;
      follower.drawn = null; // the next good answer is drawn in its place
      node.dataset.run = "";
      show(tools);
      show(body, empty(error.message, error.remedy ?? ""));
    }
  }

  /** Tell which scan is on the page. */
  function update(view) {
    if (follower.scan?.run !== view.run) follower.drawn = null;
    follower.scan = view;
    return load();
  }

  watch(["case"], () => { asked += 1; follower.scan = follower.drawn = null; }); // no other case has this scan
  watch(["methods", "finished"], load);
  return follower;
}
