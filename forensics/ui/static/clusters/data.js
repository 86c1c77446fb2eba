// What a map holds: points and colours as binary files, selections as bits.

import { casePath, getJSON, post, recallBytes } from "../core/api.js";
import { reviewPath } from "../review/data.js";

export const mapPath = (name, run, part = "") => `${casePath(name)}/runs/${encodeURIComponent(run)}/clusters${part}`;

/** Points of a map; `names` are its scores in the order of the file. */
export function readPoints(buffer, names) {
  const [n, scores] = new Uint32Array(buffer, 0, 2);
  const part = (type, k) => new type(buffer, 8 + 4 * n * k, n);
  const found = { n, rows: part(Int32Array, 0), x: part(Float32Array, 1), y: part(Float32Array, 2), cluster: part(Int32Array, 3), scores: {} };
  for (let k = 0; k < scores; k += 1) found.scores[names[k]] = part(Float32Array, 4 + k);
  return found;
}

/** Everything of a finished map but its colours. */
export async function loadMap(name, run) {
  const [summary, buffer] = await Promise.all([getJSON(mapPath(name, run)), recallBytes(mapPath(name, run, "/points"))]);
  return { summary, points: readPoints(buffer, summary.scores.map((score) => score.name)) };
}

/** One code a point: of a column, of a run's flags, or of the ground truth. */
export async function loadCodes(name, run, what) {
  const buffer = await recallBytes(mapPath(name, run, `/codes/${encodeURIComponent(what)}`));
  return new Uint8Array(buffer, 4);
}

/** What people decided about each point, and a legend of it; never remembered, as it changes. */
export async function loadDecisions(name, run) {
  const { codes, legend } = await getJSON(reviewPath("/map", { run }));
  return { codes: Uint8Array.from(codes), legend };
}

/** A mask of ones and zeros as base64 of bits, the lowest bit first. */
export function packBits(mask) {
  const bytes = new Uint8Array((mask.length + 7) >> 3);
  for (let i = 0; i < mask.length; i += 1) if (mask[i]) bytes[i >> 3] |= 1 << (i & 7);
  let text = "";
  for (let start = 0; start < bytes.length; start += 8192) text += String.fromCharCode(...bytes.subarray(start, start + 8192));
  return btoa(text);
}

/** Tell the server what is selected; it answers what the selection holds. */
export const sendSelection = (name, run, mask, signal) => post(mapPath(name, run, "/selections"), { bits: packBits(mask) }, signal);

export const pagePath = (name, run, key, { start, count, order, down }) =>
  mapPath(name, run, `/selections/${key}/page?start=${start}&count=${count}&order=${encodeURIComponent(order)}&down=${down}`);
