// Download the ids that a decision keeps or flags.

import { decisionQuery, runPath } from "../core/api.js";
import { el, show } from "../core/dom.js";
import { count } from "../core/format.js";
import { state } from "../core/store.js";
import { counts } from "./ranking.js";

const FORMATS = ["csv", "jsonl", "parquet"];

function link(part, format, extra = {}) {
  const named = part + (extra.use_flags ? "-less" : "");
  if (state.cut !== null) extra = { ...extra, cut: state.cut };
  const href = `${runPath(state)}/export/${part}.${format}${decisionQuery(state, extra)}`;
  return el("a", { href, download: "", class: "tl-export-link", id: `tl-export-${named}-${format}` },
    format === "jsonl" ? "JSON Lines" : format === "csv" ? "CSV" : "Parquet");
}

function row(label, size, part, extra) {
  return el("div", { class: "tl-export-row" }, el("span", {}, `${label} (${count(size)})`),
    FORMATS.map((format) => link(part, format, extra)));
}

/** The downloads: without a suspicious verdict, "kept" holds everybody unless one asks otherwise. */
function rows(sizes, whole) {
  const flagged = row("▲ Flagged", sizes.flagged, "flagged");
  if (!whole) return [row("● Kept", sizes.kept, "kept"), flagged];
  return [row("● Kept: all", sizes.kept + sizes.flagged, "kept"),
    sizes.flagged ? row("● Without the flagged", sizes.kept, "kept", { use_flags: true }) : null,
    flagged].filter(Boolean);
}

function note(whole) {
  if (whole) return "The verdict is not “suspicious”, so nothing is removed unless you choose it.";
  return state.cut === null
    ? "As the rule decides. Each file names the run, the rule and the cut."
    : "With the cut moved by hand, and marked so in the file.";
}

/** A menu with one download per part and format. */
export function exportMenu() {
  const body = el("div", { class: "tl-menu" });
  const node = el("details", { class: "tl-export", id: "tl-export" }, el("summary", {}, "Export ids"), body);
  document.addEventListener("click", (event) => { if (!node.contains(event.target)) node.open = false; });
  node.addEventListener("keydown", (event) => { if (event.key === "Escape") node.open = false; });
  return {
    node,
    update(found) {
      const sizes = counts(found, state.cut);
      const whole = state.cut === null && found.summary.verdict.kind !== "suspicious";
      show(body, rows(sizes, whole), el("p", { class: "tl-sub" }, [note(whole), found.summary.turns_note].filter(Boolean).join(" ")));
    },
  };
}
