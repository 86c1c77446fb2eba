// All repairs of the case beside each other: one table, one chart, a click opens one.

import { card, el, show } from "../core/dom.js";
import { clock, count, duration, percent } from "../core/format.js";
import { bar } from "../triggers/bars.js";
import { change, inWords, optionsText, points } from "./data.js";
import { frontierChart } from "./frontier.js";

const SCALE = { low: 0, high: 1 };
const TARGET = { name: "Target", title: "Clean accuracy of the class that the trigger leads to" };
const LEFT = { name: "Left out", title: "Samples that it was not tuned on" };
const HEAD = [["", "Repair"], ["tl-rp-wide", "Attack success"], ["tl-rp-wide", "Clean accuracy"], ["tl-rp-narrow", null], ["tl-rp-narrow", "Time"]];

function cell(rate, difference, tone, one = "picture") {
  if (rate.value === null) return el("td", { title: "Not measured: no trigger is known" }, el("span", { class: "tl-sub" }, "not measured"));
  return el("td", { title: inWords(rate) }, bar(rate.value, { scale: SCALE, tone, interval: [rate.low, rate.high] }), el("span", { class: "tl-rp-number" }, percent(rate.value)),
    difference && el("span", { class: "tl-rp-less", title: `Against the delivered model, ${one} by ${one}, in points: ${change(difference)}` }, points(difference.value)));
}

const target = (found) => el("td", { class: "tl-rp-plain", title: found ? `Clean accuracy of “${found.class}” (${found.n} pictures), before ${percent(found.before, 1)}` : "" }, found ? percent(found.after) : "–");

const leftOut = (row) => el("td", { class: "tl-rp-plain" }, row.left_out === null ? "–" : count(row.left_out));

/** What was measured before; where repairs were measured on different pictures, before which of them. */
function deliveredRow(found, rows, many) {
  const { version } = found;
  const letters = rows.filter((row) => found.runs.includes(row.run) && row.letter).map((row) => row.letter).sort();
  if (many && !letters.length) return null; // that repair changed nothing
  return el("tr", { class: "tl-rp-delivered" }, el("th", { scope: "row" }, el("span", { class: "tl-rp-mark tl-rp-mark-before", "aria-hidden": "true" }, "▽"), many ? `As delivered, where ${letters.join(", ")} ${letters.length > 1 ? "were" : "was"} measured` : "As delivered"),
    cell(version.attack_success_rate, null, "flag"), cell(version.clean_accuracy, null, "kept"), el("td"), el("td"));
}

function unfinished(row) {
  return el("tr", { class: "tl-rp-unfinished" }, el("th", { scope: "row" }, el("span", { class: "tl-rp-mark tl-rp-mark-before", "aria-hidden": "true" }, row.active ? "…" : "✕"), row.label, el("span", { class: "tl-sub tl-rp-options", title: optionsText(row.options) }, optionsText(row.options))),
    el("td", { colspan: "4" }, el("span", { class: row.active ? "tl-sub" : "tl-bad-text" }, row.active ? "under way" : `${row.state}. ${row.error}`)));
}

/** Options in one line, the weight of a regulariser first, default or not: it tells such runs apart. */
const told = ({ options, weight }) => optionsText(weight ? [{ name: "λ", value: weight.value }, ...options.filter(({ name }) => name !== "weight λ")] : options);

/** The card; `choose(run)` is called with the run that is clicked. */
export function compareCard({ choose }) {
  let [view, chosen] = [null, null];
  const holder = el("div", { class: "tl-tb-wrap" });
  const note = el("p", { class: "tl-note" });
  const chart = frontierChart({ choose });
  const node = card("Repairs of this case", { subtitle: "Each was measured on what it was not tuned on. Choose one to see it before and after." },
    el("div", { class: "tl-rp-compare" }, el("div", {}, holder, note), chart.node));
  node.id = "tl-rp-compare";

  function pick(row) {
    const name = el("button", { type: "button", class: "tl-tb-name", id: `tl-rp-open-${row.run}`, onclick: (event) => { event.stopPropagation(); choose(row.run); } }, el("span", { class: "tl-rp-mark", "aria-hidden": "true" }, row.letter ?? "○"), row.label);
    return el("th", { scope: "row", title: row.sentence }, name, el("span", { class: "tl-sub tl-rp-options", title: told(row) }, [told(row) || "defaults", clock(row.created)].join(" · ")));
  }

  function line(row) {
    if (row.state !== "finished") return unfinished(row);
    const attributes = { "data-run": row.run, "data-method": row.method, "data-shown": String(row.run === chosen), "aria-current": row.run === chosen ? "true" : null, onclick: () => choose(row.run) };
    if (!row.changed) return el("tr", attributes, pick(row), el("td", { colspan: "3", class: "tl-rp-refused", title: row.sentence }, el("b", {}, row.outcome ? `${row.outcome}: ` : ""), "nothing was changed"), el("td", { class: "tl-rp-plain" }, duration(row.seconds)));
    const { after } = row;
    const one = view.language ? "sample" : "picture";
    return el("tr", attributes, pick(row), cell(after.attack_success_rate, after.difference.attack_success_rate, "flag", one), cell(after.clean_accuracy, after.difference.clean_accuracy, "kept", one),
      view.language ? leftOut(row) : target(row.target), el("td", { class: "tl-rp-plain" }, row.seconds < 1 ? "< 1 s" : duration(row.seconds)));
  }

  function draw() {
    const many = view.delivered.length > 1;
    const third = view.language ? LEFT : TARGET;
    show(holder, el("table", { class: "tl-tb-table tl-rp-table", id: "tl-rp-table" },
      el("thead", {}, el("tr", {}, HEAD.map(([style, name]) => el("th", { scope: "col", class: style, title: name === null ? third.title : null }, name ?? third.name)))),
      el("tbody", {}, view.rows.map(line), view.delivered.map((found) => deliveredRow(found, view.rows, many)))));
    const [what, one] = view.language ? ["samples", "sample"] : ["pictures", "picture"];
    const kinds = [...new Map(view.rows.filter((row) => row.changed).map((row) => [`${row.judged.words} ${row.trigger}`, row.judged.words])).values()];
    show(note, kinds.length === 1 ? (kinds[0].startsWith("No trigger") ? kinds[0] : `Attack success is measured with ${kinds[0]}.`) : kinds.length ? "Attack success was not measured with the same trigger in every row; open a repair to see with which." : "",
      many ? ` The repairs were not all measured on the same ${what}, so compare the small figures: points against the delivered model on the repair’s own ${what}.` : ` Small figures: points against the delivered model, ${one} by ${one}. Thin lines: 95 % intervals.`);
  }

  return {
    node,
    update(next, run) {
      [view, chosen] = [next, run];
      node.hidden = !view.rows.some((row) => row.state === "finished");
      if (node.hidden) return;
      let letters = 0;
      for (const row of [...view.rows].reverse()) if (row.state === "finished" && row.changed && row.after.attack_success_rate.value !== null) { row.letter = String.fromCharCode(65 + (letters % 26)); letters += 1; }
      draw();
      chart.update(view, chosen);
    },
  };
}
