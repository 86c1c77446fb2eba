// Download the ids that a decision keeps or flags.

import { decisionQuery, runPath } from "../core/api.js";
import { el, show } from "../core/dom.js";
import { count } from "../core/format.js";
import { state } from "../core/store.js";
import { counts } from "./ranking.js";

const FORMATS = ["csv", "jsonl", "parquet"];

function link(part, format) {
  const extra = state.cut === null ? {} : { cut: state.cut };
  const href = `${runPath(state)}/export/${part}.${format}${decisionQuery(state, extra)}`;
  return el("a", { href, download: "", class: "tl-export-link", id: `tl-export-${part}-${format}` },
    format === "jsonl" ? "JSON Lines" : format === "csv" ? "CSV" : "Parquet");
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
      show(body, ["kept", "flagged"].map((part) => el("div", { class: "tl-export-row" },
        el("span", {}, `${part === "kept" ? "● Kept" : "▲ Flagged"} (${count(sizes[part])})`),
        FORMATS.map((format) => link(part, format)))),
      el("p", { class: "tl-sub" }, state.cut === null
        ? "As the rule decides. Each file names the run, the rule and the cut."
        : "With the cut moved by hand, and marked so in the file."));
    },
  };
}
