// Which answers are out of place, and how varied the pictures of the leading one are.

import { card, el } from "../core/dom.js";
import { count, fixed, percent, plural } from "../core/format.js";
import { table } from "../chart/frame.js";

const chance = (p) => (p === null || p === undefined ? "–" : p < 0.001 ? "< 0.001" : fixed(p, 3));

const where = (one) => (one.kinds_of_question > 1
  ? `${count(one.kinds_of_question)} kinds of question that share no other answer`
  : `${percent(one.share)} of one kind of question; next answer ${percent(one.ordinary_share, 1)}`);

const pictures = (one) => (one.varied === null ? "not known" : one.varied ? "as varied as others" : "of one kind");

/** An answer of the data set: text, whatever it holds. */
export const answer = (text) => (text === null || text === undefined ? "–" : el("bdi", { class: "tl-fuse-answer" }, text));

/** The card of the answers. */
export function answerCard(view) {
  const rows = view.candidates.map((one) => [el("strong", {}, answer(one.answer)), where(one), count(one.out_of_place), chance(one.p_natural), chance(one.p_permutation),
    pictures(one), el("span", { class: one.accepted ? "tl-flag-text" : "tl-sub" }, `${one.accepted ? "▲ " : ""}${one.outcome}`)]);
  return card(`${plural(view.candidates.length, "answer")} out of place`, { className: "tl-fuse-wide",
    subtitle: "Given far more often than any other answer, or to kinds of question that share no answer. That alone is no evidence; it chooses the groups that are measured." },
  table("Chance: how often a natural group, or answers dealt out at random, would stand apart as much", ["answer", "given to", "samples", "chance, natural", "chance, random", "its pictures", ""], rows));
}

/** The card of the words in which the pictures vary least; nothing where none is known. */
export function varietyCard(view) {
  if (!view.variety.length) return null;
  const rows = view.variety.map((one) => [el("bdi", {}, one.word), fixed(one.ratio)]);
  return card("How varied are its pictures?", { subtitle: "Spread among pictures with this answer, against others: 1 = as varied, near 0 = all alike. Poison is planted in all kinds of pictures; a habit follows one kind." },
    table("Words of other answers that can be seen in pictures, least varied first", ["word", "spread"], rows));
}
