// Little drawings of what a layer gives: a box for maps, as high and wide as they are and as deep
// as there are of them, and a bar for single values. Sizes are drawn on a scale of roots.
import { svg } from "./elements.js";

const WIDTH = 88;
const HEIGHT = 64;
const SLANT = 0.5; // how much of the depth goes up and to the right

function path(points, className) {
  const text = points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
  return svg("polygon", { points: text, class: className });
}

function boxSizes([height, width, channels]) {
  const side = (pixels) => Math.min(46, 6 + 5.2 * Math.sqrt(pixels));
  return { height: side(height), width: side(width), depth: Math.min(60, 3 + 4 * Math.sqrt(channels)) };
}

function box(shape) {
  const { height, width, depth } = boxSizes(shape);
  const [dx, dy] = [depth * SLANT, -depth * SLANT * 0.6];
  const left = (WIDTH - width - dx) / 2;
  const top = (HEIGHT - height - dy) / 2;
  const [a, b, c, d] = [[left, top], [left + width, top], [left + width, top + height], [left, top + height]];
  const back = ([x, y]) => [x + dx, y + dy];
  return [
    path([a, b, back(b), back(a)], "volume-top"),
    path([b, c, back(c), back(b)], "volume-side"),
    path([a, b, c, d], "volume-front"),
  ];
}

function bar([count]) {
  const length = Math.min(HEIGHT - 8, 8 + 5.5 * Math.log2(count + 1) * 0.9);
  const top = (HEIGHT - length) / 2;
  return [svg("rect", { x: WIDTH / 2 - 4, y: top, width: 8, height: length, rx: 2, class: "volume-front" })];
}

/** The drawing of a shape, [height, width, channels] or [count]; null draws a question mark. */
export function volume(shape) {
  const parts = shape ? (shape.length === 3 ? box(shape) : bar(shape)) : [
    svg("text", { x: WIDTH / 2, y: HEIGHT / 2, class: "volume-unknown" }, "?")];
  const view = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "volume", "aria-hidden": "true" };
  return svg("svg", view, ...parts);
}

export function shapeText(shape) {
  if (!shape) return "not known";
  if (shape.length === 1) return `${shape[0].toLocaleString("en")} values`;
  const [height, width, channels] = shape;
  return `${height} × ${width}, ${channels} ${channels === 1 ? "map" : "maps"}`;
}

export function weightsText(count) {
  return count === 1 ? "1 weight" : `${count.toLocaleString("en")} weights`;
}
