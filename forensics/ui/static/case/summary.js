// The open case: what it is, its fingerprints, its first samples and the rows that cannot be used.

import { casePath, getJSON, post, recall } from "../core/api.js";
import { confirmButton } from "../core/confirm.js";
import { card, el, empty, picture, show } from "../core/dom.js";
import { fold } from "../core/fold.js";
import { bytes, clock, count, duration, plural } from "../core/format.js";
import { FRESH, set, state, watch } from "../core/store.js";
import { table, tableToggle } from "../chart/frame.js";
import { BASE, isRepair, SELF_TEST, TRIGGERS } from "../methods/listing.js";

const row = (name, ...value) => [el("dt", {}, name), el("dd", {}, ...value)];

function facts(opened) {
  return el("dl", { class: "tl-facts" },
    row("Model", opened.model_uri, el("span", { class: "tl-sub" }, ` ${opened.kind_name}`)), opened.preprocessing && row("Pictures", opened.preprocessing), opened.base_uri && row("Base", opened.base_uri),
    row("Data", `${opened.data_uri} (${opened.format})`),
    row("Samples", count(opened.samples), opened.errors ? `, ${plural(opened.errors, "row")} left out` : ""),
    opened.unread && row("Conversations", `${opened.unread} Choose “every turn” when making a case to read them.`),
    opened.turns === "each" && row("Conversations", "every turn is a sample"),
    row("Ground truth", opened.has_truth ? "there is a column; hidden until Reveal" : "none"),
    row("Created", clock(opened.created)), row("Disk", bytes(opened.disk)),
    opened.note && row("Note", opened.note));
}

function hashes(opened) {
  return fold("tl-hashes", "Fingerprints (SHA-256)",
    table("One hash over all files of each, so that any change shows", ["what", "files", "size", "hash"],
      opened.hashes.map((h) => [h.what, count(h.files), bytes(h.size), h.sha256])), "tl-hashes");
}

const samples = (preview, kind) => preview.items.map((item) => el("figure", {},
  picture(item.picture, "this picture cannot be read"),
  el("figcaption", {}, el("b", {}, item.id), item.question && el("span", {}, item.question), (item.answer ?? (kind === "clip" ? null : "no answer")) && el("em", {}, item.answer ?? "no answer"))));

/** The report of everything that is finished has a tab of its own. */
const report = () => el("button", { type: "button", class: "tl-ghost", id: "tl-to-report", title: "All finished runs on one page", onclick: () => set({ tab: "report" }) }, "Report");

function rowErrors(preview) {
  if (!preview.errors.length) return null;
  return fold("tl-row-errors", `◆ ${plural(preview.error_total, "row")} left out; the rest is used`,
    table("Rows that cannot be used", ["file", "line", "id", "what is wrong", "what to do"],
      preview.errors.map((e) => [e.source, e.line, e.id ?? "–", e.reason, e.remedy])), "tl-errors");
}

function deleteButton(run, done) {
  return confirmButton(`delete ${state.case} ${run.id}`, { words: "Delete", name: `Delete run ${run.id}`, question: "Really delete?" }, async () => {
    await post(`${casePath(state.case)}/runs/${encodeURIComponent(run.id)}/delete`);
    if (state.run === run.id) set({ ...FRESH, run: null });
    set({ finished: `deleted ${run.id}` });
    done();
  });
}

function look(run) {
  if (run.method === SELF_TEST) { set({ tab: "report" }); return; }
  if (isRepair(run.method)) { set({ repair: run.state === "finished" ? run.id : null, tab: "repair" }); return; }
  if (TRIGGERS.has(run.method)) { set({ ...(run.method === "trigger-inversion" && run.state === "finished" ? { inversion: run.id } : {}), tab: "triggers" }); return; }
  if (run.method !== BASE) set({ view: run.method, tab: "attention" });
  else set({ ...(run.id === state.run ? {} : FRESH), run: run.id, view: null, tab: "attention" });
}

function runs(opened, done) {
  if (!opened.runs.length) return null;
  return el("div", { class: "tl-runs" }, el("h3", {}, "Runs on this case"), el("ul", {}, opened.runs.map((run) => el("li", {},
    el("button", { type: "button", class: "tl-link", "aria-current": String(run.id === state.run), onclick: () => look(run) },
    el("strong", {}, run.label), el("span", { class: "tl-sub" },
      ` ${[run.verdict ?? (run.state === "finished" ? (isRepair(run.method) ? "repaired" : "rank only") : run.state), run.mode && `mode ${run.mode}`, clock(run.created), bytes(run.bytes)].filter(Boolean).join(" · ")}`)), deleteButton(run, done)))));
}

function estimate(found) {
  if (found.words) return el("p", { class: "tl-estimate", id: "tl-estimate" }, el("b", {}, "Cost. "), found.words);
  const time = found.seconds === null
    ? `No scan of this model was timed on this machine yet. ${found.hint}`
    : `About ${duration(found.seconds)} for ${plural(found.samples, "sample")}, from ${found.basis}.`;
  return el("p", { class: "tl-estimate", id: "tl-estimate" }, el("b", {}, "Cost. "), time, ` ${found.bytes === null ? "" : `Disk: about ${bytes(found.bytes)} and the kept maps.`}`);
}

/** Build the summary of the open case into `element`. */
export function mount({ element }) {
  const host = element.querySelector(".tl-root");
  // Made once: a table that somebody opened stays open when a run ends.
  const [figure, holder] = [el("div", { class: "tl-preview" }), el("div", { hidden: true })];
  let items = [];
  const toggle = tableToggle(figure, holder, () => table("First samples of the data set", ["id", "question", "answer in data"],
    items.map((item) => [item.id, item.question || "–", item.answer ?? "none"])));

  async function draw() {
    document.body.classList.toggle("tl-case-open", Boolean(state.case));
    if (!state.case) {
      show(host, card("Nothing is open yet", {}, empty("Open a demo, or a model and data of your own.",
        "A preview of the data, its fingerprints and the cost of a scan appear here before anything is computed.",
        el("button", { type: "button", class: "tl-primary", onclick: () => set({ tab: "home" }) }, "Open a case"))));
      return;
    }
    const name = state.case;
    try {
      const [opened, preview, cost] = await Promise.all([getJSON(casePath(name)),
        recall(`${casePath(name)}/preview`), getJSON(`${casePath(name)}/estimate`)]);
      if (name !== state.case) return;
      items = preview.items;
      show(figure, samples(preview, opened.kind));
      toggle.update();
      show(host, card(opened.title, { subtitle: opened.sentence ?? "", tools: [report(), toggle.button] }, figure, holder, rowErrors(preview), facts(opened), hashes(opened), runs(opened, draw)),
        estimate(cost));
      host.dataset.ready = name;
    } catch (error) {
      show(host, card("This case cannot be opened", {}, empty(error.message, error.remedy ?? "",
        el("button", { type: "button", class: "tl-primary", onclick: () => set({ tab: "home" }) }, "Choose another case"))));
    }
  }
  watch(["case", "run", "finished"], draw);
  draw();
}
