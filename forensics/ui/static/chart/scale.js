// Linear scales and round tick values.

/** Map [low, high] to [from, to]; `.invert` goes back. */
export function linear(low, high, from, to) {
  const span = high - low || 1;
  const scale = (value) => from + ((value - low) / span) * (to - from);
  scale.invert = (pixel) => low + ((pixel - from) / (to - from || 1)) * span;
  return scale;
}

/** Round values between low and high, about `wanted` of them. */
export function ticks(low, high, wanted = 6) {
  const span = high - low;
  if (!(span > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(span / wanted));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => span / s <= wanted + 0.5) ?? power * 10;
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-6; value += step) {
    found.push(Math.abs(value) < step * 1e-6 ? 0 : value);
  }
  return found;
}

/** A tick as text, with no more digits than the step needs. */
export function tickText(value, all) {
  const step = all.length > 1 ? all[1] - all[0] : 1;
  const digits = Math.max(0, Math.min(6, Math.ceil(-Math.log10(step) - 1e-9)));
  return value.toFixed(digits).replace("-", "−");
}
