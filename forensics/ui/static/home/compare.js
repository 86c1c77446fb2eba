// Two runs or two cases beside each other: what was asked, what was said, what both flag.

import { getJSON } from "../core/api.js";
import { el, empty, show } from "../core/dom.js";
import { bytes, clock, count, fixed, percent } from "../core/format.js";
import { state, watch } from "../core/store.js";
import { table } from "../chart/frame.js";
import { badge, took } from "../methods/words.js";
import { link, placeOf } from "./open.js";
import { overlay } from "./overlay.js";
import { unpick } from "./picks.js";

const LETTERS = ["A", "B"];

/** A table with a column for each side; `rows` are [name, a, b]. */
const beside = (caption, names, rows) => table(caption, ["", ...names], rows);

function runFacts(sides) {
  const line = (name, make) => [name, ...sides.map(make)];
  return beside("The two runs", LETTERS, [
    line("Case", (one) => el("a", link(one.case), one.title)),
    line("Method", (one) => el("a", link(one.case, placeOf(one)), one.label)),
    line("Verdict", (one) => (one.state === "finished" ? (one.kind === "repair" ? "repaired" : badge(one.verdict)) : one.state)),
    line("Flagged", (one) => (Number.isFinite(one.flagged) ? `${count(one.flagged)}${Number.isFinite(one.n) ? ` of ${count(one.n)}` : ""}` : "–")),
    line("When", (one) => clock(one.created)), line("Took", (one) => (one.seconds === null ? "–" : took(one.seconds))), line("Disk", (one) => bytes(one.bytes)),
  ]);
}

function optionTable(options) {
  if (!options.length) return el("p", { class: "tl-sub" }, "Both were told the same.");
  return beside("Options that differ", LETTERS, options.map((one) => [one.name, one.a ?? "not an option of it", one.b ?? "not an option of it"]));
}

function samples(name, part, sides) {
  const side = sides[part.side === "a" ? 0 : 1];
  const place = (row) => ({ ...(placeOf(side).tab === "attention" ? placeOf(side) : { tab: "attention" }), sample: row });
  return el("details", { class: "tl-part", "data-part": name }, el("summary", {}, el("b", {}, count(part.n)), ` ${name}`),
    part.n ? el("p", { class: "tl-part-ids" }, part.samples.map((one) => el("a", link(side.case, place(one.row)), one.id)), part.n > part.samples.length && el("span", { class: "tl-sub" }, `and ${count(part.n - part.samples.length)} more`))
      : el("p", { class: "tl-sub" }, "None."));
}

function overlapPart(overlap, sides) {
  if (overlap.reason) return el("p", { class: "tl-sub" }, overlap.reason);
  const { both, only_a: a, only_b: b } = overlap.parts;
  const total = both.n + a.n + b.n;
  const share = (n) => `flex-grow:${total ? n / total : 0}`;
  return el("div", { class: "tl-overlap", id: "tl-overlap" },
    el("p", {}, overlap.jaccard === null ? "Neither flags a sample." : ["Of ", count(total), " samples that either flags, both flag ", count(both.n), ": Jaccard index ", el("b", {}, fixed(overlap.jaccard, 3)), " (1: the same samples; 0: none in common)."]),
    total > 0 && el("div", { class: "tl-overlap-bar", role: "img", "aria-label": `${a.n} only A, ${both.n} both, ${b.n} only B` }, el("i", { class: "tl-in-a", style: share(a.n) }), el("i", { class: "tl-in-both", style: share(both.n) }), el("i", { class: "tl-in-b", style: share(b.n) })),
    samples("only A flags", a, sides), samples("both flag", both, sides), samples("only B flags", b, sides));
}

const rate = (said, key, n) => (said && Number.isFinite(said[key]) ? `${percent(said[key], 1)} of ${count(said[n] ?? 0)}${range(said.intervals?.[key])}` : "–");
const range = (pair) => (Array.isArray(pair) ? ` (${percent(pair[0], 1)} to ${percent(pair[1], 1)})` : "");

function rates({ sides, reason }) {
  if (reason) return el("p", { class: "tl-sub" }, reason);
  const rows = [["before", "Before"], ["after", "After"]].flatMap(([key, name]) => [
    [`${name}: clean accuracy (CA)`, ...sides.map((one) => rate(one[key], "clean_accuracy", "n_clean"))],
    [`${name}: attack success (ASR)`, ...sides.map((one) => rate(one[key], "attack_success_rate", "n_triggered"))]]);
  return beside("Clean accuracy and attack success, with n and interval", LETTERS, rows);
}

const part = (title, ...content) => el("section", { class: "tl-beside-part" }, el("h3", {}, title), content);

function runs(found) {
  return [runFacts(found.sides), part("Options", optionTable(found.options)), part("Flagged samples", overlapPart(found.overlap, found.sides)),
    found.rates && part("Repair", rates(found.rates)),
    found.entropy && part("Attention entropy", found.entropy.reason ? el("p", { class: "tl-sub" }, found.entropy.reason) : overlay(found.entropy))];
}

function cases(found) {
  const verdict = (side, one) => (one ? el("a", link(side.case, placeOf({ ...one, kind: "scan" })), badge(one.verdict)) : "not run");
  const [a, b] = found.sides;
  return [beside("The two cases", [a.title, b.title], found.facts.map((one) => [one.name, one.a, el("span", {}, one.b, one.same === true && el("span", { class: "tl-sub" }, " (the same)"))])),
    part("What each method says", found.methods.length ? beside("Latest finished run of each method", [a.title, b.title], found.methods.map((one) => [one.label, verdict(a, one.a), verdict(b, one.b)]))
      : el("p", { class: "tl-sub" }, "No method has finished on either."))];
}

/** Build the comparison; it shows itself while two things are chosen. */
export function compareCard() {
  const node = el("section", { class: "tl-card tl-beside", id: "home-compare", "aria-label": "Comparison", hidden: true });

  let [drawn, pair] = ["", ""];

  /** Once for each answer: what was unfolded stays, and the page scrolls only to a pair that was not there before. */
  function put(key, parts) {
    if (key === drawn) return;
    drawn = key;
    show(node, parts());
    if (pair !== `${state.a} ${state.b}`) node.scrollIntoView({ block: "nearest" });
    pair = `${state.a} ${state.b}`;
  }

  async function draw() {
    const [a, b] = [state.a, state.b];
    node.hidden = !a || !b;
    delete node.dataset.ready;
    if (node.hidden) drawn = pair = "";
    if (node.hidden || state.tab !== "home") return;
    const close = el("button", { type: "button", class: "tl-ghost", id: "home-compare-close", onclick: unpick }, "Close");
    const head = (title, words) => el("header", { class: "tl-card-head" }, el("div", {}, el("h2", {}, title), words && el("p", { class: "tl-sub" }, words)), close);
    try {
      const found = await getJSON(`/api/home/compare?${new URLSearchParams({ a, b })}`);
      if (a !== state.a || b !== state.b) return;
      const words = found.kind === "runs" ? `${LETTERS[0]} and ${LETTERS[1]}; the address of this page shows the same to others.` : "Samples are not compared across cases; choose two runs for that.";
      put(JSON.stringify([a, b, found]), () => [head(`Two ${found.kind} beside each other`, words), found.kind === "runs" ? runs(found) : cases(found)]);
      node.dataset.ready = `${a} ${b}`;
    } catch (error) {
      if (a !== state.a || b !== state.b) return;
      drawn = "";
      show(node, head("These cannot be compared"), empty(error.message, error.remedy ?? ""));
    }
  }
  watch(["a", "b", "tab"], draw);
  draw();
  return { node };
}

