// The strip on top: what the scan says, what that rests on, what it cannot say.

import { MARKS } from "../attention/verdict.js";
import { el, show } from "../core/dom.js";
import { fold } from "../core/fold.js";
import { clock, count, duration, fixed, percent, plural } from "../core/format.js";
import { openDrawer } from "../methods/listing.js";
import { FORMS, levels, SCAN } from "./data.js";

function settings(view) {
  const pool = view.pool ?? {};
  const content = Number.isFinite(pool.content) ? `, the model is sure what ${count(pool.content)} of them show` : "";
  return [view.method === "neural-cleanse" ? "Neural Cleanse (baseline)" : null,
    `${FORMS[view.form] ?? view.form}${view.form === "additive" && view.budget ? ` of at most ${levels(view.budget)}` : view.form === "patch" && view.side ? `, side ${percent(view.side)} of the picture’s` : ""}`,
    `${plural(view.classes.length, "class", "classes")} × ${plural(view.seeds, "seed")}`,
    Number.isFinite(pool.n) ? `${plural(pool.n, "picture")} without labels${content}` : null, Number.isFinite(view.seconds) ? duration(view.seconds) : null].filter(Boolean).join(" · ");
}

function chooser(runs, run, choose) {
  if (runs.length < 2) return null;
  const select = el("select", { class: "tl-umap-select", id: "tl-inversion-run", "aria-label": "Which scan", onchange: () => choose(select.value) },
    runs.map((one) => el("option", { value: one.run, selected: one.run === run }, `${clock(one.created)} · ${one.by === "neural-cleanse" ? "Neural Cleanse" : one.form ?? ""} · ${one.verdict ?? ""}`)));
  return select;
}

const list = (lines) => el("ul", {}, lines.map((text) => el("li", {}, text)));

function rests(view) {
  const cut = view.cut_calibrated ? `cut ${fixed(view.cut, 1)}; calibrated ${fixed(view.cut_calibrated.value, 1)}${view.cut_calibrated.models ? ` (95 % of ${plural(view.cut_calibrated.models, "clean model")} stay below)` : ""}` : `cut ${fixed(view.cut, 1)}; no calibrated cut`;
  return [`Largest anomaly index of a class that passes the gate: ${fixed(view.score, 2)} (${cut}).`, view.pool?.source && `Pictures: ${view.pool.source}.`, ...view.evidence].filter(Boolean);
}

/** The strip; `choose(run)` opens another scan. */
export function verdictStrip({ choose }) {
  const node = el("section", { class: "tl-verdict", "aria-label": "Verdict", id: "tl-trigger-verdict" });
  return {
    node,
    update(view, runs, active) {
      const mark = MARKS[view.verdict] ?? { shape: "○", name: "No verdict", tone: "plain" };
      node.className = `tl-verdict tl-${mark.tone}`;
      const named = view.sentence.startsWith(mark.name);
      show(node, el("div", { class: "tl-sentence" }, el("span", { class: "tl-verdict-mark", "aria-hidden": "true" }, mark.shape),
        el("p", { id: "tl-trigger-sentence" }, !named && el("strong", {}, `${mark.name}. `), view.sentence, el("span", { class: "tl-sub" }, " (reconstruction of 2604.09101)"))),
      el("div", { class: "tl-verdict-foot" }, el("span", { class: "tl-sub" }, settings(view)), fold("tl-trigger-evidence", "Evidence", list(rests(view))), fold("tl-trigger-limits", "What this cannot show", list(view.limits)),
        chooser(runs, view.run, choose), el("button", { type: "button", class: "tl-ghost", id: "tl-trigger-again", disabled: Boolean(active), onclick: () => openDrawer(SCAN) }, active ? "A scan is under way" : "Scan again…")));
      node.dataset.verdict = view.verdict ?? "";
    },
  };
}
