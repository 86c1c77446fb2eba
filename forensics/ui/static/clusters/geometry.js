// Which points a gesture holds. Pure functions of screen coordinates: no request, no drawing.

/** Whether (x, y) lies inside the polygon with corners (xs[i], ys[i]), by the even-odd rule. */
export function inside(xs, ys, x, y) {
  let odd = false;
  for (let i = 0, j = xs.length - 1; i < xs.length; j = i, i += 1) {
    if ((ys[i] > y) !== (ys[j] > y) && x < ((xs[j] - xs[i]) * (y - ys[i])) / (ys[j] - ys[i]) + xs[i]) odd = !odd;
  }
  return odd;
}

/** A mask of the visible points inside a polygon [[x, y], ...]. */
export function lassoed(polygon, { sx, sy }, visible) {
  const mask = new Uint8Array(sx.length);
  const xs = Float64Array.from(polygon, (p) => p[0]);
  const ys = Float64Array.from(polygon, (p) => p[1]);
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  for (let i = 0; i < sx.length; i += 1) {
    if (sx[i] < left || sx[i] > right || sy[i] < top || sy[i] > bottom || !visible(i)) continue;
    if (inside(xs, ys, sx[i], sy[i])) mask[i] = 1;
  }
  return mask;
}

/** The polygon of a box between two corners. */
export const box = ([ax, ay], [bx, by]) => [[ax, ay], [bx, ay], [bx, by], [ax, by]];

/** The visible point nearest to a place on the screen, at most `reach` pixels away; -1 if none. */
export function nearest({ sx, sy }, x, y, reach, visible) {
  let best = reach * reach;
  let found = -1;
  for (let i = 0; i < sx.length; i += 1) {
    const dx = sx[i] - x;
    const dy = sy[i] - y;
    const far = dx * dx + dy * dy;
    if (far < best && visible(i)) { best = far; found = i; }
  }
  return found;
}

/** The next visible point from `from` in a direction (dx, dy), within 45° of it; -1 at the edge. */
export function neighbour({ sx, sy }, from, [dx, dy], visible) {
  let best = Infinity;
  let found = -1;
  for (let i = 0; i < sx.length; i += 1) {
    const along = (sx[i] - sx[from]) * dx + (sy[i] - sy[from]) * dy;
    const across = Math.abs((sx[i] - sx[from]) * dy - (sy[i] - sy[from]) * dx);
    if (along <= 0.01 || across > along || !visible(i)) continue;
    const cost = along + 1.5 * across;
    if (cost < best) { best = cost; found = i; }
  }
  return found;
}

/** Place, scale and bounds: where points stand on a screen of w x h pixels. */
export function fit({ x, y, n }, w, h, margin = 40) {
  let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < n; i += 1) {
    if (x[i] < left) left = x[i];
    if (x[i] > right) right = x[i];
    if (y[i] < low) low = y[i];
    if (y[i] > high) high = y[i];
  }
  if (!n) return { cx: 0, cy: 0, scale: 1 };
  const scale = Math.min((w - 2 * margin) / (right - left || 1), (h - 2 * margin) / (high - low || 1));
  return { cx: (left + right) / 2, cy: (low + high) / 2, scale: Math.max(1e-6, scale) };
}

/** Screen coordinates of all points in a view. */
export function project({ x, y, n }, view, w, h, into) {
  const at = into?.sx.length === n ? into : { sx: new Float32Array(n), sy: new Float32Array(n) };
  for (let i = 0; i < n; i += 1) {
    at.sx[i] = (x[i] - view.cx) * view.scale + w / 2;
    at.sy[i] = h / 2 - (y[i] - view.cy) * view.scale;
  }
  return at;
}
