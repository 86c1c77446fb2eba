// Numbers and times as people read them.

const grouped = new Intl.NumberFormat("en-US");

export const count = (value) => grouped.format(value);

export const fixed = (value, digits = 2) =>
  value === null || value === undefined || !Number.isFinite(value) ? "–" : value.toFixed(digits);

/** Like `fixed`, with a true minus sign. */
export const signed = (value, digits = 2) => fixed(value, digits).replace("-", "−");

/** A share in per cent; 0 and 100 only where they are exact. */
export function percent(share, digits = 0) {
  if (share === null || share === undefined || !Number.isFinite(share)) return "–";
  const text = (100 * share).toFixed(digits);
  const least = (10 ** -digits).toFixed(digits);
  if (share > 0 && Number(text) === 0) return `< ${least} %`;
  if (share < 1 && Number(text) === 100) return `> ${(100 - Number(least)).toFixed(digits)} %`;
  return `${text} %`;
}

/** Seconds as "8 s", "2 min 5 s" or "1 h 12 min". */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

export function bytes(size) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let power = 0;
  while (size >= 1000 && power < units.length - 1) { size /= 1000; power += 1; }
  return `${size < 10 && power ? size.toFixed(1) : Math.round(size)} ${units[power]}`;
}

/** The first letter as a capital. */
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

/** A date of the machine's clock as hours and minutes, with the day if it is not today. */
export function clock(iso) {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "";
  const time = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
  const today = date.toDateString() === new Date().toDateString();
  return today ? time : `${date.toLocaleDateString()} ${time}`;
}
