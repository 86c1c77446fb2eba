// Which repairs there are: what each needs, whether it applies to this case, what it costs, and its start.

import { alertOf } from "../core/alert.js";
import { el, show } from "../core/dom.js";
import { state } from "../core/store.js";
import { openDrawer, start } from "../methods/listing.js";

const MARKS = { have: ["✓", "tl-rp-have"], give: ["○", "tl-rp-give"], missing: ["✕", "tl-rp-missing"] };
const STATES = { have: "there", give: "to be named in the options", missing: "missing" };

function need({ what, state: how, words }) {
  const [mark, style] = MARKS[how];
  return el("li", { class: style }, el("span", { "aria-hidden": "true" }, mark), el("span", {}, el("b", {}, what), el("span", { class: "tl-unseen" }, ` (${STATES[how]})`), el("span", { class: "tl-sub" }, ` ${words}`)));
}

/** In a word: can it start? */
function fit(method) {
  if (method.why_not) return el("span", { class: "tl-sub tl-rp-not" }, "✕ not for this model");
  if (!method.startable) return el("span", { class: "tl-sub tl-rp-not" }, "✕ something is missing");
  return method.ready ? el("span", { class: "tl-sub tl-rp-have" }, "✓ can start") : el("span", { class: "tl-sub tl-rp-give" }, "○ needs an option");
}

/** The picker. `running()` tells whether a repair is under way. */
export function methodsCard({ running }) {
  let [view, chosen] = [null, null];
  const list = el("div", { class: "tl-rp-methods", role: "listbox", tabindex: "0", "aria-label": "Repairs", id: "tl-rp-methods" });
  const detail = el("div", { class: "tl-rp-detail", id: "tl-rp-detail", "aria-live": "polite" });
  const problem = el("div");
  const summary = el("summary", {}, "Choose a repair");
  const node = el("details", { class: "tl-card tl-rp-picker", id: "tl-rp-picker" }, summary, el("div", { class: "tl-rp-pick" }, list, detail));

  /** Those that can work on this model first; what cannot is kept, with its reason. */
  const inOrder = (baseline) => view.methods.filter((one) => one.baseline === baseline).sort((a, b) => Boolean(a.why_not) - Boolean(b.why_not));
  const find = () => view.methods.find((one) => one.name === chosen);

  async function begin(event, options = {}) {
    event.target.disabled = true;
    show(problem);
    try { await start(chosen, options); } catch (error) {
      show(problem, alertOf(error));
      event.target.disabled = false;
    }
  }

  function option(method) {
    return el("div", { role: "option", class: "tl-rp-method", id: `tl-rp-method-${method.name}`, "aria-selected": String(method.name === chosen), "data-out": String(Boolean(method.why_not)), onclick: () => choose(method.name) },
      el("span", {}, method.title), fit(method));
  }

  function drawList() {
    const [own, baselines] = [inOrder(false), inOrder(true)];
    show(list, own.map(option), baselines.length > 0 && el("div", { class: "tl-rp-group", role: "presentation" }, "Baselines, to compare with"), baselines.map(option));
    list.setAttribute("aria-activedescendant", `tl-rp-method-${chosen}`);
  }

  function buttons(method) {
    const busy = running();
    return el("div", { class: "tl-start" },
      el("button", { type: "button", class: method.ready ? "tl-primary" : "tl-ghost", id: "tl-rp-start", disabled: busy || !method.ready, onclick: begin, title: busy ? "A repair is under way" : "" }, "Start with the defaults"),
      el("button", { type: "button", class: method.ready || !method.startable ? "tl-ghost" : "tl-primary", id: "tl-rp-options", disabled: busy || !method.startable, onclick: () => openDrawer(method.name) }, method.ready ? "Options…" : "Options and start…"),
      busy && el("span", { class: "tl-sub" }, "Another repair is under way."));
  }

  /** Sets of options that start as easily as the defaults, with what they are worth. */
  function variants(method) {
    return method.variants.map(({ name, title, words, options, ready }) => el("div", { class: "tl-start" },
      el("button", { type: "button", class: "tl-ghost", id: `tl-rp-variant-${name}`, disabled: running() || !ready, onclick: (event) => begin(event, options) }, `Start with ${title}`),
      el("span", { class: "tl-sub" }, words)));
  }

  function drawDetail() {
    const method = find();
    show(detail, el("h3", {}, method.title), el("p", { class: "tl-sub" }, `Gives ${method.gives}.`),
      method.why_not
        ? el("p", { class: "tl-alert", id: "tl-rp-why-not" }, el("strong", {}, "Not for this model. "), method.why_not)
        : [el("ul", { class: "tl-rp-needs" }, [...method.needs, view.judge].map(need)),
          el("p", { class: "tl-sub", id: "tl-rp-cost" }, el("b", {}, "Cost. "), method.cost),
          buttons(method), variants(method)],
      problem,
      method.paper && el("p", { class: "tl-sub tl-rp-paper" }, `${method.paper}${method.arxiv ? `, arXiv ${method.arxiv}` : ""}${method.reconstruction ? ". Rebuilt from partial sources (reconstruction)" : ""}.`));
  }

  function choose(name) {
    if (name !== chosen) show(problem);
    chosen = name;
    drawList();
    drawDetail();
  }

  list.addEventListener("keydown", (event) => {
    const names = [...inOrder(false), ...inOrder(true)].map((one) => one.name);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const to = step ? names.indexOf(chosen) + step : { Home: 0, End: names.length - 1 }[event.key];
    if (to === undefined || to < 0 || to >= names.length) return;
    event.preventDefault();
    choose(names[to]);
    document.getElementById(`tl-rp-method-${names[to]}`)?.scrollIntoView({ block: "nearest" });
  });

  return {
    node,
    update(next) {
      const other = view === null || node.dataset.case !== state.case;
      view = next;
      node.hidden = !view.methods.length;
      if (!view.methods.length) return;
      if (other) { chosen = null; show(problem); } // what was chosen and what went wrong concerned another case
      if (!view.methods.some((one) => one.name === chosen)) chosen = (view.methods.find((one) => one.ready) ?? view.methods.find((one) => one.startable) ?? view.methods[0]).name;
      if (other) { node.open = !view.rows.length; node.dataset.case = state.case; }
      show(summary, view.rows.some((row) => row.state === "finished") ? "Repair again, or with another method" : "Choose a repair");
      choose(chosen);
    },
  };
}
