// The values of one step: a row of maps, or a strip of cells for a vector.
// One can point at a cell, walk over the cells with the arrow keys, and choose one.
import { element, say, style } from "./elements.js";
import { frame, mapCanvas, paint, paintVector, range, scaleFor, vectorWidth } from "./maps.js";
import { placeText, short } from "./numbers.js";
import { hideTooltip, showTooltip } from "./tooltip.js";

const KEYS =
  "Arrow keys move between numbers, Page Up and Page Down between maps. Enter shows how a number was computed.";
const SMOOTH = 64; // from this width on a map is shown smaller than it is

function tileSize(width) {
  return `${Math.max(3, Math.min(6.5, width * 0.19))}rem`;
}

export class Strip {
  /** `shape`: [height, width, channels] or [count]; `onpick(place)` when a number is chosen. */
  constructor(shape, { title, onpick }) {
    this.shape = shape;
    this.isVector = shape.length === 1;
    this.onpick = onpick;
    this.tiles = []; // {canvas, tensor, channel: of the tensor}
    this.frames = [];
    this.cursor = this.isVector ? [0] : [0, 0, 0];
    const label = `Values of ${title}. ${KEYS}`;
    this.element = element("div", {
      class: "strip",
      tabindex: "0",
      role: "application",
      "aria-label": label,
    });
    this.listen();
  }

  listen() {
    const { element: node } = this;
    node.addEventListener("pointermove", (event) => this.pointAt(event));
    node.addEventListener("pointerleave", hideTooltip);
    node.addEventListener("click", (event) => {
      const place = this.placeAt(event);
      if (place) this.pick(place);
    });
    node.addEventListener("keydown", (event) => this.key(event));
    node.addEventListener("blur", () => {
      this.cursorFrame?.remove();
      hideTooltip();
    });
  }

  /** Show the channels of a tensor, the first of which is channel `start` of the step. */
  show(tensor, scale, start = 0) {
    this.scale = scale;
    if (this.isVector) {
      this.tile(0, vectorWidth(tensor.data.length), tensor);
    } else {
      const channels = tensor.shape[2];
      for (let c = 0; c < channels; c++) this.tile(start + c, tensor.shape[1], tensor, c);
    }
  }

  /** Draw everything again, as when the desktop has become dark. */
  repaint() {
    this.tiles.forEach((_, index) => this.paintTile(index));
  }

  tile(index, width, tensor, channel = 0) {
    const height = this.isVector ? Math.ceil(tensor.data.length / width) : tensor.shape[0];
    this.tiles[index] ??= this.newTile(index, width, height);
    Object.assign(this.tiles[index], { tensor, channel });
    this.paintTile(index);
  }

  newTile(index, width, height) {
    const canvas = mapCanvas(width, height);
    canvas.classList.toggle("smooth", width > SMOOTH);
    const box = element(
      "div",
      { class: this.isVector ? "map-tile is-vector" : "map-tile" },
      canvas,
    );
    style(box, { "--tile": this.isVector ? `${Math.max(8, width * 0.65)}rem` : tileSize(width) });
    if (width === this.shape[0]) box.classList.add("one-row");
    canvas.dataset.tile = index;
    this.element.append(box);
    return { canvas, box };
  }

  paintTile(index) {
    const { canvas, tensor, channel } = this.tiles[index];
    if (this.isVector) paintVector(canvas, tensor.data, this.scale);
    else paint(canvas, tensor, channel, this.scale);
  }

  /** The number at a place, if it is on the page. */
  valueAt(place) {
    if (this.isVector) return this.tiles[0]?.tensor.data[place[0]];
    const tile = this.tiles[place[2]];
    if (!tile) return undefined;
    const [, width, channels] = tile.tensor.shape;
    return tile.tensor.data[(place[0] * width + place[1]) * channels + tile.channel];
  }

