// What the page shows: one flat state, its watchers, and its copy in the address bar.

const LINKED = ["case", "tab", "run", "rule", "view", "sample", "layer", "map", "inversion", "trigger", "repair", "tau", "a", "b"];
const NUMBERS = new Set(["sample", "layer", "trigger"]);
const SAFE = /^[A-Za-z0-9._-]{1,120}$/;

function fromAddress() {
  const query = new URL(location.href).searchParams;
  const found = {};
  for (const name of LINKED) {
    const text = query.get(name);
    if (text === null || !SAFE.test(text)) continue;
    found[name] = NUMBERS.has(name) ? Number.parseInt(text, 10) : name === "tau" ? Number.parseFloat(text) : text;
    if (Number.isNaN(found[name])) delete found[name];
  }
  return found;
}

const asked = fromAddress();

export const state = {
  case: null, tab: asked.case ? "case" : "home", run: null, rule: null, tau: null, cut: null, layer: null, sample: null,
  shown: "flagged", selection: null, page: 0, revealed: false, head: "mean", live: false, summary: null,
  inversion: null, trigger: null, // the scan that the Triggers tab shows (null: the latest), and the class looked at
  repair: null, // the repair that the Repair tab shows (null: the latest)
  map: null, // the run whose map the Clusters tab shows (null: the latest)
  decide: null, // a selection on the map {run, key} that the Review tab is asked to decide about
  a: null, b: null, // two runs (case.run), or two cases, that Home shows beside each other
  view: null, job: null, methods: null, // the method looked at (null: the page's own scan), the job followed, the lines of all
  ...asked,
};

/** The tab of a page whose address names none: what is open, or where something can be opened. */
export const startingTab = () => (state.case ? "case" : "home");

/** Tells later whether the case is still the one of now. */
export const sameCase = () => { const name = state.case; return () => name === state.case; };

const watchers = [];

/** Call back after any of the named fields changed; returns a function that stops it. */
export function watch(names, callback) {
  const watcher = { names: new Set(names), callback };
  watchers.push(watcher);
  return () => { if (watchers.includes(watcher)) watchers.splice(watchers.indexOf(watcher), 1); };
}

function toAddress() {
  const address = new URL(location.href);
  for (const name of LINKED) {
    const value = state[name];
    if (value === null || value === undefined) address.searchParams.delete(name);
    else address.searchParams.set(name, String(value));
  }
  history.replaceState(history.state, "", address);
}

/** Change fields together, then tell every watcher of a field that really changed, once. */
export function set(patch) {
  const changed = Object.keys(patch).filter((name) => state[name] !== patch[name]);
  if (!changed.length) return;
  Object.assign(state, patch);
  if (changed.some((name) => LINKED.includes(name))) toAddress();
  for (const watcher of [...watchers]) {
    if (changed.some((name) => watcher.names.has(name))) watcher.callback(state, changed);
  }
}

/** What to forget when another run is opened. */
export const FRESH = {
  rule: null, tau: null, cut: null, layer: null, sample: null, shown: "flagged", selection: null,
  page: 0, revealed: false, head: "mean", summary: null, view: null, job: null,
};
