// The Review tab: one queue over all evidence, one sample at a time, one key a decision.

import { alertOf } from "../core/alert.js";
import { post } from "../core/api.js";
import { el, empty, show } from "../core/dom.js";
import { onTheme } from "../core/palette.js";
import { sameCase, set, state, watch } from "../core/store.js";
import { forEncoder } from "../methods/listing.js";
import { agreementPanel } from "./agreement.js";
import { sampleCard } from "./card.js";
import { loadedCards } from "./cards.js";
import { codeOf, compare, loadAgreement, loadQueue, loadSummary, me, reviewPath } from "./data.js";
import { reviewHead } from "./head.js";
import { legend, listenReview } from "./keys.js";
import { queueList } from "./list.js";
import { sidePanel } from "./side.js";

/** Build the tab into `element`. */
export function mount({ element }) {
  const host = element.querySelector(".tl-root");
  let [summary, queue, place, token, stale] = [null, null, 0, 0, true];
  let filter = { shown: "suspected", channel: null, selection: null };
  let writing = Promise.resolve(); // decisions reach the server in the order of the keys
  let [saved, reading] = [0, 0]; // decisions that the server answered; how often everything was read
  const cards = loadedCards();
  const blank = el("div", { class: "tl-card" });
  const trouble = el("div");
  const keys = el("div", { class: "tl-card", hidden: true, id: "tl-rv-legend" }, legend());
  const act = { filter: choose, leave: () => choose({ selection: null }), name: rename, blind, all, undo: back, compare: together, keys: () => { keys.hidden = !keys.hidden; }, decide: judge, step, note: () => sample.focusNote(), heat: () => sample.toggle() };
  const head = reviewHead(act);
  const list = queueList({ choose: go });
  const sample = sampleCard({ decide: judge, step, note: keep });
  const side = sidePanel();
  const agreed = agreementPanel({ close: () => agreed.close(), look });
  const nothing = el("div", { class: "tl-card", hidden: true });
  const body = el("div", { class: "tl-review" }, head.node, keys, trouble, agreed.node, el("div", { class: "tl-rv-desk" }, list.node, el("div", {}, nothing, sample.node), side.node));
  show(host, blank, body);
  body.hidden = true;

  const say = (error) => show(trouble, error && alertOf(error));

  function stop(content) {
    summary = queue = null;
    show(blank, content);
    blank.hidden = false;
    body.hidden = true;
    delete host.dataset.ready;
  }

  const button = (text, tab) => el("button", { type: "button", class: "tl-primary", onclick: () => set({ tab }) }, text);

  const unseen = () => empty("No evidence yet.", "The queue is made of what scans find. Run one first; then come back to decide sample by sample.",
    forEncoder() ? button("Open Clusters", "clusters") : button("Open Attention", "attention"));

  async function open() {
    if (state.tab !== "review") return;
    if (state.decide) { filter = { ...filter, selection: state.decide }; state.decide = null; stale = true; }
    if (state.case && summary && !stale) return;
    const mine = token += 1;
    if (!state.case) { stop(empty("No case is open.", "Open a demo or your own case first.", button("Open a case", "home"))); return; }
    try {
      const next = await upToDate(loadSummary);
      if (mine !== token) return;
      if (!next.channels.length && !next.problems.length) { stop(unseen()); return; }
      summary = next;
      if (filter.channel && !summary.channels.some((one) => one.key === filter.channel)) filter.channel = null;
      if (!summary.counts.suspected && filter.shown === "suspected" && !filter.selection) filter.shown = "all";
      await refill(here, mine);
      if (mine === token) stale = false;
    } catch (error) {
      if (mine === token) stop(empty("The queue cannot be shown.", `${error.message} ${error.remedy ?? ""}`));
    }
  }

  /** Read something that tells of decisions; again where one was saved meanwhile, of which the answer may not know. */
  async function upToDate(load) {
    for (;;) {
      const before = saved;
      const found = await load();
      if (saved === before) return found;
    }
  }

  const here = () => (queue ? queue.rows[place] : state.sample); // a link may name a sample

  /** Read the queue of the filter; stay at the row that `at` names then, if it is in it. */
  async function refill(at = () => null, mine = token) {
    const next = await upToDate(() => loadQueue(filter));
    if (mine !== token) return;
    const row = at(); // only now: somebody may have gone on while the answer was on its way
    queue = next;
    cards.forget();
    blank.hidden = true;
    body.hidden = false;
    place = Math.max(0, row === null ? 0 : queue.rows.indexOf(row));
    head.update(summary, filter, queue.n);
    list.open(queue, place);
    nothing.hidden = queue.n > 0;
    sample.node.hidden = side.node.hidden = queue.n === 0;
    if (!queue.n) { show(nothing, empty("Nothing to show here.", "No sample passes this filter. Choose another one above.")); host.dataset.ready = "0"; return; }
    await look(queue.rows[place]);
    if (mine === token) host.dataset.ready = String(queue.n);
  }

  async function look(row) {
    const at = queue.rows.indexOf(row);
    if (at >= 0) { place = at; list.go(place); }
    set({ sample: row });
    const same = sameCase();
    try {
      const card = await cards.load(row);
      if (!same() || (state.sample !== row && sample.row !== null)) return;
      side.open(card);
      sample.open(card, summary.channels);
      for (const next of [...queue.rows.slice(place + 1, place + 3)]) cards.load(next).then(sample.ahead).catch(() => {});
    } catch (error) { if (same()) say(error); }
  }

  function go(at) { sample.save(); say(null); look(queue.rows[at]); }
  function step(by) { if (queue?.n) go(Math.max(0, Math.min(queue.n - 1, place + by))); }

  /** Send a change after those before it: to the case, and under the name, of now. */
  function send(rest, body) {
    const path = reviewPath(rest);
    const work = () => post(path, body);
    writing = writing.then(work, work);
    return writing;
  }

  function judge(verdict) {
    if (!queue?.n || sample.row !== queue.rows[place]) return; // the card is not there yet
    const [of, at, before] = [queue, place, queue.codes[place]];
    sample.save();
    const was = sample.mine(verdict);
    if (before === codeOf("undecided") || me.blind) of.codes[at] = codeOf(verdict);
    record(of, at, verdict).catch((error) => {
      say(error);
      of.codes[at] = before;
      cards.drop(of.rows[at]);
      if (of === queue && sample.row === of.rows[at]) sample.mine(was);
    }).finally(list.redraw);
    if (at + 1 < of.n) step(1); else { list.redraw(); }
  }

  /** Send a verdict; afterwards list and card say what the server says. */
  async function record(of, at, verdict) {
    const [same, row, asked] = [sameCase(), of.rows[at], reviewPath()];
    const { counts } = await send("/decide", { rows: [row], verdict, note: null });
    if (!same()) return;
    saved += 1;
    if (summary && reviewPath() === asked) { summary = { ...summary, counts }; head.counts(counts); } // else they are another reviewer's
    const fresh = await reload(row);
    if (!fresh) return;
    const said = new Set(fresh.opinions.map((one) => one.verdict).filter(Boolean));
    const place = queue?.rows.indexOf(row) ?? -1; // of the queue of now
    if (place >= 0) queue.codes[place] = codeOf(said.size > 1 ? "disagreement" : [...said][0]);
    if (sample.row === row) sample.mine(fresh.mine?.verdict ?? null); // the card may have been read before the decision arrived
  }

  /** Read a row's card again after a change; null where that fails, for the change itself was saved. */
  async function reload(row) {
    const same = sameCase();
    cards.drop(row);
    try {
      const fresh = await cards.load(row);
      if (!same()) return null;
      if (sample.row === row) side.open(fresh);
      return fresh;
    } catch (error) { if (same()) say(error); return null; }
  }

  async function keep(row, text) {
    const same = sameCase();
    try {
      await send("/decide", { rows: [row], verdict: null, note: text });
      if (same()) reload(row);
      return true;
    } catch (error) { say(error); return false; }
  }

  /** Read everything again, because much may have changed. */
  async function again(at = here) {
    const [same, mine] = [sameCase(), reading += 1];
    const next = await upToDate(loadSummary);
    if (!same() || mine !== reading) return; // read for another name since
    summary = next;
    await refill(at, token += 1);
  }

  async function all(verdict) {
    const same = sameCase();
    try {
      await send("/decide-all", { verdict, ...filter, expected: queue.n });
      if (same()) await again();
    } catch (error) { say(error); }
  }

  async function back() {
    const same = sameCase();
    try {
      const { rows, undone } = await send("/undo", {});
      if (!same()) return;
      say(undone ? null : { message: "There is nothing to take back.", remedy: "Only your own decisions can be undone." });
      if (undone) await again(() => rows[0]);
    } catch (error) { say(error); }
  }

  /** Change the filter; of several changes in a row the last one is shown. */
  async function choose(patch) {
    filter = { ...filter, ...patch };
    say(null);
    const before = here(); // a sample that somebody chooses while the answer is on its way stays
    try { await refill(() => (here() === before ? null : here()), token += 1); } catch (error) { say(error); }
  }

  async function rename(name) { me.by = name; agreed.close(); try { await again(); say(null); } catch (error) { say(error); } }
  async function blind(on) { me.blind = on; agreed.close(); side.hide(); try { await again(); } catch (error) { say(error); } }

  async function together() {
    const [same, hidden] = [sameCase(), me.blind];
    try {
      const view = await (hidden ? compare() : loadAgreement());
      if (!same()) return;
      if (hidden) { me.blind = false; await again(); }
      if (same()) agreed.open(view);
    } catch (error) { say(error); }
  }

  listenReview(act);
  onTheme(() => sample.repaint());
  watch(["case"], () => { token += 1; stale = true; summary = queue = null; for (const part of [cards, list, sample, head]) part.forget(); filter = { shown: "suspected", channel: null, selection: null }; body.hidden = blank.hidden = true; agreed.close(); open(); });
  watch(["finished"], () => { stale = true; open(); });
  watch(["tab", "methods"], open);
  open();
}
