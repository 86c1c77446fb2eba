// The cards of the open case that were loaded, some ahead; each is asked for once until it is given up.

import { sameCase } from "../core/store.js";
import { loadCard } from "./data.js";

/** Cards by row: `load(row)`, `drop(row)` after something changed, `forget()` all. */
export function loadedCards() {
  const cards = new Map(); // row -> promise

  function ask(row) {
    const promise = loadCard(row);
    promise.catch(() => { if (cards.get(row) === promise) cards.delete(row); });
    cards.set(row, promise);
    return promise;
  }

  /** The card of a row; one that was given up while it was on its way is asked for again. */
  async function load(row) {
    const same = sameCase();
    const asked = cards.get(row) ?? ask(row);
    const card = await asked;
    return cards.get(row) === asked || !same() ? card : load(row);
  }

  return { load, drop(row) { cards.delete(row); }, forget() { cards.clear(); } };
}
