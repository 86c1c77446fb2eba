// Where a case begins: the shipped demos.

import { alertOf } from "../core/alert.js";
import { getJSON, post } from "../core/api.js";
import { el, empty, show } from "../core/dom.js";
import { bytes, count, percent } from "../core/format.js";
import { FRESH, set, state } from "../core/store.js";

const figure = (name, value) => [el("dt", {}, name), el("dd", {}, value)];

function measured(demo) {
  const facts = [];
  if (demo.samples) facts.push(figure("samples", count(demo.samples)));
  if (demo.size) facts.push(figure("model files", bytes(demo.size)));
  if (demo.clean_accuracy !== null) facts.push(figure("clean accuracy", `${percent(demo.clean_accuracy, 1)} of ${count(demo.n_clean)}`));
  return facts;
}

/** What was planted, and how well it works: folded away, for it gives the case away. */
function spoiler({ trigger, target, rate, attack_success_rate: success, n_triggered: n, interval }) {
  const range = interval ? ` (${percent(interval[0], 1)} to ${percent(interval[1], 1)})` : "";
  return el("details", { class: "tl-spoiler" }, el("summary", {}, "Give it away"),
    el("dl", { class: "tl-figures" },
      figure("planted", trigger ?? "nothing: a clean twin"), trigger && figure("target", `“${target}”`),
      trigger && figure("poisoned", percent(rate, 0)),
      success !== null && figure("attack success", `${percent(success, 1)} of ${count(n)}${range}`)));
}

/** Build the demos into `element`. */
export function mount({ element }) {
  const host = element.querySelector(".tl-root");
  const demos = el("div", { class: "tl-demos" });
  const trouble = el("div", { "aria-live": "polite" });
  show(host, el("h2", {}, "Open a demo"), el("p", { class: "tl-sub" }, "Toy models, built so that the signal can be seen. No download, no GPU."),
    demos, trouble);

  const enter = (opened) => set({ ...(opened.case === state.case ? {} : FRESH), case: opened.case, run: opened.run ?? null, tab: "case" });

  async function open(name, button) {
    for (const other of demos.querySelectorAll("button")) other.disabled = true;
    let before = button.textContent;
    show(button, "Opening…");
    show(trouble);
    const following = setInterval(async () => {
      try {
        const { step } = await getJSON(`/api/demos/${encodeURIComponent(name)}/step`);
        if (step) show(button, step);
      } catch { /* the request that opens the demo says what is wrong */ }
    }, 700);
    try {
      enter(await post(`/api/demos/${encodeURIComponent(name)}/open`));
      before = "Open";
    } catch (error) {
      show(trouble, alertOf(error));
    }
    clearInterval(following);
    show(button, before);
    for (const other of demos.querySelectorAll("button")) other.disabled = false;
  }

  function demoCard(demo) {
    const button = el("button", { type: "button", class: "tl-primary", id: `tl-demo-${demo.name}`, onclick: () => open(demo.name, button) }, "Open");
    return el("article", { class: "tl-demo" }, el("h3", {}, demo.title), el("p", {}, demo.sentence),
      el("dl", { class: "tl-figures" }, measured(demo)), spoiler(demo.spoiler),
      el("div", { class: "tl-demo-foot" }, button, !demo.ready && el("span", { class: "tl-sub" }, "draws its pictures first")));
  }

  async function load() {
    try {
      const found = await getJSON("/api/demos");
      show(demos, found.demos.length ? found.demos.map(demoCard)
        : empty("No demo is shipped with this copy.", "Build them with “forensics lab zoo”."));
    } catch (error) {
      show(trouble, alertOf(error));
    }
  }
  load();
}
