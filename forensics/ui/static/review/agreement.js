// How far reviewers agree: counts, kappa with its n, the table of verdicts, and where they differ.

import { card, el, empty, show } from "../core/dom.js";
import { count, fixed, percent } from "../core/format.js";

const WORDS = ["keep", "flag", "unsure"];

function reviewers(people) {
  return el("table", { class: "tl-table" }, el("caption", {}, "Who decided what"),
    el("thead", {}, el("tr", {}, ["reviewer", ...WORDS, "notes"].map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, people.map((one) => el("tr", {}, el("th", { scope: "row" }, one.name), WORDS.map((word) => el("td", {}, count(one.counts[word]))), el("td", {}, count(one.notes))))));
}

function pair(found) {
  const kappa = found.kappa === null ? "not defined" : fixed(found.kappa).replace("-", "−");
  return el("div", { class: "tl-rv-pair" },
    el("dl", { class: "tl-figures" }, [["agree on", `${count(found.same)} of ${count(found.n)}`], ["raw agreement", `${percent(found.raw, 1)} (95 % interval ${percent(found.low)} to ${percent(found.high)})`], ["by chance", percent(found.chance, 1)], ["Cohen’s kappa", `${kappa} (n = ${count(found.n)})`]]
      .map(([name, text]) => [el("dt", {}, name), el("dd", {}, text)])),
    el("table", { class: "tl-table" }, el("caption", {}, `Rows: ${found.first}. Columns: ${found.second}.`),
      el("thead", {}, el("tr", {}, el("td", {}), WORDS.map((word) => el("th", { scope: "col" }, word)))),
      el("tbody", {}, WORDS.map((one) => el("tr", {}, el("th", { scope: "row" }, one), WORDS.map((two) => el("td", { class: one === two ? "tl-rv-same" : null }, count(found.table[one][two]))))))));
}

function apart(view, look) {
  if (!view.disagreements.length) return null;
  return el("details", { open: true }, el("summary", {}, `They differ on ${count(view.disagreements.length + view.more)}`),
    el("ul", { class: "tl-rv-apart-list" }, view.disagreements.map((one) => el("li", {}, el("button", { type: "button", class: "tl-link", onclick: () => look(one.row) },
      el("b", {}, one.id), " ", el("span", { class: "tl-sub" }, Object.entries(one.said).map(([by, verdict]) => `${by}: ${verdict}`).join(", ")))))));
}

/** The panel; `close()` and `look(row)` act. */
export function agreementPanel({ close, look }) {
  const body = el("div", { id: "tl-rv-agreement" });
  const node = card("Reviewers compared", { tools: [el("button", { type: "button", class: "tl-ghost", id: "tl-rv-close", onclick: close }, "Close")], label: "Agreement" }, body);
  node.hidden = true;
  return {
    node,
    open(view) {
      node.hidden = false;
      show(body, el("p", {}, view.sentence), view.reviewers.length && reviewers(view.reviewers),
        view.pairs.length ? [view.pairs.map(pair), el("p", { class: "tl-sub" }, `${view.reading} Where reviewers differ, nothing is settled until one of them changes a verdict.`)]
          : empty("Nothing to compare yet.", "Two people have to decide about the same samples. The second one enters another name above, and may review blind."), apart(view, look));
      node.scrollIntoView({ block: "nearest" });
    },
    close() { node.hidden = true; },
  };
}
