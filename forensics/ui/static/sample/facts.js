// What is known about a sample, and what the model says when it is asked.

import { el, show } from "../core/dom.js";
import { percent } from "../core/format.js";
import { state } from "../core/store.js";
import { answer } from "./live.js";

const DWELL = 350; // milliseconds on a sample before a warm model is asked by itself

const line = (name, ...value) => [el("dt", {}, name), el("dd", {}, ...value)];

/** The list of facts; `update(sample, hide)` fills it. */
export function factList() {
  const said = el("span", { id: "tl-model-says" });
  const hidden = el("span", { id: "tl-patch-hidden" });
  const node = el("dl", { class: "tl-facts" });
  let control = null;
  let timer = null;
  let asked = null; // the sample that the model was asked about: another layer must not take the question away
  const nameOf = (sample) => `${state.case} ${sample.row}`;
  const wait = () => el("em", { class: "tl-wait" }, state.live ? "asking the model…" : "starting the model, this can take a while…");

  async function fillIn(where, row, hide, signal) {
    show(where, wait());
    try {
      const reply = await answer(row, hide, signal);
      show(where, reply.text || "(nothing)", el("span", { class: "tl-sub", title: "Probability of this answer: the product over its tokens. A long or unusual answer can be the likeliest one and still have a small product." },
        ` p ${percent(reply.probability, 1)}`));
      where.dataset.ready = "1";
    } catch (error) {
      if (error.name === "AbortError") return;
      asked = null;
      show(where, el("span", { class: "tl-bad-text" }, `${error.message} ${error.remedy ?? ""}`));
    }
  }

  async function askBoth(sample, hide) {
    control?.abort();
    control = new AbortController();
    const { signal } = control;
    await fillIn(said, sample.row, null, signal);
    if (hide && !signal.aborted) await fillIn(hidden, sample.row, hide, signal);
  }

  function offer(sample, hide) {
    const ask = () => { asked = nameOf(sample); askBoth(sample, hide); };
    const again = asked === nameOf(sample);
    show(said, again ? wait() : el("button", { type: "button", class: "tl-ghost", id: "tl-ask", onclick: ask,
      title: "Loads the model in the worker; afterwards every sample you open is asked by itself" }, "Ask the model"));
    show(hidden, el("span", { class: "tl-sub" }, hide ? "asked together with it" : "no attention peak to hide"));
    clearTimeout(timer);
    if (state.live || again) timer = setTimeout(ask, DWELL);
  }

  return {
    node,
    update(sample, hide) {
      control?.abort();
      delete said.dataset.ready;
      delete hidden.dataset.ready;
      show(node,
        line("Question", sample.question || "–"),
        line("Answer in data", sample.answer ?? "–"),
        line("Model says", said),
        line("Patch hidden", hidden),
        line("Why", el("span", { id: "tl-reason" }, sample.reason)),
        sample.label ? line("Label", sample.label) : [],
        line("From", el("span", { class: "tl-path" }, `${sample.source}, line ${sample.line}`)));
      if (asked !== nameOf(sample)) asked = null;
      offer(sample, hide);
    },
  };
}
