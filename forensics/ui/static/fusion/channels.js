// What each measurement says about the group of one answer, beside natural groups of the same set.

import { card, el } from "../core/dom.js";
import { fixed, percent } from "../core/format.js";
import { table } from "../chart/frame.js";

/** A bar of the separation, with a tick where the highest natural group stands. */
function bar({ bar: share, mark, state, title, separation, natural_highest: highest }) {
  const said = `${title}: stands apart by ${fixed(separation)} deviations, natural groups by at most ${fixed(highest)}`;
  return el("span", { class: "tl-fuse-bar", role: "img", "aria-label": said, title: said },
    el("i", { class: state === "spoke" ? "tl-fuse-spoke" : "", style: `width:${(100 * share).toFixed(1)}%` }),
    el("b", { style: `left:${(100 * mark).toFixed(1)}%` }));
}

const known = (value) => value !== null && value !== undefined;

function apart(one) {
  if (!known(one.separation)) return "–";
  const number = el("span", { class: "tl-fuse-number" }, fixed(one.separation, 1));
  return known(one.bar) ? el("span", { class: "tl-fuse-apart" }, bar(one), number) : number;
}

const natural = (one) => (known(one.natural_median)
  ? `median ${fixed(one.natural_median, 1)}, top ${fixed(one.natural_highest, 1)}` : "–");

const further = (one) => (!known(one.separation) || !known(one.rank) ? "–" : one.rank >= 1 ? "all of them" : percent(one.rank));

const reading = (one) => (one.state === "spoke"
  ? el("span", { class: "tl-flag-text" }, `▲ ${one.says}`) : el("span", { class: "tl-sub" }, one.says));

/** The card of the channels. */
export function channelCard(view) {
  const explained = ["Each line asks how far the samples with “", el("bdi", { class: "tl-fuse-answer" }, view.leading_answer),
    "” stand apart from the rest, in deviations. Natural groups share some other answer or word: they stand apart too, so only a group further out than nearly all of them counts. The tick marks the highest natural group of this set."];
  const rows = view.channels.map((one) => [el("strong", {}, one.title), apart(one), natural(one), further(one), reading(one)]);
  return card("What each measurement says", { className: "tl-fuse-wide", subtitle: explained },
    table("Further out than: share of the natural groups of sets without poison that stand apart less, each beside its own set", ["measurement", "stands apart by", "natural groups here", "further out than", ""], rows));
}
