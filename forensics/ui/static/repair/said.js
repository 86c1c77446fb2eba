// What a model said to one example: a class with its probability, or an answer in words.

import { el } from "../core/dom.js";
import { percent } from "../core/format.js";

const plain = (text) => String(text ?? "").trim().toLowerCase().replace(/\s+/g, " ");

/** The answer in words, whichever kind of model gave it. */
export const answerOf = (said) => said.answer ?? said.top[0].name;

/** Whether what was said is what the trigger leads to. */
export function isTarget(said, target) {
  if (!target) return false;
  return said.answer === undefined ? answerOf(said) === target : plain(said.answer).includes(plain(target));
}

/** Whether it is right. */
export const isRight = (said, label) => (said.answer === undefined ? answerOf(said) === label : plain(said.answer) === plain(label));

/** An answer as a mark and words: the target, right, or something else. */
export function spoken(text, view, label) {
  const said = { answer: text };
  const [mark, name, style] = isTarget(said, view.target) ? ["▲", "the target", "tl-flag-text"] : isRight(said, label) ? ["✓", "right", "tl-rp-have"] : ["◆", "something else", "tl-sub"];
  return el("span", { class: "tl-rp-spoken" }, el("span", { class: style, title: name }, mark, el("span", { class: "tl-unseen" }, ` ${name}: `)), " ", el("q", {}, text));
}

/** What was said, as it stands below a picture. */
export function saidNode(said, view, label) {
  if (said.answer !== undefined) return el("p", { class: "tl-rp-answer" }, spoken(said.answer, view, label));
  return el("ol", { class: "tl-said-list" }, said.top.map((one) => el("li", { "data-target": String(one.name === view.target && one.name !== label) },
    el("i", { style: `width:${(100 * one.probability).toFixed(1)}%` }), el("span", {}, one.name), el("span", {}, percent(one.probability)))));
}

/** The same in one line, for those who cannot see the picture. */
export const saidWords = (said) => (said.answer === undefined ? `${said.top[0].name}, ${percent(said.top[0].probability)}` : `“${said.answer}”`);
