// Questions to the model itself. They go to the worker; nothing else on the page does.

import { casePath, post } from "../core/api.js";
import { set, state } from "../core/store.js";

const known = new Map();

/** Numbers from base64 of half-precision values. */
export function halves(text) {
  const raw = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const bits = new Uint16Array(raw.buffer);
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i += 1) values[i] = half(bits[i]);
  return values;
}

/** One IEEE half-precision number. */
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

async function ask(kind, row, hide, signal) {
  const key = JSON.stringify([state.case, kind, row, hide]);
  if (!known.has(key)) {
    const answer = await post(`${casePath(state.case)}/live/${kind}`, { row, hide: hide ? [hide.box] : [], image: hide?.image ?? 0 }, signal);
    if (known.size > 100) known.delete(known.keys().next().value);
    known.set(key, answer);
    set({ live: true });
  }
  return known.get(key);
}

/** What the model answers: {text, probability}; `hide` is {image, box} or null. */
export const answer = (row, hide, signal) => ask("answer", row, hide, signal);

/** Where the image tower of an encoder looks: as `attention`, with {rest[layer][head], pooling}. */
export async function pooling(row, signal) {
  const reply = await ask("pooling-attention", row, null, signal);
  if (!reply.values) reply.values = halves(reply.maps);
  return reply;
}

/** Where every head looks: {layers, heads, tokens, grids, entropy, values[layer, head, token]}. */
export async function attention(row, hide, signal) {
  const reply = await ask("attention", row, hide, signal);
  if (!reply.values) reply.values = halves(reply.maps);
  return reply;
}

/** What the answer depends on: {cells, map, peak, peak_share, agreement, kept, views, divergence, agreed, share, sentence}. */
export const occlusion = (row, signal) => ask("occlusion", row, null, signal);

/** The map of one layer, of one head or the mean over heads. */
export function layerMap(reply, layer, head) {
  const { tokens } = reply;
  const start = layer * reply.heads * tokens;
  if (head !== "mean") return reply.values.subarray(start + head * tokens, start + (head + 1) * tokens);
  const mean = new Float32Array(tokens);
  for (let h = 0; h < reply.heads; h += 1) {
    for (let t = 0; t < tokens; t += 1) mean[t] += reply.values[start + h * tokens + t] / reply.heads;
  }
  return mean;
}
