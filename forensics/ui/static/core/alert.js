// What is read out at once: what could not be done and what to do about it, and where something stands.

import { el, show } from "./dom.js";

/** A paragraph that is read out at once: an error's message and its remedy. */
export const alertOf = (error, attributes = {}) =>
  el("p", { class: "tl-alert", role: "alert", ...attributes }, el("strong", {}, error.message), " ", error.remedy ?? "");

/** A hidden line that is read out when `tell` changes it: for what ticks on the page, which is not read out itself. */
export function herald() {
  const node = el("span", { class: "tl-unseen", role: "status" });
  return { node, tell(text) { if (node.textContent !== text) show(node, text); } };
}
