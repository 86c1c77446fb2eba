// The job bar: where the run stands, how long it will take, cancel and resume.
//
// It reads the run folder through the server, so it picks a job up again after a reload, a closed
// tab or a restarted server, and does not care who started it.

import { casePath, forget, getJSON, post } from "../core/api.js";
import { el, show } from "../core/dom.js";
import { clock, count, duration } from "../core/format.js";
import { pace } from "../core/pace.js";
import { set, state, watch } from "../core/store.js";

const CALM = 4000; // milliseconds between looks while the server does not answer

const WORDS = {
  queued: "waiting for the worker", running: "running", finished: "finished", failed: "failed",
  cancelled: "cancelled", interrupted: "interrupted",
};

function details(job) {
  const { status, progress, unit } = job;
  const parts = [];
  // Steps of a search tell nobody anything; their share does.
  if (status.total) parts.push(unit ? `${count(status.done)} / ${count(status.total)}` : `${Math.floor((100 * status.done) / status.total)} %`);
  if (status.state === "running") {
    if (progress.rate && unit) parts.push(`${progress.rate >= 10 ? count(Math.round(progress.rate)) : progress.rate.toFixed(1)} ${unit}/s`);
    if (progress.remaining !== null) parts.push(`about ${duration(progress.remaining)} left`);
    if (status.message) parts.push(status.message);
    if (progress.stalled) parts.push("no sign of life from its process for a while");
  } else {
    parts.push(WORDS[status.state] ?? status.state);
    if (status.state === "finished" && progress.ended) parts.push(`${clock(progress.ended)}, after ${duration(progress.elapsed)}`);
    if (status.error) parts.push(status.error);
    else if (status.state === "interrupted") parts.push("the process that ran it is gone");
  }
  return parts.join(" · ");
}

/** Where the followed run is: one that was started last, or the scan on the page. */
const followed = () => `${casePath(state.case)}/runs/${encodeURIComponent(state.job ?? state.run)}`;

/** Build the bar into a node. */
export function jobBar() {
  const name = el("span", { class: "tl-job-name" }, "No job");
  const track = el("div", { class: "tl-track", role: "progressbar", "aria-label": "Progress of the job", "aria-valuemin": "0" }, el("i"));
  const text = el("span", { class: "tl-job-text", id: "tl-job" });
  const problem = el("span", { class: "tl-job-text tl-bad-text", id: "tl-job-problem", role: "alert" }); // what a button could not do
  const buttons = el("span", { class: "tl-job-buttons" });
  const node = el("div", { class: "tl-jobbar", id: "tl-jobbar" }, name, track, text, problem, buttons);
  let timer = null;
  let last = null;

  async function command(word) {
    const path = followed();
    show(problem);
    try {
      await post(`${path}/${word}`);
    } catch (error) {
      if (path === followed()) show(problem, `${error.message} ${error.remedy ?? ""}`);
      return;
    }
    forget(path);
    look();
  }

  function actions({ status }) {
    const make = (word, label) => el("button", { type: "button", class: "tl-ghost", id: `tl-${word}`, onclick: () => command(word) }, label);
    if (status.state === "queued" || status.state === "running") return [make("cancel", "Cancel")];
    if (status.resumable) return [make("resume", status.state === "failed" ? "Try again" : "Resume")];
    return [];
  }

  function draw(job) {
    const { status } = job;
    track.hidden = false;
    if (node.dataset.run !== job.run) track.replaceChildren(el("i")); // another run does not shrink from the last one's end
    node.dataset.state = status.state;
    node.dataset.run = job.run;
    show(name, job.label);
    const share = status.state === "finished" ? 1 : status.total ? status.done / status.total : 0;
    track.firstChild.style.width = `${(100 * share).toFixed(1)}%`;
    track.setAttribute("aria-valuemax", String(status.total || 1));
    track.setAttribute("aria-valuenow", String(status.done));
    show(text, details(job));
    const key = `${status.state}`;
    if (buttons.dataset.key !== key) { show(problem); show(buttons, actions(job)); buttons.dataset.key = key; }
  }

  function blank() {
    delete node.dataset.state;
    delete buttons.dataset.key;
    track.hidden = true;
    show(buttons);
    show(problem);
    show(name, "No job");
    show(text, state.case ? "nothing is under way" : "open a case to start one");
  }

  async function look() {
    clearTimeout(timer);
    if (!state.case || !(state.job ?? state.run)) { blank(); return; }
    const path = followed();
    try {
      const job = await getJSON(path);
      if (path !== followed()) return;
      draw(job);
      const working = job.status.state === "queued" || job.status.state === "running";
      // A short job may have ended before the first look at it.
      const ended = !working && (last === `${path} working` || (state.job !== null && last !== path));
      if (ended) { forget(path); set({ finished: `${path} ${Date.now()}` }); }
      last = working ? `${path} working` : path;
      if (working) timer = setTimeout(look, pace(job.progress));
    } catch (error) {
      if (path !== followed()) return;
      show(text, `${error.message} ${error.remedy ?? ""}`);
      timer = setTimeout(look, CALM);
    }
  }

  watch(["case", "run", "job"], () => { delete buttons.dataset.key; look(); });
  look();
  return node;
}
