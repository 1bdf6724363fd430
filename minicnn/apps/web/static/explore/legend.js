// The color scale of one step, with the numbers at its ends.
import { element } from "./elements.js";
import { mapCanvas, paintVector } from "./maps.js";
import { short } from "./numbers.js";

const STEPS = 64;

export class Legend {
  constructor() {
    this.canvas = mapCanvas(STEPS, 1);
    this.from = element("span");
    this.to = element("span");
    this.element = element("span", { class: "legend" }, this.from, this.canvas, this.to);
  }

  show(scale) {
    this.scale = scale;
    const { from, to } = scale;
    const numbers = Float32Array.from(
      { length: STEPS },
      (_, k) => from + ((to - from) * k) / (STEPS - 1),
    );
    paintVector(this.canvas, numbers, scale);
    this.from.textContent = short(from, 3);
    this.to.textContent = short(to, 3);
  }

  repaint() {
    if (this.scale) this.show(this.scale);
  }
}
