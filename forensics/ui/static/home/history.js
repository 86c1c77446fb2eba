// The run history: every run of a case, or of all recent ones, to filter, sort, open, compare, delete.

import { casePath, getJSON, post } from "../core/api.js";
import { confirmButton } from "../core/confirm.js";
import { el, empty, segmented, show } from "../core/dom.js";
import { bytes, clock, count, plural } from "../core/format.js";
import { FRESH, set, state, watch } from "../core/store.js";
import { badge, nameParts, took } from "../methods/words.js";
import { compareCard } from "./compare.js";
import { link, placeOf } from "./open.js";
import { isPicked, onPick, pick } from "./picks.js";

const PAGE = 40;
const COLUMNS = [["", null], ["Case", "title"], ["Method", "label"], ["Options off the default", null], ["Verdict", "verdict"],
  ["Flagged", "flagged"], ["When", "created"], ["Took", "seconds"], ["Disk", "bytes"], ["", null]];
const NONE = { title: "", label: "", verdict: "", created: "" };

function by(key, down) {
  return (one, other) => {
    const [a, b] = [one[key] ?? NONE[key] ?? -1, other[key] ?? NONE[key] ?? -1];
    return (typeof a === "number" ? a - b : String(a).localeCompare(String(b))) * (down ? -1 : 1);
  };
}

const outcome = (row) => {
  if (row.state === "damaged") return el("span", { class: "tl-chip tl-unsure" }, "✕ damaged");
  if (row.state !== "finished") return el("span", { class: "tl-chip tl-plain" }, row.state);
  return row.kind === "repair" ? el("span", { class: "tl-chip tl-plain" }, "repaired") : badge(row.verdict);
};

function changed(row) {
  if (row.problem) return el("span", { class: row.state === "damaged" ? "tl-bad-text" : "tl-sub" }, row.problem);
  if (!row.changed.length) return el("span", { class: "tl-sub" }, "none");
  return row.changed.slice(0, 6).map((one) => el("span", { class: "tl-option", title: one.default === null ? "" : `default ${one.default}` }, `${one.name} `, el("b", {}, one.value)));
}

/** A run that is under way, or that others build on, says so at once. */
function deleteButton(row, done) {
  if (row.state === "queued" || row.state === "running") return el("button", { type: "button", class: "tl-ghost", disabled: true, title: "It is under way: cancel it first" }, "Delete");
  if (row.built_on_by.length) return el("button", { type: "button", class: "tl-ghost", disabled: true, title: `Other runs build on it: ${row.built_on_by.join(", ")}` }, "In use");
  const words = { words: "Delete", name: `Delete run ${row.run}`, question: `Delete ${bytes(row.bytes)}?` };
  return confirmButton(`delete ${row.case} ${row.run}`, words, async () => {
    await post(`${casePath(row.case)}/runs/${encodeURIComponent(row.run)}/delete`);
    if (row.case === state.case && state.run === row.run) set({ ...FRESH, run: null });
    set({ finished: `deleted ${row.run}` });
    done();
  });
}

function line(row, done) {
  const key = `${row.case}.${row.run}`;
  const name = nameParts(row.label);
  const box = el("input", { type: "checkbox", checked: isPicked(key), disabled: row.state === "damaged", "data-pick": key, "aria-label": `Compare run ${row.run}`, onchange: () => pick(key) });
  return el("tr", { "data-run": row.run }, el("td", {}, box),
    el("td", {}, el("a", link(row.case), row.title)),
    el("td", {}, row.state === "damaged" ? name : el("a", link(row.case, placeOf(row)), name)),
    el("td", { class: "tl-options-cell" }, changed(row)), el("td", {}, outcome(row)),
    el("td", {}, Number.isFinite(row.flagged) ? count(row.flagged) : "–"), el("td", {}, clock(row.created)),
    el("td", {}, row.seconds === null ? "–" : took(row.seconds)), el("td", {}, bytes(row.bytes)), el("td", {}, deleteButton(row, done)));
}

