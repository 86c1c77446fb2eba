// The newest self-test: did the planted trigger take, and who found it?

import { card, el } from "../core/dom.js";
import { fold } from "../core/fold.js";
import { clock, count } from "../core/format.js";
import { openDrawer } from "../methods/listing.js";

const OUTCOMES = { found: ["●", "Found", "calm"], missed: ["▲", "Missed", "bad"], inconclusive: ["◆", "Inconclusive", "unsure"] };
const percent = (value) => (Number.isFinite(value) ? `${(100 * value).toFixed(value > 0 && value < 0.1 ? 1 : 0)} %` : "–");

/** A rate with its bar and its 95 % interval. */
function rate(found, tone) {
  if (!found || !Number.isFinite(found.value)) return el("span", { class: "tl-sub" }, "not defined");
  const whisker = `left:${100 * found.low}%;width:${100 * Math.max(0, found.high - found.low)}%`;
  return el("div", { class: "tl-rate" }, el("span", { class: "tl-rate-track", "aria-hidden": "true" },
    el("span", { class: `tl-rate-bar tl-rate-${tone}`, style: `width:${100 * found.value}%` }), el("span", { class: "tl-rate-whisker", style: whisker })),
  el("span", {}, el("b", {}, percent(found.value)), el("span", { class: "tl-sub" }, ` of ${count(found.n)}, 95 % ${percent(found.low)} to ${percent(found.high)}`)));
}

const name = (one) => `${one.method.replaceAll("-", " ")}${one.mode ? ` (${one.mode})` : ""}`;

function flags(view) {
  return el("div", { class: "tl-st-scroll", tabindex: "0", role: "region", "aria-label": "Recall and extra flags by method" }, el("table", { class: "tl-st-table" },
    el("thead", {}, el("tr", {}, ["Method", "Recall for this planted trigger", "Extra flags on unplanted rows", "Their most frequent answers"].map((text) => el("th", { scope: "col" }, text)))),
    el("tbody", {}, view.detections.map((one) => el("tr", {},
      el("th", { scope: "row" }, name(one), one.chosen && el("span", { class: "tl-sub" }, " as scanned")),
      el("td", {}, rate(one.recall, "main")), el("td", {}, rate(one.extra_flags, "extra")),
      el("td", {}, one.extra_answers.length ? one.extra_answers.slice(0, 3).map((a) => el("div", {}, `“${a.answer}” × ${count(a.count)}`)) : "–"))))));
}

function classes({ classes: found }) {
  const row = (label, value) => [el("dt", {}, label), el("dd", {}, value)];
  return el("dl", { class: "tl-facts" }, row("Planted class", found.target), row("Named by the scan", found.named ?? "none"),
    row("Rank of the planted class", found.rank ? `${found.rank} of ${found.n}` : "none"),
    row("Anomaly index", Number.isFinite(found.anomaly_index) ? found.anomaly_index.toFixed(1) : "not defined"),
    row("Success of its trigger", percent(found.success)),
    row("Extra classes above the cut", found.extra_named.length ? `${found.extra_named.join(", ")} (truth unknown)` : "none"));
}

function took(view) {
  const told = (found) => `attack success ${percent(found.attack_success_rate)} (n = ${count(found.n_triggered ?? 0)}), clean accuracy ${percent(found.clean_accuracy)}`;
  return el("dl", { class: "tl-facts" }, el("dt", {}, "Planted"), el("dd", {}, `${view.planted.trigger} → “${view.planted.target}”, in ${count(view.planted.planted_rows)} of ${count(view.planted.rows)}`),
    el("dt", {}, "Model tuned on the copy"), el("dd", {}, told(view.measured)), el("dt", {}, "The case’s own model"), el("dd", {}, told(view.before)),
    view.planted.note && [el("dt", {}, "How"), el("dd", {}, view.planted.note)]);
}

/** The card; without a self-test it says what one would tell. */
export function selfTestCard(view, method) {
  const start = el("button", { type: "button", class: view ? "tl-ghost" : "tl-primary", id: "tl-self-test", onclick: () => openDrawer("self-test") }, view ? "Run it again…" : "Run the self-test…");
  const active = method?.active;
  if (!view) {
    return card("Self-test", { className: "tl-selftest" }, el("p", {}, active ? "A self-test is under way; the bar at the top shows how far it is." : "None was made. It plants a known trigger in a copy of this data, tunes a model on it and looks for it as this case was examined. A verdict of “no evidence” is worth more where a planted trigger is found."),
      !active && method?.cost && el("p", { class: "tl-sub" }, method.cost), !active && start);
  }
  const [mark, word, tone] = OUTCOMES[view.outcome] ?? ["○", String(view.outcome), "plain"];
  return card("Self-test", { className: "tl-selftest", tools: active ? [el("span", { class: "tl-sub" }, "another one is under way")] : [start] },
    el("p", { class: "tl-st-said" }, el("span", { class: `tl-chip tl-${tone}` }, `${mark} ${word}`), ` ${view.sentence}`),
    view.took && view.detections.length > 0 && flags(view), view.took && view.classes && classes(view), took(view),
    fold("tl-st-limits", "What this cannot show", el("ul", {}, view.limits.map((text) => el("li", {}, `It cannot show ${text}.`)))),
    el("p", { class: "tl-sub" }, `Run ${view.run}, ${clock(view.created)}.`));
}
