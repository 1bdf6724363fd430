// The pad on which one draws: white on black, as the digits of MNIST are.
import SignaturePad from "../vendor/signature_pad.min.js";
import { inputFrom } from "./digits.js";
import { button, element } from "./elements.js";
import { mapCanvas, paint, paintColors } from "./maps.js";

const SIZE = 280; // pixels of the canvas; the style sheet says how large it is shown
const PEN = 0.075; // of its width
const ERASER = 0.14;
const LABEL = "Draw here with the mouse, a pen or a finger";

export class Drawing {
  /** `onstroke(values)` is called while one draws, and `onend()` after each stroke. */
  constructor(shape, { onstroke, onend, onclear }) {
    this.shape = shape;
    this.canvas = element("canvas", {
      class: "pad",
      width: SIZE,
      height: SIZE,
      "aria-label": LABEL,
      role: "img",
    });
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.pad = new SignaturePad(this.canvas, { minDistance: 2, throttle: 0 });
    this.onstroke = onstroke;
    this.onclear = onclear;
    this.isErasing = false;
    this.follow(onend);
    this.clear();
    this.element = element("div", { class: "drawing" }, this.canvas, this.tools());
  }

  follow(onend) {
    this.resizing = new ResizeObserver(() => this.fit());
    this.resizing.observe(this.canvas);
    this.pad.addEventListener("beginStroke", () => this.useTool());
    this.pad.addEventListener("afterUpdateStroke", () => this.onstroke(this.values()));
    this.pad.addEventListener("endStroke", () => {
      this.onstroke(this.values());
      onend();
    });
  }

  tools() {
    const pen = button("Pen", () => choose(false), { "aria-pressed": "true" });
    const eraser = button("Eraser", () => choose(true), { "aria-pressed": "false" });
    const choose = (erasing) => {
      this.isErasing = erasing;
      pen.setAttribute("aria-pressed", !erasing);
      eraser.setAttribute("aria-pressed", erasing);
    };
    const clear = button("Clear", () => {
      this.clear();
      this.onclear(this.values());
    });
    return element("div", { class: "btn-row" }, pen, eraser, clear);
  }

  /** Let a stroke be where the pointer is, however large the canvas is shown. */
  fit() {
    const ratio = SIZE / (this.canvas.clientWidth || SIZE);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  useTool() {
    const width = (this.isErasing ? ERASER : PEN) * (this.canvas.clientWidth || SIZE);
    const color = this.isErasing ? "black" : "white";
    Object.assign(this.pad, {
      minWidth: width / 2,
      maxWidth: width / 2,
      dotSize: width / 2,
      penColor: color,
    });
  }

  /** Make everything black; what is drawn from now on is centered. */
  clear() {
    this.pad.clear();
    this.covered((context) => context.fillRect(0, 0, SIZE, SIZE));
    this.isPicture = false;
  }

  /** Show an image of pixels; what is then drawn on it stays where it is. */
  showPicture({ shape, data }) {
    const picture = mapCanvas(shape[1], shape[0]);
    if (shape[2] === 3) paintColors(picture, { data });
    else paint(picture, { shape, data }, 0, { kind: "gray", from: 0, to: 255 });
    this.pad.clear();
    this.covered((context) => {
      context.imageSmoothingEnabled = shape[1] > SIZE / 4;
      context.drawImage(picture, 0, 0, SIZE, SIZE);
    });
    this.isPicture = true;
  }

  covered(draw) {
    this.context.save();
    this.context.resetTransform();
    this.context.fillStyle = "black";
    draw(this.context);
    this.context.restore();
  }

  /** What the network gets. */
  values() {
    return inputFrom(this.canvas, this.shape, !this.isPicture);
  }

  end() {
    this.resizing.disconnect();
    this.pad.off();
  }
}
