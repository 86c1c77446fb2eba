// Every class: a table with bars that sorts, finds, turns pages and walks by keys.

import { table, tableToggle } from "../chart/frame.js";
import { card, el, show } from "../core/dom.js";
import { count, fixed, percent, plural, signed } from "../core/format.js";
import { set, state } from "../core/store.js";
import { bar, range } from "./bars.js";

const WHOLE = 16; // as many classes are shown without pages
const PAGE = 12;
const DOWN = new Set(["anomaly_index", "success", "content_success", "content_beyond"]); // what begins with the largest

const COLUMNS = {
  anomaly_index: ["Anomaly index", "How far the class’s loss lies below the others’, in robust deviations"],
  success: ["Success", "Share of the pool’s pictures that become this class under its trigger"],
  content_success: ["On content", "The same on pictures that the model is sure are something else, each source class counting alike. The thin line: the same trigger on a reference model"],
  loss: ["Loss", "Margin of the best other class; below 0 the class wins on average"],
  l1: ["Mask l1", "Sum of the mask: how much of the picture the trigger covers"],
};

const MARKS = { flagged: ["▲", "flagged"], above: ["◆", "above the cut, not flagged"], valid: ["●", "passes the gate"], below: ["○", "below the gate"] };

function compare(key, reverse = false) {
  const sign = (DOWN.has(key) ? -1 : 1) * (reverse ? -1 : 1);
  if (key === "name") return (a, b) => sign * a.name.localeCompare(b.name, "en", { numeric: true });
  // A class without a number goes last, whichever way.
  return (a, b) => (Number.isFinite(a[key]) ? (Number.isFinite(b[key]) ? sign * (a[key] - b[key]) : -1) : Number.isFinite(b[key]) ? 1 : 0) || a.index - b.index;
}

