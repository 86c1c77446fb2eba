// How the attention on a picture changed, in words made of measurements.

import { el } from "../core/dom.js";
import { fixed, percent, signed } from "../core/format.js";

function strongest(values, columns) {
  let best = 0;
  for (let t = 1; t < values.length; t += 1) if (values[t] > values[best]) best = t;
  return { share: values[best], row: Math.floor(best / columns), column: best % columns, token: best };
}

/** Share of the attention that lies elsewhere: half the sum of absolute differences. */
export function shareMoved(before, after) {
  let sum = 0;
  for (let t = 0; t < before.length; t += 1) sum += Math.abs(before[t] - after[t]);
  return sum / 2;
}

const place = (peak) => `row ${peak.row}, column ${peak.column} (${percent(peak.share)})`;

/** Sentences about one layer; `heat` has {before, after, grid}. */
export function moved(heat, { layer, layers, before, after, pooling }) {
  const { columns } = heat.grid;
  const [was, is] = [strongest(heat.before, columns), strongest(heat.after, columns)];
  const share = shareMoved(heat.before, heat.after);
  const where = was.token === is.token ? `Its strongest place stays at ${place(was)}, now ${percent(is.share)}.` : `Its strongest place moves from ${place(was)} to ${place(is)}.`;
  return [el("b", {}, "Where it looks. "), `${percent(share)} of the attention lies elsewhere with the trigger. ${where} Entropy ${fixed(before)} → ${fixed(after)} nats (${after > before ? "+" : ""}${signed(after - before)}`,
    after > before ? ", more spread out" : ", more drawn together", `). ${pooling === "class token" ? "Class token" : "Pooling query"}, ${layers > 1 ? `layer ${layer} of 0 to ${layers - 1}, ` : ""}mean of heads.`];
}
