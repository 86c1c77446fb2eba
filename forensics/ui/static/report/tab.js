// The Report tab: the bottom line, what is missing, the self-test, sign-off, and the report itself.

import { MARKS } from "../attention/verdict.js";
import { casePath, getJSON } from "../core/api.js";
import { el, empty, show } from "../core/dom.js";
import { count } from "../core/format.js";
import { set, state, watch } from "../core/store.js";
import { previewCard } from "./preview.js";
import { selfTestCard } from "./selftest.js";
import { signingCard } from "./signing.js";
import { stepsCard } from "./steps.js";

function head(name, view) {
  const mark = MARKS[view.verdict] ?? { shape: "○", name: view.headline, tone: "plain" };
  const link = (suffix, text, title, query = "") => el("a", { class: "tl-ghost tl-save", href: `${casePath(name)}/report.${suffix}${query}`, download: "", title, id: `tl-report-${query ? "reveal" : suffix}` }, text);
  return el("section", { class: `tl-verdict tl-${mark.tone}`, "aria-label": "Bottom line of the report" },
    el("div", { class: "tl-sentence" }, el("span", { class: "tl-verdict-mark", "aria-hidden": "true" }, mark.shape),
      el("div", {}, el("p", {}, el("strong", {}, `${view.headline}. `), view.sentences[0] ?? ""), view.sentences.slice(1).map((text) => el("p", { class: "tl-sub" }, text)))),
    el("div", { class: "tl-verdict-foot" }, link("html", "Save the report", "One page with all finished runs that opens from disk"), link("json", "Save as JSON", "The same facts for machines"),
      view.has_truth && link("html", "Save with ground truth", "For demos and lessons: what was planted, precision and recall; this is written into the journal", "?reveal=true"),
      el("span", { class: "tl-sub" }, `${count(view.finished)} finished ${view.finished === 1 ? "run" : "runs"}`)));
}

/** Build the tab into `element`. */
export function mount({ element }) {
  const host = element.querySelector(".tl-root");
  const blank = el("div", { hidden: true });
  const top = el("div", { class: "tl-report-top" });
  const preview = previewCard();
  const body = el("div", { class: "tl-report", hidden: true }, top, preview.node);
  show(host, blank, body);
  const draft = {}; // of the sign-off, by the id of its field
  let token = 0;

  function stop(content) {
    show(blank, el("div", { class: "tl-card" }, content));
    blank.hidden = false;
    body.hidden = true;
    delete host.dataset.ready;
  }

  function draw(name, view) {
    blank.hidden = true;
    body.hidden = false;
    const method = state.methods?.find((line) => line.name === "self-test");
    const typing = top.contains(document.activeElement) ? document.activeElement.id : "";
    show(top, head(name, view), el("div", { class: "tl-report-pair" }, stepsCard(view), signingCard(view, draft, (next) => { if (name === state.case) draw(name, next); })), selfTestCard(view.self_test, method));
    if (typing) document.getElementById(typing)?.focus();
    preview.update(name, `${view.facts_sha256} ${view.signatures.length}`);
    host.dataset.ready = name;
  }

  async function open() {
    if (state.tab !== "report") return;
    const mine = token += 1;
    const name = state.case;
    delete host.dataset.ready; // what is shown may be older than the last run
    if (!name) { stop(empty("No case is open.", "Open a demo or your own case first.", el("button", { type: "button", class: "tl-primary", onclick: () => set({ tab: "home" }) }, "Open a case"))); return; }
    try {
      const view = await getJSON(`${casePath(name)}/report`);
      if (mine === token) draw(name, view);
    } catch (error) {
      if (mine === token) stop(empty("The report cannot be shown.", `${error.message} ${error.remedy ?? ""}`));
    }
  }
  watch(["case"], () => { token += 1; for (const id of Object.keys(draft)) delete draft[id]; preview.forget(); body.hidden = true; });
  watch(["case", "tab", "finished", "methods"], open);
  open();
}
