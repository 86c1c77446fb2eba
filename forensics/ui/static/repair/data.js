// Where the Repair tab gets things from, and how its numbers read.

import { casePath } from "../core/api.js";
import { count, percent, signed } from "../core/format.js";
import { state } from "../core/store.js";

export const repairPath = (run, rest = "") => `${casePath(state.case)}/runs/${encodeURIComponent(run)}/repair${rest}`;
export const examplePicture = (run, place, how) => `/pictures/${encodeURIComponent(state.case)}/repairs/${encodeURIComponent(run)}/${place}/${how}.png`;
export const exportPath = (run) => `${casePath(state.case)}/runs/${encodeURIComponent(run)}/repaired.zip`;

/** A share with its interval and count, for a title or a table. */
export function inWords(rate) {
  if (rate.value === null || rate.value === undefined) return "not measured";
  return `${count(Math.round(rate.value * rate.n))} of ${count(rate.n)}, 95 % interval ${percent(rate.low, 1)} to ${percent(rate.high, 1)}`;
}

/** A difference in points of a hundred, with its sign. */
export const points = (value) => (value === null || value === undefined ? "–" : `${value > 0 ? "+" : ""}${signed(100 * value, 1)}`);

/** A paired difference with its interval, in points. */
export const change = (found) => (found ? `${points(found.value)} (${points(found.low)} to ${points(found.high)})` : "–");

/** Options in one line. */
export const optionsText = (options) => options.map(({ name, value }) => `${name} ${value}`).join(", ");

/** Series of one chart: colours that colour-blind people tell apart, and dashes besides. */
export const TONES = ["a", "b", "c", "d", "e"];
export const DASHES = ["", "6 3", "2 3", "8 3 2 3", "1 4"];
