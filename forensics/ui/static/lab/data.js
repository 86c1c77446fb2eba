// What the cards of the Lab tab share.

import { alertOf } from "../core/alert.js";
import { casePath } from "../core/api.js";
import { el, show } from "../core/dom.js";
import { percent } from "../core/format.js";
import { state } from "../core/store.js";

export const labPath = (part = "") => `${casePath(state.case)}/lab${part}`;

/** Show what went wrong, with what to do about it. */
export const trouble = (node, error) => show(node, error && alertOf(error));

/** A button that waits for what it does, and says what went wrong in `problem`. */
export function doing(text, act, problem, attributes = {}) {
  const button = el("button", { type: "button", class: "tl-primary", ...attributes, onclick: async () => {
    button.disabled = true;
    trouble(problem, null);
    try { await act(); } catch (error) { trouble(problem, error); }
    button.disabled = false;
  } }, text);
  return button;
}

/** A rate with its n and 95 % interval, as a cell of a table. */
export function rateCell(rates, name, count) {
  const value = rates?.[name];
  if (value === null || value === undefined) return el("td", {}, "–");
  const around = rates.intervals?.[name];
  return el("td", {}, el("b", {}, percent(value, 1)), el("span", { class: "tl-sub" },
    ` of ${rates[count] ?? "?"}${around ? `, ${percent(around[0], 1)} to ${percent(around[1], 1)}` : ""}`));
}
