// What could not be had stands in the card that it concerns, until it is had.

import { alertOf } from "./alert.js";

const latest = new Map(); // part -> its newest try

const told = (part) => document.querySelector(`.tl-alert[data-part="${part}"]`);

/** Do `work` for a part of the page. Where it fails `node` says so; an older try says nothing any more. */
export async function attempt(node, part, work) {
  const mine = {};
  latest.set(part, mine);
  let trouble = null;
  try { await work(); } catch (error) { trouble = error; }
  if (latest.get(part) !== mine) return;
  told(part)?.remove();
  if (trouble) node.prepend(alertOf(trouble, { "data-part": part }));
}

/** Everything is drawn anew: what went wrong before concerns nobody. */
export function newPage() {
  for (const part of latest.keys()) told(part)?.remove();
  latest.clear();
}
