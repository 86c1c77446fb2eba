// Where the Repair tab gets things from, and how its numbers read.

import { casePath } from "../core/api.js";
import { count, percent, signed } from "../core/format.js";
import { state } from "../core/store.js";

export const repairPath = (run, rest = "") => `${casePath(state.case)}/runs/${encodeURIComponent(run)}/repair${rest}`;
export const examplePicture = (run, place, how) => `/pictures/${encodeURIComponent(state.case)}/repairs/${encodeURIComponent(run)}/${place}/${how}.png`;
export const exportPath = (run) => `${casePath(state.case)}/runs/${encodeURIComponent(run)}/repaired.zip`;

const FILLS = { mean: "hidden", noise: "replaced by noise", blur: "blurred", shuffle: "replaced by other parts of it" };

/** What became of the cells of a second view, by the name of what fills them. */
export const filled = (fill) => FILLS[fill] ?? FILLS.mean;

/** A share with its interval and count, for a title or a table. */
export function inWords(rate) {
  if (rate.value === null || rate.value === undefined) return "not measured";
  return `${count(Math.round(rate.value * rate.n))} of ${count(rate.n)}, 95 % interval ${percent(rate.low, 1)} to ${percent(rate.high, 1)}`;
}

/** A difference in points of a hundred, with its sign. */
export const points = (value) => (value === null || value === undefined ? "–" : `${value > 0 ? "+" : ""}${signed(100 * value, 1)}`);

/** A paired difference with its interval, in points. */
export const change = (found) => (found ? `${points(found.value)} (${points(found.low)} to ${points(found.high)})` : "–");

const RAISED = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };
const raised = (power) => [...String(power)].map((sign) => RAISED[sign]).join("");

/** A divergence or entropy in nats: it may be very small. */
export function nats(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value === 0 || Math.abs(value) >= 0.001) return signed(value, 3);
  const power = Math.floor(Math.log10(Math.abs(value)));
  return `${(value / 10 ** power).toFixed(1).replace("-", "−")} · 10${raised(power)}`;
}

/** A power of ten as a tick: 1, 0.1, 10⁻³. */
export const powerOfTen = (power) => (Number.isInteger(power) ? (power >= -1 && power <= 2 ? String(10 ** power) : `10${raised(power)}`) : (10 ** power).toPrecision(1));

/** Options in one line. */
export const optionsText = (options) => options.map(({ name, value }) => `${name} ${value}`).join(", ");

/** Series of one chart: colours that colour-blind people tell apart, and dashes besides. */
export const TONES = ["a", "b", "c", "d", "e"];
export const DASHES = ["", "6 3", "2 3", "8 3 2 3", "1 4"];
