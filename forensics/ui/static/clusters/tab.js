// The Clusters tab: loads a map, and passes what is selected to those it concerns.

import { casePath, getJSON, post } from "../core/api.js";
import { card, el, empty, segmented, show } from "../core/dom.js";
import { count } from "../core/format.js";
import { set, state, watch } from "../core/store.js";
import { forEncoder, openDrawer, start } from "../methods/listing.js";
import { codeOf } from "../review/data.js";
import { colourBar } from "./colours.js";
import { loadCodes, loadDecisions, loadMap, mapPath, sendSelection } from "./data.js";
import { mapGallery } from "./gallery.js";
import { groupsCard } from "./groups.js";
import { mapHead, METHOD } from "./head.js";
import { hoverCard } from "./hover.js";
import { sampleMap } from "./map.js";
import { sampleCard } from "./sample.js";
import { selectionCard } from "./selection.js";

const FLAGGED = codeOf("flag");
const ACTIVE = new Set(["queued", "running"]);
const MODES = [["lasso", "Lasso", "Draw around points"], ["box", "Box", "Drag a box over points"], ["pan", "Pan", "Drag the map; the wheel zooms in every mode"]];

/** Build the tab into `element`. */
export function mount({ element }) {
  const host = element.querySelector(".tl-root");
  let [found, maps, mask, truth, token, sent] = [null, [], null, null, 0, null];
  const blank = el("div", { class: "tl-card" });
  const say = el("output", { class: "tl-readout", id: "tl-umap-say", "aria-live": "polite" });
  const modes = el("div");
  const attention = () => found?.summary.flags.length > 0 && Boolean(state.run);

  const head = mapHead({ choose: (run) => set({ map: run }), reveal });
  const plane = sampleMap({
    select: choose, clear, say: (text) => show(say, text), cursor: look,
    hover: (i, x, y) => hover.update(i, x, y),
  });
  const hover = hoverCard(plane.map.stage);
  const bar = colourBar({ apply: plane.colour, hide: plane.hide, failed: (error) => show(say, `${error.message} ${error.remedy ?? ""}`) });
  const selected = selectionCard({ clear, invert, aside, decide, flagged, get elsewhere() { return attention() ? elsewhere : null; } });
  const groups = groupsCard(chooseGroup);
  const sample = sampleCard({ get inspect() { return attention() || forEncoder() ? (row) => set({ sample: row, tab: "attention" }) : null; } });
  const gallery = mapGallery((item) => { plane.map.go(item.place, true); look(item.place); });
  const zoom = (text, label, act) => el("button", { type: "button", class: "tl-ghost", "aria-label": label, title: label, onclick: act }, text);
  const mapCard = card("Map of samples", { tools: [modes, zoom("+", "Zoom in", () => plane.map.scale(1.5)), zoom("−", "Zoom out", () => plane.map.scale(1 / 1.5)),
    zoom("Whole map", "Show the whole map", plane.map.reset), bar.node],
  subtitle: "Near each other: alike in the features. Distances between far groups mean little." }, bar.legend, plane.node, say);
  const body = el("div", { class: "tl-clusters" }, el("div", { class: "tl-main" }, head.node, mapCard, gallery.node),
    el("aside", { class: "tl-umap-side" }, selected.node, groups.node, sample.node));
  show(host, blank, body);

  function mode(next) {
    plane.mode(next);
    show(modes, segmented("What dragging does", MODES, next, mode));
  }
  mode("lasso");

  function stop(content) {
    found = null;
    show(blank, content);
    blank.hidden = false;
    body.hidden = true;
    delete host.dataset.ready;
  }

  /** The samples of a mask, in one request; the last gesture wins. */
  async function choose(next, adding) {
    if (adding && mask) for (let i = 0; i < next.length; i += 1) if (mask[i]) next[i] = 1;
    mask = next;
    plane.select(mask);
    const n = mask.reduce((sum, bit) => sum + bit, 0);
    if (!n) { clear(); return; }
    selected.wait(n);
    show(say, `${count(n)} selected.`);
    sent?.abort();
    sent = new AbortController();
    const of = found;
    try {
      const view = await sendSelection(state.case, of.summary.run, mask, sent.signal);
      if (of !== found) return;
      key = view.selection;
      gallery.select(key);
      selected.update(view, { name: state.case, run: of.summary.run, mask, truth: truth?.codes, said: of.summary.said });
    } catch (error) {
      if (error.name !== "AbortError") selected.trouble(error);
    }
  }
  let key = null;

  function clear() {
    if (!mask) { plane.map.go(-1); sample.nothing(); return; }
    sent?.abort();
    mask = key = null;
    plane.select(null);
    selected.nothing();
    gallery.select("all");
    show(say, "Nothing is selected.");
  }

  function invert() { choose(mask.map((bit) => 1 - bit), false); }

  function chooseGroup(cluster, adding) {
    const next = new Uint8Array(found.points.n);
    found.points.cluster.forEach((c, i) => { if (c === cluster) next[i] = 1; });
    choose(next, adding);
  }

  function look(i) {
    if (i < 0 || !found) { gallery.mark(null); return; }
    const row = found.points.rows[i];
    gallery.mark(row);
    sample.open(state.case, found.summary.run, row, found.summary);
  }

  function elsewhere() {
    const rows = new Set();
    mask.forEach((bit, i) => { if (bit) rows.add(found.points.rows[i]); });
    set({ selection: { kind: "rows", rows, text: "selected on the map", key: "" }, shown: "all", page: 0, tab: "attention" });
  }

  /** Hand the selection to the Review tab. */
  function decide(view) { set({ decide: { run: found.summary.run, key: view.selection }, tab: "review" }); }

  async function flagged() {
    try {
      const { codes } = await loadDecisions(state.case, found.summary.run);
      const next = codes.map((code) => Number(code === FLAGGED));
      if (next.some(Boolean)) choose(next, false); else show(say, "People have flagged no sample of this map yet: use the Review tab.");
    } catch (error) { selected.trouble(error); }
  }

  async function aside(button) {
    button.disabled = true;
    try {
      const job = await post(mapPath(state.case, found.summary.run, `/selections/${key}/quarantine`));
      set({ job: job.run });
      await list();
      tell();
      show(say, "A map without these is being drawn; it will appear here. The data set is not changed.");
    } catch (error) {
      selected.trouble(error);
    }
  }

  async function reveal(button) {
    button.disabled = true;
    try {
      const [told, codes] = await Promise.all([getJSON(mapPath(state.case, found.summary.run, "/truth")), loadCodes(state.case, found.summary.run, "truth")]);
      truth = { ...told, codes };
      tell();
      await bar.reveal(truth);
      if (mask) choose(mask, false);
    } catch (error) {
      button.disabled = false;
      show(say, `${error.message} ${error.remedy ?? ""}`);
    }
  }

  const finished = () => maps.filter((map) => map.state === "finished");
  const active = () => maps.find((map) => ACTIVE.has(map.state));
  const tell = () => { if (found) head.update(found.summary, finished(), { active: active(), truth }); };

  async function list() {
    const { maps: next } = await getJSON(`${casePath(state.case)}/clusters`);
    maps = next;
  }

  function unfinished() {
    const newest = maps[0];
    if (newest && ACTIVE.has(newest.state)) return empty("The map is being drawn.", "The bar at the top shows how far it is; the map appears here. You can close this page, the work goes on.");
    const button = (text, id, act) => el("button", { type: "button", class: id === "tl-umap-start" ? "tl-primary" : "tl-ghost", id, onclick: act }, text);
    const begin = async (event) => {
      event.target.disabled = true;
      try { await start(METHOD); } catch (error) { stop(empty(error.message, error.remedy ?? "")); }
    };
    const title = newest ? `The latest map is ${newest.state}.` : "No map yet.";
    return empty(title, "A map puts samples near each other that are alike to the model. Poisoned samples often lie together: draw around them, look at them, export them. "
      + "It is drawn from the arrays of the latest scan; where there is none, every sample is read first.",
    button("Draw the map", "tl-umap-start", begin), " ", button("Options…", "tl-umap-options", () => openDrawer(METHOD)));
  }

  async function open() {
    const mine = token += 1;
    if (!state.case) { stop(empty("No case is open.", "Open a demo or your own case first.", el("button", { type: "button", class: "tl-primary", onclick: () => set({ tab: "home" }) }, "Open a case"))); return; }
    try {
      await list();
      if (mine !== token) return;
      const chosen = finished().find((map) => map.run === state.map) ?? finished()[0];
      if (!chosen) { stop(unfinished()); return; }
      if (found?.summary.run === chosen.run) { tell(); return; }
      const next = await loadMap(state.case, chosen.run);
      if (mine !== token) return;
      await draw(next);
    } catch (error) {
      if (mine === token) stop(empty("This map cannot be shown.", `${error.message} ${error.remedy ?? ""}`));
    }
  }

  async function draw(next) {
    [found, mask, truth, key] = [next, null, null, null];
    blank.hidden = true;
    body.hidden = false;
    tell();
    plane.update(next.points, next.summary.sentence);
    hover.open(state.case, next.summary.run, next.points.rows, next.summary.said);
    groups.update(next.summary);
    selected.nothing();
    sample.nothing();
    gallery.open({ name: state.case, run: next.summary.run, scores: next.summary.scores, said: next.summary.said });
    show(say, "Draw around points to select them; hover for a sample; Shift adds.");
    await bar.update(state.case, next);
    host.dataset.ready = next.summary.run;
  }

  window.triggerlens = Object.assign(window.triggerlens ?? {}, { map: plane.map }); // where points stand, for tests and notebooks in the page
  watch(["case"], () => { found = null; set({ map: null }); open(); });
  watch(["map", "job"], open);
  /** Another method ended: its flags can colour the map; what is selected stays. */
  async function refresh() {
    const of = found;
    const next = await getJSON(mapPath(state.case, of.summary.run));
    if (of !== found) return;
    found.summary.flags = next.flags;
    bar.offer();
  }

  watch(["finished"], () => {
    if (state.finished.includes(`-${METHOD}-`)) set({ map: null });
    else if (found) refresh().catch((error) => show(say, `${error.message} ${error.remedy ?? ""}`));
    open();
  });
  open();
}
