// A button that asks once more before it acts. What it asked outlives a redraw of what surrounds it.

import { el, show } from "./dom.js";

const PATIENCE = 15000; // a question that nobody answered is taken back
const asked = new Map(); // key -> when it was asked

const open = (key) => Date.now() - (asked.get(key) ?? -PATIENCE) < PATIENCE;

/** A button with `words`, which `name` says in full; the second click calls `act`. `key` tells it from every other button. */
export function confirmButton(key, { words, name, question, title }, act) {
  const button = el("button", { type: "button", class: "tl-ghost", title });
  const draw = () => {
    show(button, open(key) ? question : words);
    button.setAttribute("aria-label", open(key) ? `${name}: ${question}` : name);
    if (open(key)) setTimeout(draw, asked.get(key) + PATIENCE - Date.now() + 1);
  };
  button.addEventListener("click", async (event) => {
    if (event.detail > 1) return; // a double click has not read the question
    if (!open(key)) { asked.set(key, Date.now()); draw(); return; }
    asked.delete(key);
    try { await act(); } catch (error) { button.removeAttribute("aria-label"); show(button, `${error.message} ${error.remedy ?? ""}`); }
  });
  draw();
  return button;
}
