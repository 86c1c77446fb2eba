// A repair under way, waiting or ended early: how far it is, its loss, cancel, resume.

import { alertOf, herald } from "../core/alert.js";
import { casePath, getJSON, post } from "../core/api.js";
import { el, show } from "../core/dom.js";
import { duration } from "../core/format.js";
import { pace } from "../core/pace.js";
import { state } from "../core/store.js";
import { resume } from "../methods/listing.js";
import { liveCurve } from "./curves.js";
import { optionsText } from "./data.js";

const CALM = 2000; // milliseconds until the next look where the server did not answer
const runPath = (run, rest = "") => `${casePath(state.case)}/runs/${encodeURIComponent(run)}${rest}`;

/** The card; `update(row)` tells which repair it is about, `null` hides it. `ended()` is called when that one stops. */
export function runningCard({ ended }) {
  const title = el("h3");
  const bar = el("div", { class: "tl-track", role: "progressbar", "aria-label": "Progress of the repair", "aria-valuemin": "0", "aria-valuemax": "100" }, el("i"));
  const words = el("span", { class: "tl-job-text" });
  const said = herald(); // the words beside it change several times a second
  const buttons = el("span", { class: "tl-tools" });
  const problem = el("div");
  const curve = liveCurve();
  const node = el("section", { class: "tl-card tl-rp-running", id: "tl-rp-running", "aria-label": "Repair under way", hidden: true },
    el("header", { class: "tl-card-head" }, el("div", {}, title), buttons), el("div", { class: "tl-rp-progress" }, bar, words, said.node), problem, curve.node);
  let [row, timer, stage] = [null, null, ""];

  async function command(act, button) {
    button.disabled = true;
    show(problem);
    try { await act(); } catch (error) {
      button.disabled = false;
      show(problem, alertOf(error));
    }
  }
  const button = (text, id, act, primary = false) => el("button", { type: "button", id, class: primary ? "tl-primary" : "tl-ghost", onclick: (event) => command(act, event.target) }, text);

  function tell(job) {
    const share = job.status.total ? job.status.done / job.status.total : 0;
    bar.firstChild.style.width = `${(100 * share).toFixed(1)}%`;
    bar.setAttribute("aria-valuenow", String(Math.round(100 * share)));
    const { status, progress } = job;
    said.tell(status.state === "queued" ? "The repair waits for the worker." : "The repair is under way.");
    show(words, [status.state === "queued" ? "waits for the worker" : `${Math.floor(100 * share)} %`, status.message, progress.remaining !== null && `about ${duration(progress.remaining)} left`,
      progress.stalled && "no sign of life from its process for a while"].filter(Boolean).join(" · "));
  }

  /** The button that fits; it stays, with what went wrong, until another one does. */
  function offer() {
    const next = `${row.run} ${row.active ? "active" : row.state}`;
    if (next === stage) return;
    stage = next;
    show(problem);
    show(buttons, row.active ? button("Cancel", "tl-rp-cancel", () => post(runPath(row.run, "/cancel")))
      : row.resumable && button(row.state === "failed" ? "Try again" : "Resume", "tl-rp-resume", () => resume(row, row.method), true));
  }

  async function look() {
    clearTimeout(timer);
    if (!row?.active) return;
    const of = row.run;
    let wait = CALM;
    try {
      const job = await getJSON(runPath(of));
      if (of !== row?.run) return;
      tell(job);
      wait = pace(job.progress);
      if (!job.status.active) { ended(of); return; }
    } catch { /* the bar at the top tells of it; the next look may find the server again */ }
    timer = setTimeout(look, wait);
  }

  return {
    node,
    update(next) {
      row = next;
      node.hidden = !row;
      if (!row) { clearTimeout(timer); curve.stop(); stage = ""; return; }
      node.dataset.run = row.run;
      node.dataset.state = row.state;
      show(title, row.label, row.options.length > 0 && el("span", { class: "tl-sub" }, ` ${optionsText(row.options)}`));
      curve.follow(row.run, row.active);
      bar.hidden = !row.active;
      offer();
      if (row.active) { look(); return; }
      said.tell(`The repair is ${row.state}.`);
      show(words, el("b", {}, `It is ${row.state}. `), row.error || "What it finished is kept.");
    },
  };
}
