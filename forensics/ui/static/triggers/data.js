// Where the Triggers tab gets things from, and how its numbers read.

import { casePath } from "../core/api.js";
import { fixed, percent } from "../core/format.js";
import { state } from "../core/store.js";

export const SCAN = "trigger-inversion";
export const TRANSPLANT = "trigger-transplant";
export const REPAIR = "trigger-tuning";

/** What one can look at of a trigger, by form; the first is what a page begins with. */
export const LOOKS = {
  additive: [["amplified", "Amplified", "The change alone, made stronger, around grey"], ["plain", "As it is", "The change alone, around grey, as faint as it is"],
    ["image", "On a picture", "On the picture at the right"], ["difference", "Difference", "What really changes on the picture at the right, made stronger"]],
  mask: [["plain", "Trigger", "The pattern through its mask, on grey"], ["mask", "Mask", "White: the pattern covers the picture"], ["pattern", "Pattern", "The pattern without its mask"],
    ["image", "On a picture", "On the picture at the right"], ["difference", "Difference", "What changes on the picture at the right"]],
  patch: [["plain", "Patch", "The patch, made larger"], ["image", "On a picture", "At a random place of the picture at the right"],
    ["difference", "Difference", "What changes on the picture at the right"]],
};

export const FORMS = { additive: "a faint change of the whole picture", mask: "a pattern through a mask", patch: "a small square patch" };

export const triggersPath = (run, rest = "") => `${casePath(state.case)}/runs/${encodeURIComponent(run)}/triggers${rest}`;

/** Where the picture of a trigger is; `row` is the sample under it. */
export function pictureOf(run, index, { look, seed, row }) {
  const query = new URLSearchParams({ look, seed: String(seed) });
  if (look === "image" || look === "difference") query.set("row", String(row ?? 0));
  return `/pictures/${encodeURIComponent(state.case)}/triggers/${encodeURIComponent(run)}/${index}.png?${query}`;
}

/** A change of a pixel as people in the field write it. */
export const levels = (change) => (change === null || change === undefined ? "–" : `${Number((255 * change).toFixed(change * 255 < 10 ? 1 : 0))}/255`);

/** What a trigger is in numbers: the words beside its picture. */
export function inNumbers(numbers) {
  if (!numbers) return "";
  if (numbers.largest !== undefined) return `changes a pixel by ${levels(numbers.largest)} at most, ${levels(numbers.mean)} on average`;
  if (numbers.area !== undefined) return `covers ${percent(numbers.area, 1)} of the picture (l1 ${fixed(numbers.l1, 1)})`;
  return `${numbers.pixels} × ${numbers.pixels} pixels`;
}

/** The line of a method in what every method says; null where this copy has none. */
export const lineOf = (name) => state.methods?.find((line) => line.name === name) ?? null;
