// The scores of one sample: where it lies among all samples of each check, and the cut.

import { el, svg } from "../core/dom.js";
import { count, percent } from "../core/format.js";

const [WIDTH, HEIGHT, FLOOR] = [190, 30, 22];

const number = (value) => (value === null || value === undefined ? "–" : Number(value.toPrecision(3)).toString().replace("-", "−"));

/** What is said of a score in words; also the picture's label. */
function words(channel, score) {
  if (!score.seen) return "not measured for this sample";
  if (score.value === null) return "no score";
  const unit = channel.unit ? ` ${channel.unit}` : "";
  const place = score.share === null ? "" : `; more suspicious than ${percent(score.share).replace("> ", "over ")} of all`;
  const cut = channel.cut === null ? "" : `, cut ${number(channel.cut)}${unit}`;
  return `${number(score.value)}${unit}${cut}${place}`;
}

function bar(channel, score) {
  const at = (value) => Math.max(0, Math.min(WIDTH, (WIDTH * (value - channel.low)) / (channel.high - channel.low || 1)));
  const top = Math.max(1, ...channel.histogram);
  const step = WIDTH / Math.max(1, channel.histogram.length);
  const parts = channel.histogram.map((n, i) => n && svg("rect", { x: i * step, width: Math.max(0.5, step - 1), y: FLOOR - (FLOOR - 3) * Math.sqrt(n / top), height: (FLOOR - 3) * Math.sqrt(n / top), class: "tl-rv-hist" }));
  const cut = channel.cut === null ? null : at(channel.cut);
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "xMinYMid meet", class: "tl-rv-bar", role: "img", "aria-label": `${channel.title}: ${words(channel, score)}` },
    cut !== null && svg("rect", { class: "tl-rv-beyond", x: channel.higher ? cut : 0, width: channel.higher ? WIDTH - cut : cut, y: 0, height: FLOOR }),
    parts, svg("line", { x1: 0, x2: WIDTH, y1: FLOOR, y2: FLOOR, class: "tl-rv-axis" }),
    cut !== null && svg("line", { x1: cut, x2: cut, y1: 0, y2: FLOOR, class: "tl-rv-cut" }),
    score.seen && score.value !== null && svg("path", { d: `M${at(score.value)} ${FLOOR - 7} l5 13 h-10 z`, class: score.flagged ? "tl-rv-here tl-rv-here-flag" : "tl-rv-here" }));
}

function said(channel, score) {
  if (!score.seen) return el("span", { class: "tl-sub" }, "not looked at");
  if (score.flagged) return el("span", { class: "tl-flag-text" }, "flags it");
  return el("span", { class: "tl-sub" }, channel.ranks_only ? "ranks only" : "does not");
}

/** One line a check. */
export function scoreBars(channels, scores) {
  return el("div", { class: "tl-rv-scores", id: "tl-rv-scores" }, scores.map((score) => {
    const channel = channels.find((one) => one.key === score.key);
    if (!channel) return null;
    const doubt = channel.verdict && channel.verdict !== "suspicious" ? `. The scan as a whole: ${channel.verdict}` : "";
    return el("div", { class: "tl-rv-score", "data-key": channel.key, title: `${channel.meaning}. ${count(channel.n)} samples.` },
      el("div", { class: "tl-rv-score-name" }, el("b", {}, channel.title), said(channel, score)),
      bar(channel, score), el("div", { class: "tl-rv-score-words tl-sub" }, words(channel, score), doubt));
  }));
}
