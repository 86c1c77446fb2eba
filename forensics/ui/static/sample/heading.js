// Which sample is at hand: its id, flag and rank, and the way to its neighbours.

import { el, show } from "../core/dom.js";
import { count, signed } from "../core/format.js";
import { set, state } from "../core/store.js";
import { PAGE } from "../attention/gallery.js";
import { isFlagged, listed } from "../attention/ranking.js";

/** Move to the neighbour in the gallery's order. */
export function step(found, delta) {
  const list = found ? listed(found, state) : [];
  if (!list.length) return;
  const at = list.findIndex((i) => found.rows[i] === state.sample);
  const next = at < 0 ? 0 : Math.max(0, Math.min(list.length - 1, at + delta));
  set({ sample: found.rows[list[next]], page: Math.floor(next / PAGE) });
}

/** The line at the top; `draw(found, sample, known)` fills it, `known` is the revealed truth or null. */
export function heading(walk) {
  const arrow = (id, sign, words, delta) => el("button", { type: "button", class: "tl-ghost", id, "aria-label": words, title: words, onclick: () => walk(delta) }, sign);
  const words = el("div");
  const node = el("header", { class: "tl-inspector-head" }, words, el("div", { class: "tl-tools" },
    arrow("tl-previous", "←", "Previous sample (left arrow)", -1),
    arrow("tl-next", "→", "Next sample (right arrow)", 1)));

  function facts(found, sample, known) {
    const i = found.position.get(sample.row);
    const flagged = isFlagged(found, i, state.cut);
    const rank = found.order.indexOf(i);
    return el("p", { class: "tl-sub" }, el("span", { class: flagged ? "tl-flag-text" : "tl-kept-text" }, flagged ? "▲ flagged" : "● kept"),
      ` · ${found.scored ? "score" : "mean entropy"} ${signed(found.sortedBy[i])} · rank ${rank < 0 ? "–" : count(rank + 1)} of ${count(found.order.length)}`,
      known && ` · ${known.poisoned.has(sample.row) ? "✚ poisoned" : "not poisoned"}`);
  }

  return {
    node,
    draw: (found, sample, known) => show(words, el("h3", { class: "tl-id" }, `Sample ${sample.id}`), facts(found, sample, known)),
  };
}