/** Build the history into `element`. */
export function mount({ element }) {
  const host = element.querySelector(".tl-root");
  const compare = compareCard();
  const section = el("section", { class: "tl-card tl-history", "aria-label": "Run history", hidden: true });
  show(host, compare.node, section);
  let [rows, scope, method, said, text, sort, down, most] = [[], state.case ? "case" : "all", "", "", "", "created", true, PAGE];

  let [token, drawn, trouble] = [0, "", null];
  const [list, scopes] = [el("div"), el("span")];
  const tally = el("span", { class: "tl-sub", role: "status", id: "tl-history-count" });

  const verdictOf = (row) => (row.state === "finished" ? (row.kind === "repair" ? "repaired" : row.verdict ?? "rank only") : row.state);
  const fits = (row) => (!method || row.method === method) && (!said || verdictOf(row) === said)
    && (!text || `${row.title} ${row.run} ${row.label} ${row.changed.map((one) => `${one.name} ${one.value}`).join(" ")}`.toLowerCase().includes(text));

  function head() {
    return el("tr", {}, COLUMNS.map(([name, key]) => {
      if (!key) return el(name ? "th" : "td", name ? { scope: "col" } : {}, name);
      const now = key === sort ? (down ? "descending" : "ascending") : "none";
      return el("th", { scope: "col", "aria-sort": now }, el("button", { type: "button", class: "tl-sort", onclick: () => {
        [sort, down] = [key, key === sort ? !down : key === "created"];
        drawRows();
        host.querySelector(`[data-sort="${key}"]`)?.focus();
      }, "data-sort": key }, name, el("span", { "aria-hidden": "true" }, now === "none" ? "" : down ? " ↓" : " ↑")));
    }));
  }

  function drawRows() {
    if (trouble) { show(tally); show(list, empty("The run history cannot be read.", `${trouble.message} ${trouble.remedy ?? ""}`)); return; }
    const found = rows.filter(fits).sort(by(sort, down));
    show(tally, found.length === rows.length ? plural(rows.length, "run") : `${count(found.length)} of ${plural(rows.length, "run")}`,
      rows.length ? `, ${bytes(found.reduce((sum, row) => sum + row.bytes, 0))}` : "");
    if (!rows.length) { show(list, empty("No runs yet.", "Open a case and start a method: every run stays here with its options, verdict, time and size.")); return; }
    show(list, el("div", { class: "tl-history-wrap", tabindex: "0", role: "region", "aria-label": "Runs" }, el("table", { class: "tl-table" }, el("thead", {}, head()), el("tbody", {}, found.slice(0, most).map((row) => line(row, load))))),
      !found.length && empty("No run is like that.", "Widen the filters above."),
      found.length > most && el("button", { type: "button", class: "tl-ghost", onclick: () => { most = Infinity; drawRows(); } }, `Show all ${count(found.length)}`));
  }

  /** A filter; `fill(values, chosen)` tells what it offers, and returns what is chosen then. */
  function filter(label, id, choose) {
    const input = el("select", { id, onchange: () => { choose(input.value); drawRows(); } });
    function fill(values, chosen) {
      show(input, el("option", { value: "" }, "all"), values.map(([value, name]) => el("option", { value, selected: value === chosen }, name)));
      return input.value;
    }
    return { node: el("label", { class: "tl-filter" }, `${label} `, input), fill };
  }

  const methods = filter("method", "tl-history-method", (next) => { method = next; });
  const verdicts = filter("verdict", "tl-history-verdict", (next) => { said = next; });
  const search = el("input", { type: "search", id: "tl-history-text", placeholder: "case, option, run", oninput: () => { text = search.value.trim().toLowerCase(); drawRows(); } });
  // Made once: an answer that comes while somebody types leaves the words and the caret alone.
  show(section, el("header", { class: "tl-card-head" }, el("div", {}, el("h2", {}, "Run history"), tally),
    el("div", { class: "tl-tools" }, scopes, methods.node, verdicts.node, el("label", { class: "tl-filter" }, "find ", search))), list,
  el("p", { class: "tl-sub" }, "Tick two runs to put them beside each other."));

  function draw() {
    show(scopes, state.case && segmented("Which cases", [["case", "Open case"], ["all", "All recent"]], scope, (next) => { scope = next; load(); }));
    if (!trouble) {
      method = methods.fill([...new Map(rows.map((row) => [row.method, row.label]))].sort((a, b) => a[1].localeCompare(b[1])), method);
      said = verdicts.fill([...new Set(rows.map(verdictOf))].sort().map((one) => [one, one]), said);
    }
    drawRows();
  }

  async function load() {
    if (!state.case) scope = "all";
    const mine = token += 1;
    const path = scope === "case" ? `${casePath(state.case)}/history` : "/api/home/runs";
    let [found, failed] = [[], null];
    try { found = (await getJSON(path)).runs; } catch (error) { failed = error; }
    if (mine !== token) return;
    const key = failed ? "" : JSON.stringify([path, state.case, found]);
    if (failed || key !== drawn) { [rows, trouble, drawn] = [found, failed, key]; draw(); }
    section.hidden = !failed && !rows.length && !document.body.classList.contains("tl-has-cases");
    if (!failed) host.dataset.ready = String(rows.length);
  }
  onPick(() => { for (const box of host.querySelectorAll("input[data-pick]")) box.checked = isPicked(box.dataset.pick); });
  const look = () => { if (state.tab === "home") load(); }; // what nobody looks at is not asked for
  watch(["case"], () => { scope = state.case ? "case" : "all"; });
  watch(["case", "finished", "tab"], look);
  look();
}
