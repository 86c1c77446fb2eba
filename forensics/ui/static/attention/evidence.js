// Load what a finished scan measured: the summary of a decision and its arrays.

import { casePath, decisionQuery, getJSON, recall, recallBytes, runPath } from "../core/api.js";

function readEntropy(buffer) {
  const [n, layers] = new Uint32Array(buffer, 0, 2);
  return {
    n, layers,
    rows: new Int32Array(buffer, 8, n),
    entropy: new Float32Array(buffer, 8 + 4 * n, n * layers),
  };
}

function readScores(buffer) {
  const [n, scored] = new Uint32Array(buffer, 0, 2);
  return {
    scored: scored === 1,
    scores: new Float32Array(buffer, 8, n),
    flags: new Uint8Array(buffer, 8 + 4 * n, n),
  };
}

function meanEntropy({ n, layers, entropy }) {
  const means = new Float32Array(n);
  for (let i = 0; i < n; i += 1) {
    let sum = 0;
    for (let l = 0; l < layers; l += 1) sum += entropy[i * layers + l];
    means[i] = sum / layers;
  }
  return means;
}

/** Positions from the lowest value up; samples that could not be measured are left out. */
function ranked(values) {
  const kept = [];
  for (let i = 0; i < values.length; i += 1) if (!Number.isNaN(values[i])) kept.push(i);
  return Uint32Array.from(kept.sort((a, b) => values[a] - values[b] || a - b));
}

/**
 * Everything the Attention tab draws from, for the run and the decision of `state`.
 *
 * `scored` says whether a layer passed the gate: without one there is no score, and samples are
 * put in order by their mean entropy instead.
 */
export async function evidence(state) {
  const run = runPath(state);
  const query = decisionQuery(state);
  const [summary, first, second] = await Promise.all([
    recall(`${run}/attention${query}`),
    recallBytes(`${run}/arrays/entropy`),
    recallBytes(`${run}/arrays/scores${query}`),
  ]);
  const [manual, worker] = await Promise.all([
    getJSON(`${run}/cut?rule=${summary.rule}&tau=${summary.tau}`), getJSON(`${casePath(state.case)}/live`)]);
  const base = readEntropy(first);
  // What the rule compares: the entropies themselves, or what is left of them within strata.
  const compared = summary.rule === "guarded" ? readEntropy(await recallBytes(`${run}/arrays/residuals`)).entropy : base.entropy;
  const decision = readScores(second);
  const sortedBy = decision.scored ? decision.scores : meanEntropy(base);
  const order = ranked(sortedBy);
  const position = new Map();
  for (let i = 0; i < base.n; i += 1) position.set(base.rows[i], i);
  return { summary, manualCut: manual.cut, warm: worker.warm, ...base, compared, ...decision, sortedBy, order, position };
}
