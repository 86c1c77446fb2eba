// What stands where a result is not there yet: never run, waiting, under way, ended early.

import { alertOf } from "../core/alert.js";
import { el, empty } from "../core/dom.js";
import { count } from "../core/format.js";
import { openDrawer, resume, start } from "../methods/listing.js";

const button = (text, act, { primary = false, id = null } = {}) => el("button", { type: "button", class: primary ? "tl-primary" : "tl-ghost", id, onclick: act }, text);

/** A button that waits for what it does; what goes wrong is put into `trouble`. */
function doing(text, act, trouble, how) {
  return button(text, async ({ target }) => {
    target.disabled = true;
    try { await act(); } catch (error) {
      target.disabled = false;
      trouble.replaceChildren(alertOf(error));
    }
  }, how);
}

/** A button that starts a method with given options. */
export const starter = (name, text, trouble, { id, options = {}, primary = true } = {}) => doing(text, () => start(name, options), trouble, { primary, id });

/** The state of a method without a result: `line` is what is known of it. */
export function stage(line, { title, advice, begin }) {
  if (!line) return empty(`${title} is not part of this copy.`, "");
  if (line.active) return empty(line.active.state === "queued" ? "It waits for the worker." : "It is under way.", `The bar at the top shows how far it is${line.active.total ? ` (${count(line.active.done)} of ${count(line.active.total)})` : ""}; what it finds appears here. You can close this page, the work goes on.`);
  const trouble = el("div");
  if (line.trouble) {
    return el("div", {}, empty(`The latest run is ${line.trouble.state}.`, line.trouble.error || "What it finished is kept.",
      line.trouble.resumable && doing(line.trouble.state === "failed" ? "Try again" : "Resume", () => resume(line.trouble, line.name), trouble, { primary: true }), " ", button("Start anew…", () => openDrawer(line.name))), trouble);
  }
  return el("div", {}, empty(title, line.refused ? `${advice} ${line.refused}` : advice, line.cost && el("p", { class: "tl-estimate" }, el("b", {}, "Cost. "), line.cost), !line.refused && [begin?.(trouble), " ", button("Options…", () => openDrawer(line.name))]), trouble);
}
