// All steps of a network from the input to the loss, in the order in which they are computed.
import { boxesOf } from "./boxes.js";
import { onSchemeChange } from "./colors.js";
import { element } from "./elements.js";
import { bracketed } from "./fused.js";
import { newest } from "./newest.js";
import { keepInSight } from "./scrolling.js";
import { LossRow, StepRow } from "./step_row.js";
import { inputRange } from "./units.js";
import { Weights } from "./weights.js";

const INPUT = -1; // the number of the "step" before the first one

/** The steps as rows of the page: the input is step -1. */
function rowsOf(network) {
  const input = {
    index: INPUT,
    title: "The input",
    layer: "",
    operation: "input",
    shape: network.input_shape,
  };
  const isOutput = ({ index, operation }) => index === network.output && operation === "softmax";
  return [input, ...network.steps.map((step) => ({ ...step, isOutput: isOutput(step) }))];
}

export class Steps {
  /** `session` answers further questions; `onpick(step, place)` and `onweight(name, place)`. */
  constructor(session, { onpick, onweight }) {
    this.session = session;
    const listeners = { onpick, onmore: (...given) => this.more(...given) };
    this.rows = rowsOf(session.network).map(
      (step) => new StepRow(step, { ...listeners, weights: this.weightsOf(step, onweight) }),
    );
    const number = session.network.steps.length;
    this.loss = new LossRow({ index: number, title: "Loss", operation: "loss" }, listeners);
    this.of = "value";
    this.askGradients = newest(() => this.askGradientsNow());
    this.element = element(
      "div",
      { class: "steps" },
      ...bracketed(this.rows, session.network.fused, (step) => this.row(step)),
      this.loss.element,
    );
    this.watch();
  }

  weightsOf(step, onpick) {
    if (!Object.keys(step.parameters ?? {}).length) return null;
    const shapes = Object.fromEntries(
      this.session.network.parameters.map(({ name, shape }) => [name, shape]),
    );
    const ask = (parameter) =>
      this.session.ask("parameter", { parameter, of: this.of }, { quiet: ["wrong"] });
    return new Weights(step, shapes, { ask, onpick });
  }

  /** The row of a step by its number. */
  row(index) {
    return this.rows[index + 1];
  }

  /** Draw rows when they come into sight. */
  watch() {
    const byElement = new Map(this.rows.map((row) => [row.element, row]));
    this.observer = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) {
          const row = byElement.get(entry.target);
          row.isVisible = entry.isIntersecting;
          if (row.isVisible) row.paintNow();
        }
      },
      { rootMargin: "300px" },
    );
    for (const row of this.rows) this.observer.observe(row.element);
    this.unlisten = onSchemeChange(() => this.rows.forEach((row) => row.repaint()));
  }

  /** Show the values of a pass; `before`: the probabilities without changes made by hand. */
  showValues(pass, before = null) {
    this.of = "value";
    this.row(INPUT).show(pass.tensors.input, inputRange(this.session.network));
    for (const { index, minimum, maximum } of pass.steps) {
      const row = this.row(index);
      const classes = row.step.isOutput ? pass.classes : null;
      row.show(pass.tensors[`step.${index}`], {
        minimum,
        maximum,
        classes,
        before,
        label: pass.label,
      });
    }
    this.loss.show(pass.loss);
  }

  /** Show the gradients of the loss by all values. */
  showGradients(pass) {
    this.of = "gradient";
    this.loss.show(pass.loss);
    return this.askGradients();
  }

  async askGradientsNow() {
    await Promise.all(
      this.rows.map(async (row) => {
        const { answer, values } = await this.whole(row);
        if (this.of === "gradient") row.show(values, { ...answer, of: "gradient" });
      }),
    );
  }

  /** The gradients of all channels that a row shows; all of a vector. */
  whole({ step, shownChannels }) {
    const isVector = step.shape.length === 1;
    const count = isVector ? step.shape[0] : shownChannels || this.session.channels;
    return this.session.values({ step: step.index, of: this.of, count });
  }

  ask(row, start, count) {
    return this.session.ask("values", { step: row.step.index, of: this.of, start, count });
  }

  async more(row, start, count) {
    const { tensors } = await this.ask(row, start, count);
    row.add(tensors.values, start);
  }

  /** Mark a number that is explained. */
  mark(step, place) {
    this.clearMarks();
    if (place) this.row(step)?.strip.mark(place);
  }

  /** Mark the window that a number reads: of all maps, or of its own one for pooling. */
  markWindow({ reads_step: step, window, kind, at }) {
    const channel = kind === "sum_of_products" ? null : at?.[2];
    this.row(step)?.strip.markWindow({ ...window, channel });
  }

  /** Mark the places of terms: in each map the rectangle that has them all. */
  markPlaces(terms, usualStep) {
    for (const { step, place, channel, ...box } of boxesOf(terms)) {
      const strip = this.row(step ?? usualStep)?.strip;
      if (place) strip?.mark(place, "is-read");
      else strip?.markWindow({ ...box, channel });
    }
  }

  /** Show the products that the gradient of a weight is summed from over its map. */
  overlay(step, { channel, products }) {
    this.row(step)?.strip.overlay(channel, products);
  }

  bringIntoSight(step) {
    const row = this.row(step) ?? this.loss;
    keepInSight(row.element);
  }

  clearMarks() {
    for (const row of this.rows) row.strip.clearMarks();
  }

  end() {
    this.observer.disconnect();
    this.unlisten();
  }
}
