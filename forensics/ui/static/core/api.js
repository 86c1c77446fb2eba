// Talk to the app's own server: JSON views, binary arrays, and the few requests that change things.

export class Trouble extends Error {
  constructor(message, remedy = "") {
    super(message);
    this.remedy = remedy;
  }
}

async function check(response) {
  if (response.ok) return response;
  if (response.status === 401) location.reload(); // the session ended: the login opens at this very address
  let body = {};
  try { body = await response.json(); } catch { /* not JSON: the status has to do */ }
  throw new Trouble(body.error || `The server answered ${response.status}.`, body.remedy || "");
}

async function ask(path, options) {
  try {
    return await check(await fetch(path, { credentials: "same-origin", priority: "high", ...options }));
  } catch (error) {
    if (error instanceof Trouble || error.name === "AbortError") throw error;
    throw new Trouble("The app's server does not answer.", "Start it again; this page reconnects.");
  }
}

const remembered = new Map();
const KEEP = 200;

function remember(key, make) {
  if (!remembered.has(key)) {
    if (remembered.size >= KEEP) remembered.delete(remembered.keys().next().value);
    const promise = make();
    promise.catch(() => remembered.delete(key));
    remembered.set(key, promise);
  }
  return remembered.get(key);
}

const underway = new Map();

/** A JSON answer. Parts of a page that ask the same in one go share a request; whoever asks later hears what is true then. */
export function getJSON(path) {
  if (!underway.has(path)) {
    underway.set(path, ask(path).then((response) => response.json()));
    setTimeout(() => underway.delete(path));
  }
  return underway.get(path);
}

/** Like getJSON, for answers that never change: asked once. */
export const recall = (path) => remember(path, () => getJSON(path));

/** A binary answer that never changes, asked once. */
export const recallBytes = (path) =>
  remember(path, async () => (await ask(path)).arrayBuffer());

/** Forget what was remembered below a path (a run that was scanned again). */
export function forget(prefix) {
  for (const key of [...remembered.keys()]) if (key.startsWith(prefix)) remembered.delete(key);
}

/** A request that changes something or starts the model. The header keeps other sites out. */
export async function post(path, body = {}, signal = undefined) {
  const response = await ask(path, {
    method: "POST", signal, body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", "X-TriggerLens": "1" },
  });
  return response.json();
}

export const casePath = (name) => `/api/cases/${encodeURIComponent(name)}`;
export const runPath = (state) =>
  `${casePath(state.case)}/runs/${encodeURIComponent(state.run)}`;

/** The decision that the page looks at, as query parameters. */
export function decisionQuery(state, extra = {}) {
  const query = new URLSearchParams();
  if (state.rule) query.set("rule", state.rule);
  if (state.tau !== null) query.set("tau", String(state.tau));
  for (const [name, value] of Object.entries(extra)) query.set(name, String(value));
  const text = query.toString();
  return text ? `?${text}` : "";
}
