// Ways from Home to a case, a run, a sample; each is a link too, for another window or a colleague.

import { FRESH, set, state } from "../core/store.js";
import { BASE, SELF_TEST, TRIGGERS } from "../methods/listing.js";

/** Where a run is looked at: the fields of the state that show it. */
export function placeOf(row) {
  if (row.kind === "repair") return { repair: row.run, tab: "repair" };
  if (row.method === "clusters") return { map: row.run, tab: "clusters" };
  if (row.method === "trigger-inversion") return { inversion: row.run, tab: "triggers" };
  if (TRIGGERS.has(row.method)) return { tab: "triggers" };
  if (row.method === SELF_TEST) return { tab: "report" };
  if (row.method === BASE) return { run: row.run, view: null, tab: "attention" };
  return { view: row.method, tab: "attention" };
}

/** Open a case and then a place in it; in two steps, for every tab forgets the last case at the first. */
export function go(name, place = { tab: "case" }) {
  if (name !== state.case) set({ ...FRESH, case: name, run: place.run ?? null, inversion: null, trigger: null, repair: null, map: null });
  set({ ...(place.run && place.run !== state.run ? FRESH : {}), ...place });
}

/** The address of a place. */
export function addressOf(name, place = { tab: "case" }) {
  const query = new URLSearchParams({ case: name });
  for (const [key, value] of Object.entries(place)) if (value !== null) query.set(key, String(value));
  return `/?${query}`;
}

/** The attributes of a link that stays in this page unless another window is asked for. */
export function link(name, place) {
  return {
    href: addressOf(name, place),
    onclick: (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      go(name, place);
    },
  };
}
