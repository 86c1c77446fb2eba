// Separation and clarity span many orders of magnitude.

import { count, fixed } from "../core/format.js";

/** A score as people read it: grouped digits when large, two digits when small. */
export const score = (value) => (Number.isFinite(value) && value >= 100 ? count(Math.round(value)) : fixed(value, 2));
