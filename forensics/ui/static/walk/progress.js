// Where the reader is in which walk-through: kept in this browser, and linked as ?walk=name.

const KEY = "triggerlens-walk";
const NAME = /^[a-z][a-z-]{0,30}$/;
const listeners = [];

function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return { current: NAME.test(kept.current ?? "") ? kept.current : null, walks: typeof kept.walks === "object" && kept.walks ? kept.walks : {} };
  } catch { return { current: null, walks: {} }; } // somebody else's or a damaged entry: begin anew
}

const kept = read();
const linked = new URL(location.href).searchParams.get("walk");
if (linked && NAME.test(linked)) kept.current = linked;

function link() {
  const address = new URL(location.href);
  if (kept.current) address.searchParams.set("walk", kept.current); else address.searchParams.delete("walk");
  history.replaceState(history.state, "", address);
}

function save() {
  try { localStorage.setItem(KEY, JSON.stringify(kept)); } catch { /* private mode: it lasts as long as the page */ }
  link();
  for (const tell of listeners) tell();
}

export const current = () => kept.current;

/** What is known of a walk: {step, answers {place: choice}, done [places]}. */
export function progressOf(name) {
  const found = kept.walks[name] ?? {};
  return { step: Number.isInteger(found.step) ? found.step : 0, answers: found.answers ?? {}, done: Array.isArray(found.done) ? found.done : [] };
}

export function note(name, change) {
  kept.walks[name] = { ...progressOf(name), ...change };
  save();
}

/** Open the side panel on a walk; it goes on where it was left. */
export function begin(name) { kept.current = name; save(); }

/** Close the panel; what was done stays. */
export function leave() { kept.current = null; save(); }

export function restart(name) { delete kept.walks[name]; save(); }

export const onProgress = (tell) => listeners.push(tell);
