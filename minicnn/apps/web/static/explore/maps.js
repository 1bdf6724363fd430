// Draws maps of numbers on canvases: one pixel a number, and the style sheet makes them larger.
import { colorOf, scaleFor } from "./colors.js";
import { element, style } from "./elements.js";

export { scaleFor };

/** A canvas for `width` x `height` numbers. */
export function mapCanvas(width, height) {
  return element("canvas", { class: "map", width, height });
}

function fill(canvas, pixelAt) {
  const { width, height } = canvas;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const pixels = new Int32Array(image.data.buffer);
  for (let k = 0; k < pixels.length; k++) pixels[k] = pixelAt(k);
  context.putImageData(image, 0, 0);
}

/** Draw one channel of numbers of the shape (height, width, channels). */
export function paint(canvas, { shape, data }, channel, scale) {
  const channels = shape[2] ?? 1;
  const color = colorOf(scale);
  fill(canvas, (k) => color(data[k * channels + channel]));
}

/** Draw pixels of the shape (height, width, 3), from 0 to 255, as the colors they are. */
export function paintColors(canvas, { data }) {
  const byte = (value) => Math.max(0, Math.min(255, Math.round(value)));
  fill(
    canvas,
    (k) =>
      (255 << 24) |
      (byte(data[3 * k + 2]) << 16) |
      (byte(data[3 * k + 1]) << 8) |
      byte(data[3 * k]),
  );
}

/** Draw a vector as cells from left to right and top to bottom; what is left over stays clear. */
export function paintVector(canvas, data, scale) {
  const color = colorOf(scale);
  fill(canvas, (k) => (k < data.length ? color(data[k]) : 0));
}

/** How many cells wide a vector is drawn, so that it is about four times as wide as high. */
export function vectorWidth(count) {
  return count <= 32 ? count : Math.ceil(Math.sqrt(4 * count));
}

/** The smallest and the largest of the numbers. */
export function range(data) {
  let [minimum, maximum] = [Infinity, -Infinity];
  for (const value of data) {
    if (value < minimum) minimum = value;
    if (value > maximum) maximum = value;
  }
  return data.length ? [minimum, maximum] : [0, 0];
}

/** Put a frame around a rectangle of cells of a canvas that lies in `parent`. */
export function frame(parent, canvas, { y, x, height = 1, width = 1 }, className) {
  const box = element("span", { class: `frame ${className}` });
  const percent = (part, whole) => `${(100 * part) / whole}%`;
  style(box, {
    left: percent(x, canvas.width),
    top: percent(y, canvas.height),
    width: percent(width, canvas.width),
    height: percent(height, canvas.height),
  });
  parent.append(box);
  return box;
}
