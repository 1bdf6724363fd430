// Color scales for numbers: from 0 to one side (sequential), or to both sides of 0 (diverging).
// Blue is negative and orange positive, which color-blind people can tell apart as well.

const SIZE = 256;
const DARK_INK = 0.179; // from this luminance on, black is easier to read than white
const dark = matchMedia("(prefers-color-scheme: dark)");

// Zero has nearly the color of the page, so that large numbers stand out on light and on dark.
const STOPS = {
  light: {
    sequential: ["#f7f5f1", "#f9ddb7", "#f4b066", "#e17a28", "#a84a0c", "#5a2405"],
    negative: ["#f7f5f1", "#c4dcf0", "#7db4de", "#3d84c1", "#1b5691", "#0b2d57"],
    gray: ["#000000", "#ffffff"],
  },
  dark: {
    sequential: ["#1f232b", "#6b4013", "#a86220", "#dd8a30", "#fbb867", "#ffe9c7"],
    negative: ["#1f232b", "#1d4a7c", "#2a70b5", "#4d9ae0", "#8cc4f5", "#d9eeff"],
    gray: ["#000000", "#ffffff"],
  },
};

function rgb(color) {
  return [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
}

function between(stops, part) {
  const place = part * (stops.length - 1);
  const below = Math.min(Math.floor(place), stops.length - 2);
  const [from, to] = [rgb(stops[below]), rgb(stops[below + 1])];
  return from.map((one, k) => Math.round(one + (to[k] - one) * (place - below)));
}

/** The bytes of a color in the order that the memory of a canvas has. */
function packed([red, green, blue]) {
  return (255 << 24) | (blue << 16) | (green << 8) | red;
}

function table(color) {
  return Int32Array.from({ length: SIZE }, (_, k) => packed(color(k / (SIZE - 1))));
}

function diverging({ sequential, negative }) {
  return (part) =>
    part < 0.5 ? between(negative, 1 - 2 * part) : between(sequential, 2 * part - 1);
}

const tables = {};
for (const [scheme, stops] of Object.entries(STOPS)) {
  tables[scheme] = {
    sequential: table((part) => between(stops.sequential, part)),
    diverging: table(diverging(stops)),
    gray: table((part) => between(stops.gray, part)),
  };
}

/**
 * The scale for numbers from `minimum` to `maximum`: {kind, from, to}.
 * With numbers on both sides of 0, 0 is in the middle and both sides reach equally far.
 */
export function scaleFor(minimum, maximum, { gray = false } = {}) {
  if (gray) return { kind: "gray", from: minimum, to: maximum };
  if (minimum >= 0) return { kind: "sequential", from: 0, to: maximum || 1 };
  const reach = Math.max(-minimum, maximum);
  return { kind: "diverging", from: -reach, to: reach };
}

/** The function from a number to the packed color of a canvas, and NaN to none. */
export function colorOf({ kind, from, to }) {
  const colors = tables[dark.matches ? "dark" : "light"][kind];
  const factor = to > from ? (SIZE - 1) / (to - from) : 0;
  return (value) => {
    const place = (value - from) * factor;
    return colors[place > 0 ? (place < SIZE - 1 ? Math.round(place) : SIZE - 1) : 0];
  };
}

/** The relative luminance of a color, as the Web Content Accessibility Guidelines define it. */
function luminance(color) {
  const [red, green, blue] = color.map((byte) => {
    const part = byte / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** The color of one number for a style: "rgb(...)", and the color of text that is readable on it. */
export function cssColor(scale, value) {
  const bytes = colorOf(scale)(value);
  const color = [bytes & 255, (bytes >> 8) & 255, (bytes >> 16) & 255];
  const isLight = luminance(color) > DARK_INK;
  return { background: `rgb(${color.join(" ")})`, ink: isLight ? "#000000" : "#ffffff" };
}

/** Call a function when the desktop becomes dark or light; returns the function that ends this. */
export function onSchemeChange(listener) {
  dark.addEventListener("change", listener);
  return () => dark.removeEventListener("change", listener);
}
