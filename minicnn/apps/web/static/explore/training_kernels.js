// The kernels of the first convolution while they form.
import { onSchemeChange } from "./colors.js";
import { element, style } from "./elements.js";
import { mapCanvas, paint, paintColors, range, scaleFor } from "./maps.js";

const MOST = 64; // kernels that are shown
const COLORS = 3;

/** One kernel of (height, width, channels, count) as (height, width, channels). */
function kernelAt({ shape, data }, index) {
  const [height, width, channels, count] = shape;
  const values = Float32Array.from({ length: height * width * channels }, (_, k) => data[k * count + index]);
  return { shape: [height, width, channels], data: values };
}

/** Weights as colors: 0 is gray, and the largest one of all kernels white or black. */
function asColors({ shape, data }, reach) {
  return { shape, data: data.map((value) => (value / reach + 1) * 127.5) };
}

export class TrainingKernels {
  constructor() {
    this.grid = element("div", { class: "kernels", role: "img" });
    this.words = element("p", { class: "hint" });
    this.element = element("section", { class: "panel", "aria-labelledby": "kernels-heading" },
      element("h2", { id: "kernels-heading" }, "Kernels of the first convolution"), this.grid, this.words);
    this.stopFollowing = onSchemeChange(() => this.repaint());
    this.canvases = [];
  }

  show(tensor) {
    this.tensor = tensor;
    this.element.hidden = !tensor;
    if (tensor) this.repaint();
  }

  repaint() {
    if (!this.tensor) return;
    const [height, width, channels, count] = this.tensor.shape;
    const shown = Math.min(count, MOST);
    if (this.canvases.length !== shown) this.makeCanvases(shown, width, height);
    const [low, high] = range(this.tensor.data);
    const reach = Math.max(-low, high) || 1;
    this.canvases.forEach((canvas, index) => this.paintOne(canvas, index, channels, reach));
    const colors = channels === COLORS ? "Gray is 0." : "Orange is positive, blue negative.";
    this.words.textContent = `${shown} of ${count}, ${height} × ${width}. ${colors}`;
    this.grid.setAttribute("aria-label", `${count} kernels; the largest weight is ${reach.toFixed(3)}`);
  }

  paintOne(canvas, index, channels, reach) {
    const kernel = kernelAt(this.tensor, index);
    if (channels === COLORS) paintColors(canvas, asColors(kernel, reach));
    else paint(canvas, kernel, 0, scaleFor(-reach, reach));
  }

  makeCanvases(count, width, height) {
    this.canvases = Array.from({ length: count }, () => mapCanvas(width, height));
    this.grid.replaceChildren(...this.canvases);
    style(this.grid, { "--kernel": width > 5 ? "3.4rem" : "2.6rem" });
  }

  end() {
    this.stopFollowing();
  }
}
