// Which samples a cut flags and a selection holds. Pure functions of the arrays: no request.

/** Whether the sample at position i is flagged: by the rule, or by a cut moved by hand (mark 2: never). */
export function isFlagged(found, i, cut) {
  if (!found.scored) return false;
  return cut === null ? found.flags[i] === 1 : found.scores[i] < cut && found.flags[i] < 2;
}

/** Flagged and kept samples under a cut. */
export function counts(found, cut) {
  let flagged = 0;
  for (const i of found.order) if (isFlagged(found, i, cut)) flagged += 1;
  return { flagged, kept: found.order.length - flagged };
}

function held(found, selection, i, rank) {
  if (!selection) return true;
  if (selection.kind === "rows") return selection.rows.has(found.rows[i]);
  if (selection.kind === "rank") return rank >= selection.from && rank < selection.to;
  const value = selection.kind === "entropy"
    ? found.compared[i * found.layers + selection.layer] : found.sortedBy[i];
  return value >= selection.low && value < selection.high;
}

/** Positions to show, lowest score first. */
export function listed(found, { shown, selection, cut }) {
  const result = [];
  for (let rank = 0; rank < found.order.length; rank += 1) {
    const i = found.order[rank];
    if (!held(found, selection, i, rank)) continue;
    if (shown === "all" || (shown === "flagged") === isFlagged(found, i, cut)) result.push(i);
  }
  return result;
}

/** Flagged and kept counts in the bins of a histogram over `values`. */
export function recount(found, values, edges, cut) {
  const bins = edges.length - 1;
  const flagged = new Array(bins).fill(0);
  const kept = new Array(bins).fill(0);
  const low = edges[0];
  const step = (edges[bins] - low) / bins;
  for (const i of found.order) {
    const bin = Math.min(bins - 1, Math.max(0, Math.floor((values(i) - low) / step)));
    (isFlagged(found, i, cut) ? flagged : kept)[bin] += 1;
  }
  return { flagged, kept };
}

/** What a selection holds, in words. */
export function describeSelection(selection) {
  if (!selection) return "";
  if (selection.kind === "rows") return selection.text;
  if (selection.kind === "rank") return `ranks ${selection.from + 1} to ${selection.to}`;
  const range = `${selection.low.toFixed(2)} to ${selection.high.toFixed(2)}`;
  return selection.kind === "entropy" ? `layer ${selection.layer} entropy ${range}` : `score ${range}`;
}