/** The card. `paged(entries)` hears which classes are on the page. */
export function classesCard({ paged }) {
  let view = null;
  let [key, reverse, page, wanted] = ["anomaly_index", false, 0, ""];
  let listed = [];
  let scales = {};
  const search = el("input", { type: "search", class: "tl-number tl-tb-find", id: "tl-class-find", placeholder: "Find a class", "aria-label": "Find a class", hidden: true,
    oninput: () => { wanted = search.value.trim().toLowerCase(); page = 0; draw(); } });
  const figure = el("div", { class: "tl-tb-wrap" });
  const legend = el("p", { class: "tl-tb-legend" });
  const say = el("output", { class: "tl-readout", id: "tl-class-say", "aria-live": "polite" });
  const pager = el("nav", { class: "tl-pager", "aria-label": "Pages of the classes" });
  const holder = el("div", { hidden: true });
  const toggle = tableToggle(figure, holder, numbers);
  const node = card("Every class", { tools: [search, toggle.button], label: "Every class",
    subtitle: "For each class a trigger was searched that turns any picture into it. In a model without a backdoor all classes are about equally hard." },
  legend, figure, holder, pager, say);
  node.id = "tl-classes";

  const columns = () => ["anomaly_index", "success", "content_success", "loss", ...(view.form === "mask" ? ["l1"] : [])];
  const size = () => (view.classes.length <= WHOLE ? WHOLE : PAGE);
  const pages = () => Math.max(1, Math.ceil(listed.length / size()));

  function numbers() {
    const heads = ["class", "anomaly index", "success", "on content", "reference", "loss", "passes the gate", "stopped at step", "seeds: success", "seeds: anomaly index", ...(columns().includes("l1") ? ["mask l1"] : [])];
    return table(`Page ${page + 1} of ${pages()}, all numbers`, heads, onPage().map((entry) => [entry.name, signed(entry.anomaly_index), percent(entry.success, 1), percent(entry.content_success, 1),
      percent(entry.reference_success, 1), signed(entry.loss), entry.valid ? "yes" : "no", entry.stopped_at ?? "–", entry.spread.success.map((value) => percent(value)).join(", "),
      entry.spread.anomaly_index.map((value) => signed(value, 1)).join(", "), ...(columns().includes("l1") ? [fixed(entry.l1, 1)] : [])]));
  }

  const onPage = () => listed.slice(page * size(), (page + 1) * size());

  function sortBy(next) {
    reverse = next === key ? !reverse : false;
    key = next;
    page = 0;
    draw();
    figure.querySelector(`button[data-sort="${next}"]`)?.focus();
  }

  function head(name) {
    const [title, help] = name === "name" ? ["Class", "By name"] : name === "loss" && view.method === "neural-cleanse" ? ["Size", "Size of the mask, by which classes are compared"] : COLUMNS[name];
    const sorted = name === key;
    const down = DOWN.has(name) !== reverse;
    return el("th", { scope: "col", "aria-sort": sorted ? (down ? "descending" : "ascending") : "none", class: `tl-tb-col-${name}` },
      el("button", { type: "button", class: "tl-tb-sort", "data-sort": name, title: `${help}. Click to sort.`, onclick: () => sortBy(name) }, title, el("span", { "aria-hidden": "true" }, sorted ? (down ? " ▾" : " ▴") : "")));
  }

  function cell(entry, name) {
    const tone = entry.mark === "flagged" ? "flag" : entry.valid ? "kept" : "faint";
    if (name === "anomaly_index") {
      return el("td", {}, bar(entry.anomaly_index, { scale: scales.anomaly_index, tone, seeds: entry.spread.anomaly_index, lines: [{ at: view.cut, kind: "cut" }, { at: view.cut_calibrated?.value, kind: "calibrated" }] }), el("span", {}, signed(entry.anomaly_index, 1)));
    }
    if (name === "success") return el("td", {}, bar(entry.success, { scale: { low: 0, high: 1 }, tone, seeds: entry.spread.success, lines: [{ at: view.gate, kind: "gate" }] }), el("span", {}, percent(entry.success)));
    if (name === "content_success") return el("td", {}, bar(entry.content_success, { scale: { low: 0, high: 1 }, tone, lines: [{ at: entry.reference_success, kind: "reference" }, { at: byContent() && Number.isFinite(entry.reference_success) ? Math.min(1, entry.reference_success + view.content_cut) : undefined, kind: "cut" }] }), el("span", {}, percent(entry.content_success)));
    if (name === "loss") return el("td", {}, bar(entry.loss, { scale: scales.loss, tone }), el("span", {}, signed(entry.loss, 1)));
    return el("td", { class: "tl-tb-plain" }, fixed(entry[name], 1));
  }

  function row(entry) {
    const [mark, word] = MARKS[entry.mark];
    return el("tr", { "data-index": entry.index, "data-shown": String(entry.index === state.trigger), class: entry.mark === "flagged" ? "tl-tb-flagged" : "", onclick: () => choose(entry.index) },
      el("th", { scope: "row" }, el("button", { type: "button", class: "tl-tb-name", tabindex: entry.index === first() ? "0" : "-1", "aria-pressed": String(entry.index === state.trigger), title: `${entry.name}: ${word}` },
        el("span", { class: "tl-tb-mark", "aria-label": word }, mark), entry.name)),
      columns().map((name) => cell(entry, name)));
  }

  /** Which row the Tab key reaches. */
  const first = () => (onPage().find((entry) => entry.index === state.trigger) ?? onPage()[0])?.index;

  function choose(index) { set({ trigger: index }); }

  function step(event) {
    const keys = { ArrowDown: 1, ArrowUp: -1 };
    const shown = onPage();
    const now = shown.findIndex((entry) => entry.index === Number(event.target.closest("tr")?.dataset.index));
    let next = null;
    if (keys[event.key] && now >= 0) next = shown[now + keys[event.key]];
    else if (event.key === "Home") next = shown[0];
    else if (event.key === "End") next = shown.at(-1);
    else if (event.key === "PageDown" || event.key === "PageUp") {
      const to = page + (event.key === "PageDown" ? 1 : -1);
      if (to < 0 || to >= pages()) return;
      page = to;
      draw();
      next = onPage()[0];
    }
    if (!next) return;
    event.preventDefault();
    choose(next.index);
    figure.querySelector(`tr[data-index="${next.index}"] button`)?.focus();
  }

  function turn() {
    const button = (text, label, to, off) => el("button", { type: "button", class: "tl-ghost", "aria-label": label, disabled: off, onclick: () => { page = to; draw(); } }, text);
    show(pager, pages() > 1 && [button("«", "First page", 0, page === 0), button("‹", "Previous page", page - 1, page === 0),
      el("span", {}, `page ${count(page + 1)} of ${count(pages())}, ${plural(listed.length, "class", "classes")}`),
      button("›", "Next page", page + 1, page === pages() - 1), button("»", "Last page", pages() - 1, page === pages() - 1)]);
  }

  function tell() {
    const entry = view.classes.find((one) => one.index === state.trigger);
    if (!entry) { show(say); return; }
    const rank = [...view.classes].sort(compare("anomaly_index")).indexOf(entry) + 1;
    show(say, `${entry.name}: anomaly index ${signed(entry.anomaly_index)} (rank ${count(rank)} of ${count(view.classes.length)}, cut ${fixed(view.cut, 1)}), success ${percent(entry.success, 1)} (gate ${percent(view.gate)}), `
      + `on content ${percent(entry.content_success, 1)}, on the reference ${percent(entry.reference_success, 1)}, loss ${signed(entry.loss)}.`);
  }

  function draw() {
    listed = view.classes.filter((entry) => !wanted || entry.name.toLowerCase().includes(wanted)).sort(compare(ranked(key), reverse));
    page = Math.max(0, Math.min(page, pages() - 1));
    const shown = onPage();
    show(figure, el("table", { class: "tl-tb-table", "data-columns": columns().length }, el("thead", {}, el("tr", {}, ["name", ...columns()].map(head))),
      el("tbody", { onkeydown: step }, shown.map(row))), !shown.length && el("p", { class: "tl-sub" }, "No class has that in its name."));
    turn();
    toggle.update();
    node.dataset.page = String(page);
    paged(shown);
  }

  /** Whether the overriding of content decides, not the anomaly index. */
  const byContent = () => view.mode === "content" && Number.isFinite(view.content_cut);

  /** Where content decides, it is what lies beyond the reference that ranks. */
  const ranked = (name) => (name === "content_success" && byContent() ? "content_beyond" : name);

  function explain() {
    const key = (kind, text) => el("span", {}, el("i", { class: `tl-tb-key tl-tb-${kind}` }), text);
    show(legend, key("gate", `gate ${percent(view.gate)}: below it a trigger counts for nothing`), key("cut", byContent() ? `decides: ${percent(view.content_cut)} of content beyond the reference (anomaly index, cut ${fixed(view.cut, 1)}, only told)` : `cut ${fixed(view.cut, 1)}`),
      view.cut_calibrated ? key("calibrated", `calibrated ${fixed(view.cut_calibrated.value, 1)}${view.cut_calibrated.models ? ` (${plural(view.cut_calibrated.models, "clean model")})` : ""}`) : el("span", {}, "no calibrated cut for so many classes"),
      key("reference", "same trigger, reference model"), view.seeds > 1 && key("seed", `single seeds (of ${view.seeds})`));
  }

  return {
    node,
    update(next) {
      const fresh = view?.run !== next.run;
      view = next;
      scales = { anomaly_index: range(view.classes.map((entry) => entry.anomaly_index), [view.cut, view.cut_calibrated?.value]), loss: range(view.classes.map((entry) => entry.loss)) };
      search.hidden = view.classes.length <= WHOLE;
      if (fresh) { wanted = search.value = ""; [key, reverse] = [byContent() ? "content_success" : "anomaly_index", false]; page = Math.max(0, Math.floor([...view.classes].sort(compare(ranked(key))).findIndex((entry) => entry.index === state.trigger) / size())); }
      explain();
      draw();
      tell();
    },
    mark() {
      for (const line of figure.querySelectorAll("tbody tr")) {
        const own = Number(line.dataset.index) === state.trigger;
        line.dataset.shown = String(own);
        const button = line.querySelector("button");
        button.setAttribute("aria-pressed", String(own));
        button.tabIndex = own || (Number(line.dataset.index) === first()) ? 0 : -1;
      }
      tell();
    },
  };
}
