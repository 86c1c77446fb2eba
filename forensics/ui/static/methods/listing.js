// What every method says about the open case: asked once for the whole page, kept in the state.

import { casePath, forget, getJSON, post } from "../core/api.js";
import { FRESH, sameCase, set, state, watch } from "../core/store.js";

export const BASE = "attention-entropy"; // the scan that the Attention tab itself is drawn from
export const TRIGGERS = new Set(["trigger-inversion", "trigger-transplant", "trigger-tuning"]); // have a tab of their own

export const SELF_TEST = "self-test"; // examines the methods, not the case: its result stands in the report

/** Repairs have a tab of their own; they are no evidence. */
export const isRepair = (method) => state.methods?.find((line) => line.name === method)?.kind === "repair";
export const isEvidence = (line) => line.kind !== "repair" && line.kind !== SELF_TEST;

/** Whether the open case is about an encoder (CLIP); not known before the methods are. */
export const forEncoder = () => Boolean(state.case && state.methods && !state.methods.some((line) => line.base));

const query = (run) => (run ? `?run=${encodeURIComponent(run)}` : "");

let about = null; // the scan on the page when `state.methods` was asked for: its line tells of this one

/** The addresses of the agreement. `of` names the runs that the lines tell of: the server answers for no others, nor is an old answer kept. */
export const agreementPath = (part, of) => `${casePath(state.case)}/agreement${part}${query(about)}${about ? "&" : "?"}of=${of}`;

let token = 0; // of the latest question; an older answer must not replace a newer one

async function load() {
  const mine = token += 1;
  const shown = state.run;
  if (!state.case) { set({ methods: null }); return; }
  try {
    const { methods } = await getJSON(`${casePath(state.case)}/methods${query(shown)}`);
    if (mine !== token) return;
    about = shown;
    const active = methods.find((line) => line.active)?.active.run;
    set({ methods, ...(active && active !== state.run && !state.job ? { job: active } : {}) });
  } catch { /* the top bar says what is wrong with the case or the server */ }
}

/** Follow a run that was just started: show its method, and its progress in the job bar. */
export function followRun({ started, method }) {
  forget(casePath(state.case));
  closeDrawer();
  if (method === BASE) set({ ...FRESH, run: started, tab: "attention" });
  else if (method === "clusters") set({ job: started, map: null, tab: "clusters" });
  else if (method === SELF_TEST) set({ job: started, tab: "report" });
  else if (isRepair(method) && (state.tab === "repair" || !TRIGGERS.has(method))) set({ job: started, tab: "repair" });
  else if (TRIGGERS.has(method)) set({ job: started, tab: "triggers" });
  else set({ job: started, view: method, tab: "attention" });
  load();
}

/** Ask the open case for a run and follow it; whoever opened another case meanwhile hears no more of it. */
async function begin(rest, body, method) {
  const same = sameCase();
  try {
    const job = await post(`${casePath(state.case)}${rest}`, body);
    if (same()) followRun({ started: job.run, method });
  } catch (error) { if (same()) throw error; }
}

/** Start a method; options that are left out keep their defaults. */
export const start = (method, options = {}) => begin(`/methods/${encodeURIComponent(method)}`, { options }, method);

/** Go on with a run that ended early. */
export const resume = ({ run }, method) => begin(`/runs/${encodeURIComponent(run)}/resume`, {}, method);

export const openDrawer = (method) => document.dispatchEvent(new CustomEvent("tl-drawer", { detail: method ?? "" }));
export const closeDrawer = () => document.dispatchEvent(new CustomEvent("tl-drawer", { detail: null }));

/** Keep `state.methods` in step with the case, the scan on the page and the jobs that end. */
export function followMethods() {
  watch(["case"], () => set({ methods: null, job: null }));
  watch(["case", "run", "job", "finished"], load);
  load();
}
