// The sample at hand: picture and where the model looks, texts, why it is here, scores, verdict, note.

import { el, show } from "../core/dom.js";
import { percent } from "../core/format.js";
import { ramp } from "../core/palette.js";
import { state } from "../core/store.js";
import { pictureStage } from "../sample/picture.js";
import { NO_VIEW } from "../sample/views.js";
import { scoreBars } from "./bars.js";
import { VERDICTS } from "./data.js";

const KEYS = { keep: "K", flag: "F", unsure: "U" };

async function loadImage(path) {
  if (!path) return null;
  const image = new Image();
  image.src = path;
  try { await image.decode(); return image; } catch { return null; }
}

/** The middle of the tab; `act` has `decide(verdict)`, `note(text)` and `step(by)`. */
export function sampleCard(act) {
  let [card, channels, image, warm] = [null, [], null, false]; // the map hides what it points at: it is shown on demand, its peak always
  const unsaved = new Map(); // what somebody wrote and no server has yet, by case and row
  const underway = new Map(); // what of it is on its way
  const stage = pictureStage(looks, { name: "rv-", tell: (now, token) => `${percent(now.values[token], 1)} of the attention on the image` });
  stage.opacity(0.55);
  const missing = el("p", { class: "tl-rv-missing tl-sub" });
  const heat = el("button", { type: "button", class: "tl-ghost", id: "tl-rv-heat", title: "Colour the picture by the model's attention (H); the box marks its peak", onclick: toggle }, "Where it looks ", el("kbd", {}, "H"));
  const legend = el("div", { class: "tl-legend" });
  // What somebody may be pressing stays while samples come and go: only its words change.
  const arrow = (sign, words, by) => el("button", { type: "button", class: "tl-ghost", "aria-label": words, onclick: () => act.step(by) }, sign);
  const [title, from] = [el("h3", { id: "tl-rv-id" }), el("p", { class: "tl-sub" })];
  const heading = el("header", { class: "tl-card-head" }, el("div", {}, title, from),
    el("div", { class: "tl-tools" }, heat, arrow("←", "Previous sample", -1), arrow("→", "Next sample", 1)));
  const texts = el("dl", { class: "tl-facts" });
  const reason = el("p", { class: "tl-rv-reason", id: "tl-rv-reason" });
  const scores = el("div");
  const choices = VERDICTS.slice(0, 3).map(({ name, mark, className }) => el("button", { type: "button", class: `tl-rv-verdict ${className}`, id: `tl-rv-${name}`, "data-verdict": name,
    onclick: () => act.decide(name) }, el("span", { "aria-hidden": "true" }, mark), ` ${name[0].toUpperCase()}${name.slice(1)} `, el("kbd", {}, KEYS[name])));
  const buttons = el("div", { class: "tl-rv-verdicts", role: "group", "aria-label": "Your verdict" }, choices);
  const note = el("textarea", { id: "tl-rv-note", rows: "2", maxlength: "4000", placeholder: "What you noticed, for yourself and others" });
  const noteSaid = el("span", { class: "tl-sub", "aria-live": "polite" });
  const writing = el("div", { class: "tl-rv-note" }, el("label", { for: "tl-rv-note" }, "Note ", el("kbd", {}, "N")), note, noteSaid);
  const body = el("div", { class: "tl-rv-two" }, el("div", {}, stage.stage, missing, el("div", { class: "tl-under" }, stage.readout, legend)),
    el("div", { class: "tl-rv-words" }, texts, reason));
  const node = el("section", { class: "tl-card tl-rv-card", id: "tl-rv-card", "aria-label": "Sample" }, heading, body, buttons, scores, writing);

  function looks() {
    const map = card?.heat;
    const shown = Boolean(map && map.image === 0);
    return { image, grid: shown ? map : NO_VIEW, values: shown && warm ? map.values : null, top: shown ? Math.max(...map.values) : 1, mark: shown ? map.mark : null, hide: null,
      label: card ? `Picture of sample ${card.id}${shown ? `; in layer ${map.layer} the strongest place holds ${percent(Math.max(...map.values), 1)} of the attention on the image` : ""}` : "" };
  }

  function draw() {
    const map = card.heat && card.heat.image === 0 ? card.heat : null;
    heat.hidden = !map;
    heat.setAttribute("aria-pressed", String(warm));
    stage.stage.hidden = !image;
    missing.hidden = Boolean(image);
    if (image) stage.draw();
    show(stage.readout, map ? (warm ? "Hover for numbers." : "The box marks the strongest place of its attention.") : card.picture && image ? "No map of its attention was kept." : "");
    show(legend, map && warm && [el("span", {}, "0 %"), el("i", { style: `background:${ramp()}` }), el("span", {}, `${percent(Math.max(...map.values), 1)} of the attention, layer ${map.layer}`)]);
  }

  function toggle() { warm = !warm; if (card && image) draw(); }

  function verdicts() {
    for (const button of choices) button.setAttribute("aria-pressed", String(button.dataset.verdict === card.mine?.verdict));
  }

  function fill() {
    show(title, card.id);
    show(from, `${card.source}${card.line ? `, line ${card.line}` : ""}${card.pictures > 1 ? ` · first of ${card.pictures} pictures` : ""}`);
    const fact = (name, text) => text && [el("dt", {}, name), el("dd", {}, text)];
    show(texts, fact("Question", card.question), fact("Answer", card.answer ?? "none"), fact("Label", card.label));
    show(reason, card.reason);
    show(scores, scoreBars(channels, card.scores));
    verdicts();
  }

  const place = () => (card ? `${state.case} ${card.row}` : null);

  /** The note as the server knows it, or will in a moment. */
  const known = () => underway.get(place())?.text ?? card.mine?.note ?? "";

  /** Whether the note holds what a card that is read anew does not. */
  const writes = () => underway.has(place()) || note === document.activeElement || note.value.trim() !== known();

  function tellNote() {
    const kept = unsaved.get(place());
    note.value = kept ?? card.mine?.note ?? "";
    show(noteSaid, underway.has(place()) ? "Saving…" : kept !== undefined && "Not saved yet; it is sent again when you go on.");
  }

  async function write() {
    if (!card) return;
    const [of, at, sent] = [card, place(), { text: note.value.trim() }];
    if (sent.text === known()) { if (!underway.has(at)) unsaved.delete(at); return; }
    unsaved.set(at, sent.text); // before it is sent: whoever comes back meanwhile finds it
    underway.set(at, sent);
    show(noteSaid, "Saving…");
    const done = await act.note(of.row, sent.text);
    const latest = underway.get(at) === sent;
    if (latest) underway.delete(at);
    if (done && unsaved.get(at) === sent.text) unsaved.delete(at);
    const here = place() === at; // else the note of another sample stands there now
    const told = here ? card : of;
    if (done) told.mine = { verdict: null, at: "", ...told.mine, note: sent.text };
    if (here && latest) show(noteSaid, !done ? "Not saved." : note.value.trim() === sent.text && "Saved.");
  }

  note.addEventListener("blur", write);
  note.addEventListener("keydown", (event) => {
    if (event.key === "Escape" || (event.key === "Enter" && (event.ctrlKey || event.metaKey))) { event.preventDefault(); note.blur(); }
  });

  return {
    node,
    get row() { return card?.row ?? null; },
    toggle,
    focusNote() { note.focus(); },
    save: write,
    /** Show a sample. One that is shown already keeps the note that somebody is writing. */
    async open(next, ofChannels) {
      const same = card?.row === next.row;
      const written = same && writes();
      if (!same) write();
      [card, channels, image] = [next, ofChannels, null];
      fill();
      if (!written) tellNote();
      node.dataset.row = String(card.row);
      const wanted = card;
      const found = await loadImage(card.picture);
      if (card !== wanted) return;
      image = found;
      show(missing, card.picture ? "This picture cannot be shown." : "This sample has no picture.");
      draw();
      node.dataset.drawn = String(card.row);
    },
    /** Load a picture ahead, so that the next step does not wait for it. */
    ahead(next) { if (next?.picture) new Image().src = next.picture; },
    repaint() { if (card && image) draw(); },
    /** Tell the verdict of the one who looks; returns the one before. */
    mine(verdict) {
      const before = card.mine?.verdict ?? null;
      card.mine = { verdict, note: card.mine?.note ?? "", at: "" };
      verdicts();
      return before;
    },
    /** Another case: what is shown is nobody's any more, though it has the same row. */
    forget() { card = null; },
    case: () => state.case,
  };
}
