// What could not be done, and what to do about it.

import { el } from "./dom.js";

/** A paragraph that is read out at once: an error's message and its remedy. */
export const alertOf = (error, attributes = {}) =>
  el("p", { class: "tl-alert", role: "alert", ...attributes }, el("strong", {}, error.message), " ", error.remedy ?? "");
