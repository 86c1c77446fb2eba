// Colours: the Wong series (told apart by colour-blind people) and a perceptually uniform map.

// Anchors of viridis, every 1/16; linear between them is within 1/255 of the original's look.
const VIRIDIS = [
  [68, 1, 84], [72, 24, 106], [71, 45, 123], [66, 64, 134], [59, 82, 139], [51, 99, 141],
  [44, 114, 142], [38, 130, 142], [33, 145, 140], [31, 160, 136], [40, 174, 128], [63, 188, 115],
  [94, 201, 98], [132, 212, 75], [173, 220, 48], [216, 226, 25], [253, 231, 37],
];

const LUT = new Uint8ClampedArray(256 * 3);
for (let i = 0; i < 256; i += 1) {
  const at = (i / 255) * (VIRIDIS.length - 1);
  const low = Math.min(Math.floor(at), VIRIDIS.length - 2);
  for (let c = 0; c < 3; c += 1) {
    LUT[3 * i + c] = VIRIDIS[low][c] + (at - low) * (VIRIDIS[low + 1][c] - VIRIDIS[low][c]);
  }
}

/** Write the colour of a share in [0, 1] to pixel `index` of an RGBA array. */
export function paint(pixels, index, share, alpha = 255) {
  const level = Math.max(0, Math.min(255, Math.round(255 * share)));
  pixels[4 * index] = LUT[3 * level];
  pixels[4 * index + 1] = LUT[3 * level + 1];
  pixels[4 * index + 2] = LUT[3 * level + 2];
  pixels[4 * index + 3] = alpha;
}

export function viridis(share) {
  const level = Math.max(0, Math.min(255, Math.round(255 * share)));
  return `rgb(${LUT[3 * level]},${LUT[3 * level + 1]},${LUT[3 * level + 2]})`;
}

/** The colours of the map from low to high, as a CSS background. */
export const ramp = () => `linear-gradient(90deg,${[0, 0.25, 0.5, 0.75, 1].map(viridis).join(",")})`;

/** A theme colour by name, read from the page so that light and dark agree with the style sheet. */
export const tone = (name) =>
  getComputedStyle(document.body).getPropertyValue(`--tl-${name}`).trim();

/** Call back whenever the page changes between light and dark. */
export function onTheme(callback) {
  const observer = new MutationObserver(callback);
  observer.observe(document.body, { attributes: true, attributeFilter: ["class"] });
  return () => observer.disconnect();
}
