// The steps of a lesson: where each run stands, the loss while it trains, stop and go on.

import { casePath, getJSON, post } from "../core/api.js";
import { el, show } from "../core/dom.js";
import { duration } from "../core/format.js";
import { set, state } from "../core/store.js";
import { liveCurve } from "../repair/curves.js";
import { doing, labPath } from "./data.js";

const PACE = 1000;
const MARKS = { finished: "✓", running: "▶", queued: "…", failed: "✕", cancelled: "■", interrupted: "■" };
const WORDS = { finished: "done", running: "running", queued: "waits", failed: "failed", cancelled: "stopped", interrupted: "interrupted" };

/** The card; `update(view)` draws it, `changed()` is called when a run ended. */
export function trainCard({ changed }) {
  const [list, words, problem, buttons] = [el("ol", { class: "tl-lab-steps" }), el("p", { class: "tl-sub", "aria-live": "polite" }), el("div"), el("div", { class: "tl-tools" })];
  const curve = liveCurve();
  const node = el("section", { class: "tl-card", id: "tl-lab-train", "aria-label": "Train and scan" }, el("header", { class: "tl-card-head" }, el("div", {}, el("h3", {}, "Train, scan, measure"), words), buttons), list, problem, curve.node);
  let [timer, busy] = [null, null];

  async function look() {
    clearTimeout(timer);
    if (!busy || state.tab !== "lab") return;
    const of = busy;
    try {
      const job = await getJSON(`${casePath(state.case)}/runs/${encodeURIComponent(of)}`);
      if (of !== busy) return;
      const { status, progress } = job;
      show(words, [status.state === "queued" ? "Waits for the worker" : status.total ? `${Math.floor((100 * status.done) / status.total)} %` : "Begins", status.message, progress.remaining !== null && `about ${duration(progress.remaining)} left`].filter(Boolean).join(" · "));
      if (!status.active) { changed(); return; }
    } catch { /* the bar at the top tells of it; the next look may find the server again */ }
    timer = setTimeout(look, PACE);
  }

  const line = (step) => el("li", { "data-step": step.name, "data-state": step.state ?? "none" },
    el("span", { class: "tl-lab-mark", "aria-hidden": "true" }, MARKS[step.state] ?? "○"), el("span", {}, step.title, el("span", { class: "tl-sub" }, ` ${WORDS[step.state] ?? "to do"}`), step.state === "failed" && el("span", { class: "tl-bad-text" }, ` ${step.error}`)));

  return {
    node,
    update(view) {
      const steps = view.steps.filter((step) => step.name !== "repair");
      const running = steps.find((step) => step.active && step.state === "running") ?? steps.find((step) => step.active);
      const training = steps.find((step) => step.name === "train");
      show(list, steps.map(line));
      if (training?.run && training.state !== "queued") curve.follow(training.run); else curve.stop();
      show(buttons,
        running && doing("Stop", async () => { await post(labPath("/stop")); changed(); }, problem, { id: "tl-lab-stop", class: "tl-ghost" }),
        !running && !view.complete && doing(steps.some((step) => step.run) ? "Go on" : "Start", async () => { const answer = await post(labPath("/start")); set({ job: answer.run }); changed(); }, problem, { id: "tl-lab-go" }));
      if (!running) { busy = null; show(words, view.complete ? "The model is trained, scanned and measured. Now look, and predict." : "It can go on where it stopped."); return; }
      if (busy !== running.run) { busy = running.run; look(); }
    },
    resume: look,
    stop() { busy = null; clearTimeout(timer); curve.stop(); },
  };
}
