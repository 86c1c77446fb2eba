// Folded parts that stay open when what surrounds them is drawn anew.

import { el } from "./dom.js";

const opened = new Set();

/** A folded part; `id` is the page's only one. */
export function fold(id, title, content, className = "tl-limits") {
  return el("details", { class: className, id, open: opened.has(id),
    ontoggle: (event) => { if (event.target.open) opened.add(id); else opened.delete(id); } },
  el("summary", {}, title), content);
}
