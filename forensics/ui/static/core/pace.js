// When to look at a job again: a short one is followed closely, a long one keeps the processor for itself.

const [QUICK, SLOW] = [700, 2000]; // milliseconds
const LOOKS = 200; // so many are enough for what is left of a job

/** Milliseconds until the next look at a run, by its `progress`; `remaining` is in seconds, or null. */
export const pace = ({ remaining }) => Math.min(SLOW, Math.max(QUICK, (1000 * (remaining ?? 0)) / LOOKS));
