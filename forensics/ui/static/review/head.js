// Above the queue: who reviews, how far they are, what is shown, and decisions about all that is shown.

import { el, show } from "../core/dom.js";
import { count, percent, plural } from "../core/format.js";
import { me } from "./data.js";

const WORDS = { suspected: "Suspected", undecided: "Undecided", flag: "Flagged by people", keep: "Kept by people", unsure: "Unsure", disagreement: "Disagreement", decided: "Decided", all: "All" };
const FATE = { keep: "keep", flag: "flag", unsure: "mark as unsure" };

/** The head; `act` has `filter(patch)`, `leave()`, `name(text)`, `blind(on)`, `all(verdict)`, `undo()`, `compare()` and `keys()`. */
export function reviewHead(act) {
  let [summary, filter, n, asking] = [null, { shown: "suspected", channel: null, selection: null }, null, null];
  const progress = el("div", { class: "tl-rv-progress" });
  const filters = el("div", { class: "tl-rv-filters", role: "group", "aria-label": "What is shown" });
  const batch = el("div", { class: "tl-rv-batch", "aria-live": "polite" });
  const problems = el("div");
  const who = el("div", { class: "tl-rv-who" });
  const node = el("section", { class: "tl-card tl-rv-head", "aria-label": "Review" }, el("div", { class: "tl-rv-top" }, progress, who), problems, el("div", { class: "tl-rv-top" }, filters, batch));
  const ghost = (text, id, onclick, more = {}) => el("button", { type: "button", class: "tl-ghost", id, onclick, ...more }, text);

  function tellProgress() {
    const { suspected, suspected_decided: done, samples, undecided } = summary.counts;
    const share = suspected ? done / suspected : (samples - undecided) / samples;
    const text = suspected ? `${count(done)} of ${plural(suspected, "suspected sample")} decided (${percent(share)})` : `${count(samples - undecided)} of ${plural(samples, "sample")} decided; no check flags any`;
    const parts = ["flag", "keep", "unsure", "disagreement"].filter((name) => summary.counts[name]).map((name) => `${count(summary.counts[name])} ${name === "flag" ? "flagged" : name === "keep" ? "kept" : name === "unsure" ? "unsure" : "in disagreement"}`);
    show(progress, el("div", { class: "tl-track tl-rv-track", role: "progressbar", "aria-label": "Suspected samples decided", "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": Math.round(100 * share) }, el("i", { style: `width:${(100 * share).toFixed(1)}%` })),
      el("span", { id: "tl-rv-progress" }, el("b", {}, text), el("span", { class: "tl-sub" }, parts.length ? ` · ${parts.join(", ")}` : "")));
  }

  function tellWho() {
    if (document.activeElement?.id === "tl-rv-name") return; // somebody is typing there
    const name = summary.login ? el("b", { id: "tl-rv-name" }, summary.by)
      : el("input", { type: "text", id: "tl-rv-name", maxlength: "60", placeholder: summary.by, value: me.by, autocomplete: "off", onchange: (event) => act.name(event.target.value) });
    const blind = el("input", { type: "checkbox", id: "tl-rv-blind", checked: me.blind, onchange: (event) => act.blind(event.target.checked) });
    show(who, el("label", { for: summary.login ? null : "tl-rv-name" }, "Reviewer "), name,
      el("label", { class: "tl-rv-check", title: "Hides what others decided until you compare; your decisions are noted as blind" }, blind, " blind"),
      ghost("Compare reviewers", "tl-rv-compare", act.compare), ghost("Undo", "tl-rv-undo", act.undo, { title: "Take back your latest decision (Ctrl-Z)" }),
      ghost("?", "tl-rv-keys", act.keys, { "aria-label": "Keys", title: "Keys (?)" }));
  }

  function option(value, text, chosen) { return el("option", { value, selected: value === chosen }, text); }

  function tellFilters() {
    if (filter.selection) {
      show(filters, el("span", { class: "tl-chip tl-calm", id: "tl-rv-selection" }, `${plural(n, "sample")} selected on the map`), ghost("Back to the queue", "tl-rv-leave", act.leave));
      return;
    }
    const size = (name) => (name === "all" ? summary.counts.samples : name === "decided" ? summary.counts.samples - summary.counts.undecided : summary.counts[name]);
    const shown = el("select", { id: "tl-rv-shown", "aria-label": "Which samples", onchange: (event) => act.filter({ shown: event.target.value }) },
      summary.shown.map((name) => option(name, `${WORDS[name]} (${count(size(name))})`, filter.shown)));
    const by = el("select", { id: "tl-rv-channel", "aria-label": "By which check", onchange: (event) => act.filter({ channel: event.target.value || null }) },
      option("", "all evidence together", filter.channel ?? ""), summary.channels.map((one) => option(one.key, one.ranks_only ? `${one.title} (ranks only)` : `${one.title} (${count(one.flagged)})`, filter.channel ?? "")));
    show(filters, el("label", {}, "Show ", shown), el("label", {}, "by ", by), el("span", { class: "tl-sub", id: "tl-rv-n" }, plural(n, "sample")));
  }

  function tellBatch() {
    if (asking) {
      const yes = el("button", { type: "button", class: "tl-primary", id: "tl-rv-yes", onclick: () => { const verdict = asking; asking = null; tellBatch(); act.all(verdict); } }, `Yes, ${FATE[asking]} ${count(n)}`);
      show(batch, el("span", {}, `${FATE[asking][0].toUpperCase()}${FATE[asking].slice(1)} all ${plural(n, "sample")} shown? One step of undo takes it back. `), yes, ghost("Cancel", "tl-rv-no", () => { asking = null; tellBatch(); }));
      yes.focus();
      return;
    }
    const button = (verdict, text) => ghost(text, `tl-rv-all-${verdict}`, () => { asking = verdict; tellBatch(); }, { disabled: n === 0 });
    show(batch, el("span", { class: "tl-sub" }, "All shown: "), button("keep", "keep"), button("flag", "flag"), button("unsure", "unsure"));
  }

  return {
    node,
    update(next, nextFilter, size) {
      const same = n === size && Object.keys(filter).every((name) => filter[name] === nextFilter[name]);
      [summary, filter, n] = [next, { ...nextFilter }, size];
      tellProgress(); tellWho(); tellFilters();
      if (!same) { asking = null; tellBatch(); } // a question about what is still shown stays
      show(problems, summary.problems.map((text) => el("p", { class: "tl-alert" }, text)));
    },
    /** Another case: what was asked about the last one is not asked about this one. */
    forget() { n = null; },
    counts(counts) { summary = { ...summary, counts }; tellProgress(); if (!filter.selection && document.activeElement?.tagName !== "SELECT") tellFilters(); },
  };
}
