// What the tab asks the server, and what it keeps of the answers.

import { casePath, getJSON, post, Trouble } from "../core/api.js";
import { state } from "../core/store.js";

const NAME = "triggerlens-reviewer";
const BLIND = "triggerlens-blind";

/** The reviewer of this browser: a name in their words, and whether others' verdicts are hidden. */
export const me = {
  get by() { return localStorage.getItem(NAME) ?? ""; },
  set by(name) { localStorage.setItem(NAME, name.trim()); },
  get blind() { return localStorage.getItem(`${BLIND}-${state.case}`) === "1"; },
  set blind(on) { if (on) localStorage.setItem(`${BLIND}-${state.case}`, "1"); else localStorage.removeItem(`${BLIND}-${state.case}`); },
};

export function reviewPath(rest = "", extra = {}) {
  const query = new URLSearchParams({ by: me.by, blind: me.blind ? "1" : "0" });
  for (const [name, value] of Object.entries(extra)) if (value !== null && value !== undefined) query.set(name, String(value));
  return `${casePath(state.case)}/review${rest}?${query}`;
}

export const loadSummary = () => getJSON(reviewPath());
export const loadCard = (row) => getJSON(reviewPath(`/samples/${row}`));
export const loadItems = async (rows) => (await getJSON(reviewPath("/items", { rows: rows.join(",") }))).items;
export const loadAgreement = () => getJSON(reviewPath("/agreement"));

/** The rows of a filter, or of a selection on the map, with what holds of each and how many checks flag it. */
export async function loadQueue({ shown, channel, selection }) {
  const path = selection ? reviewPath("/selection", { run: selection.run, key: selection.key }) : reviewPath("/queue", { shown, channel });
  const response = await fetch(path, { credentials: "same-origin" });
  if (!response.ok) {
    const told = await response.json().catch(() => ({}));
    throw new Trouble(told.error ?? `The server answered ${response.status}.`, told.remedy ?? "");
  }
  const bytes = await response.arrayBuffer();
  const n = new DataView(bytes).getUint32(0, true);
  return { n, rows: new Int32Array(bytes, 4, n), codes: new Uint8Array(bytes, 4 + 4 * n, n), flags: new Uint8Array(bytes, 4 + 5 * n, n) };
}

export const compare = () => post(reviewPath("/compare"), {});

/** What verdicts are called, in the order of the server's codes, and how they look. */
export const VERDICTS = [
  { name: "keep", word: "keep", mark: "✓", className: "tl-rv-keep" },
  { name: "flag", word: "flag", mark: "⚑", className: "tl-rv-flag" },
  { name: "unsure", word: "unsure", mark: "?", className: "tl-rv-unsure" },
  { name: "disagreement", word: "reviewers disagree", mark: "≠", className: "tl-rv-apart" },
  { name: "undecided", word: "undecided", mark: "", className: "tl-rv-open" },
];
export const codeOf = (name) => VERDICTS.findIndex((verdict) => verdict.name === (name || "undecided"));