  placeAt({ target, clientX, clientY }) {
    if (target.dataset?.tile === undefined) return null;
    const { left, top, width, height } = target.getBoundingClientRect();
    const x = Math.min(target.width - 1, Math.floor(((clientX - left) / width) * target.width));
    const y = Math.min(target.height - 1, Math.floor(((clientY - top) / height) * target.height));
    if (x < 0 || y < 0) return null;
    if (!this.isVector) return [y, x, Number(target.dataset.tile)];
    const k = y * target.width + x;
    return k < this.shape[0] ? [k] : null;
  }

  pointAt(event) {
    const place = this.placeAt(event);
    if (!place) return hideTooltip();
    showTooltip(short(this.valueAt(place)), placeText(place), event.clientX, event.clientY);
  }

  pick(place) {
    this.cursor = place;
    hideTooltip();
    this.onpick(place);
  }

  key(event) {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      return this.pick(this.cursor);
    }
    const next = this.isVector ? this.stepInVector(event.key) : this.stepInMap(event.key);
    if (!next) return;
    event.preventDefault();
    this.cursor = next;
    this.showCursor();
  }

  stepInVector(key) {
    const width = this.tiles[0].canvas.width;
    const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -width, ArrowDown: width };
    if (!(key in moves)) return null;
    return [clamp(this.cursor[0] + moves[key], this.shape[0])];
  }

  stepInMap(key) {
    const [y, x, c] = this.cursor;
    const [height, width] = this.shape;
    const moves = {
      ArrowLeft: [y, x - 1, c],
      ArrowRight: [y, x + 1, c],
      ArrowUp: [y - 1, x, c],
      ArrowDown: [y + 1, x, c],
      PageUp: [y, x, c - 1],
      PageDown: [y, x, c + 1],
      Home: [y, 0, c],
      End: [y, width - 1, c],
    };
    const next = moves[key];
    return (
      next && [clamp(next[0], height), clamp(next[1], width), clamp(next[2], this.tiles.length)]
    );
  }

  showCursor() {
    this.cursorFrame?.remove();
    this.cursorFrame = this.frameAt(this.cursor, "is-cursor");
    const { left, bottom } = this.cursorFrame.getBoundingClientRect();
    const value = short(this.valueAt(this.cursor));
    showTooltip(value, placeText(this.cursor), left, bottom);
    say(`${value}, ${placeText(this.cursor)}`);
  }

  frameAt(place, className, size = {}) {
    if (!this.isVector) {
      const { box, canvas } = this.tiles[place[2]];
      return frame(box, canvas, { y: place[0], x: place[1], ...size }, className);
    }
    const { box, canvas } = this.tiles[0];
    const [y, x] = [Math.floor(place[0] / canvas.width), place[0] % canvas.width];
    return frame(box, canvas, { y, x }, className);
  }

  /** Mark a number: one that is explained, or one that is read. */
  mark(place, className = "is-chosen") {
    const isShown = this.tiles[this.isVector ? 0 : place[2]];
    if (isShown) this.frames.push(this.frameAt(place, className));
  }

  /** Draw other numbers over one map, until the marks are cleared. */
  overlay(channel, tensor) {
    const tile = this.tiles[channel];
    if (!tile) return;
    const canvas = mapCanvas(tile.canvas.width, tile.canvas.height);
    canvas.classList.add("overlay");
    paint(canvas, tensor, 0, scaleFor(...range(tensor.data)));
    tile.box.append(canvas);
    this.frames.push(canvas);
  }

  /** Mark the rectangle of all maps that a number reads: {y, x, height, width, channel}. */
  markWindow({ channel, ...window }) {
    const inside = cut(window, this.shape);
    this.tiles.forEach(({ box, canvas }, index) => {
      if (channel == null || channel === index)
        this.frames.push(frame(box, canvas, inside, "is-read"));
    });
  }

  clearMarks() {
    for (const one of this.frames) one.remove();
    this.frames = [];
  }
}

function clamp(index, count) {
  return Math.max(0, Math.min(count - 1, index));
}

/** The part of a window that is not padding. */
function cut({ y, x, height, width }, [mapHeight, mapWidth]) {
  const [top, left] = [Math.max(0, y), Math.max(0, x)];
  const bottom = Math.min(mapHeight, y + height);
  return { y: top, x: left, height: bottom - top, width: Math.min(mapWidth, x + width) - left };
}
