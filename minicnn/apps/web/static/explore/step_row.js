// One step of the network on the page: its title, its shape, its color scale and its values.
import { Bars } from "./bars.js";
import { scaleFor } from "./colors.js";
import { button, element } from "./elements.js";
import { Legend } from "./legend.js";
import { short } from "./numbers.js";
import { sentenceOf } from "./operations.js";
import { Strip } from "./strip.js";

const INPUT = -1;
const MORE = 64; // channels that are asked for at a time
const PICTURES = ["rescale"]; // what these compute can still be seen as a picture

export function shapeText(shape) {
  return shape.length ? shape.join(" × ") : "one number";
}

/** What a step reads, if that is not the step above it: "reads steps 3 and 7". */
export function readsText({ index, reads = [] }) {
  const numbers = reads.map(({ step = INPUT }) => step);
  if (numbers.length === 0 || (numbers.length === 1 && numbers[0] === index - 1)) return "";
  const names = numbers.map((number) => (number === INPUT ? "the input" : `step ${number}`));
  return `reads ${names.join(" and ")}`;
}

/** The title of a step with its number, further words, and what the operation does. */
function heading(id, { index, title, operation }, words, legend) {
  const number = index < 0 ? "" : element("span", { class: "step-number" }, index);
  return element(
    "header",
    { class: "step-head" },
    element("h3", { id }, number, title),
    element("p", { class: "step-words" }, words),
    legend,
    element("p", { class: "step-what" }, sentenceOf(operation)),
  );
}

export class StepRow {
  /**
   * `onpick(step, place)`; `onmore(row, start, count)` asks for more channels;
   * `weights`: its Weights, if it has some.
   */
  constructor(step, { onpick, onmore, weights }) {
    this.step = step;
    this.weights = weights;
    this.onmore = onmore;
    this.legend = new Legend();
    this.strip = new Strip(step.shape, {
      title: step.title,
      onpick: (place) => onpick(step.index, place),
    });
    this.total = step.shape[2] ?? 1;
    if (step.isOutput) this.bars = new Bars({ onpick: (k) => onpick(step.index, [k]) });
    this.element = this.built();
    this.paintLater = null;
  }

  built() {
    const { step } = this;
    const id = `step-title-${step.index}`;
    const parts = [step.layer, shapeText(step.shape), readsText(step)];
    const words = parts.filter(Boolean).join(" · ");
    this.moreButton = button("", () => this.more(), { hidden: true });
    return element(
      "section",
      { class: "step", "aria-labelledby": id },
      heading(id, step, words, this.legend.element),
      this.bars?.element,
      this.strip.element,
      this.moreButton,
      this.weights?.element,
    );
  }

  get shownChannels() {
    return this.strip.tiles.length;
  }

  /** Show the values, or the gradients, of this step; at once, or when it comes into sight. */
  show(tensor, { minimum, maximum, classes, ...options }) {
    const gray =
      options.of !== "gradient" && (this.step.index < 0 || PICTURES.includes(this.step.operation));
    this.paintLater = () => {
      const scale = scaleFor(gray ? Math.min(0, minimum) : minimum, maximum, { gray });
      this.legend.show(scale);
      this.strip.show(tensor, scale);
      this.showBars(classes, options);
      this.showMore(tensor);
    };
    if (this.isVisible !== false) this.paintNow();
    this.weights?.refresh();
  }

  paintNow() {
    this.paintLater?.();
    this.paintLater = null;
  }

  showBars(classes, options) {
    if (!this.bars) return;
    this.bars.element.hidden = !classes;
    this.strip.element.hidden = Boolean(classes);
    this.legend.element.hidden = Boolean(classes);
    if (classes) this.bars.show(classes, options);
  }

  /** Channels that were asked for once are asked for again, as they have new values. */
  showMore(tensor) {
    const sent = tensor.shape[2] ?? 1;
    if (this.shownChannels > sent) this.onmore(this, sent, this.shownChannels - sent);
    const left = this.total - Math.max(sent, this.shownChannels);
    this.moreButton.hidden = left <= 0;
    this.moreButton.textContent = `Show ${Math.min(MORE, left)} more of ${this.total} maps`;
  }

  more() {
    const left = this.total - this.shownChannels;
    this.onmore(this, this.shownChannels, Math.min(MORE, left));
  }

  /** More channels have come. */
  add(tensor, start) {
    this.strip.show(tensor, this.strip.scale, start);
    const left = this.total - this.shownChannels;
    this.moreButton.hidden = left <= 0;
    this.moreButton.textContent = `Show ${Math.min(MORE, left)} more of ${this.total} maps`;
  }

  repaint() {
    this.legend.repaint();
    this.strip.repaint();
  }
}

/** The row of the loss: one number. */
export class LossRow {
  constructor(step, { onpick }) {
    this.step = step;
    this.button = element("button", {
      type: "button",
      class: "loss-value",
      onclick: () => onpick(step.index, []),
    });
    const id = "step-title-loss";
    const attributes = { class: "step", "aria-labelledby": id, hidden: true };
    this.element = element("section", attributes, heading(id, step, ""), this.button);
  }

  show(loss) {
    this.element.hidden = loss == null;
    if (loss == null) return;
    this.button.textContent = short(loss);
    this.button.setAttribute("aria-label", `Loss ${short(loss)}. Show how it was computed`);
  }
}
