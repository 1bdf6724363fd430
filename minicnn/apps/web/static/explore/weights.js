// The weights of one step, or the gradients of the loss by them: kernels as small maps.
import { scaleFor } from "./colors.js";
import { element, field } from "./elements.js";
import { Legend } from "./legend.js";
import { newest } from "./newest.js";
import { Strip } from "./strip.js";

const MOST = 64; // kernels that are shown at once; of more, those of one output
const OUTPUTS = { 4: "map", 2: "unit" }; // what the last axis of a parameter counts

/** Which weights are shown: of all outputs, or of one. */
export function shownWeights(shape, output) {
  if (shape.length === 4) {
    const [height, width, channels, outputs] = shape;
    const all = channels * outputs <= MOST;
    const count = all ? channels * outputs : Math.min(channels, MOST);
    const placeOf = (k) => (all ? [Math.floor(k / outputs), k % outputs] : [k, output]);
    return { shape: [height, width, count], all, place: ([y, x, k]) => [y, x, ...placeOf(k)] };
  }
  if (shape.length === 2) return { shape: [shape[0]], all: false, place: ([k]) => [k, output] };
  return { shape, all: true, place: (at) => at };
}

function indexOf(place, shape) {
  return shape.reduce((index, length, axis) => index * length + place[axis], 0);
}

/** The numbers that are shown, from all numbers of the parameter. */
export function chosenNumbers({ shape, data }, shown) {
  const [height, width, count] = shown.shape;
  if (shown.shape.length === 1) {
    return {
      shape: shown.shape,
      data: Float32Array.from({ length: height }, (_, k) => data[indexOf(shown.place([k]), shape)]),
    };
  }
  const chosen = new Float32Array(height * width * count);
  for (let k = 0; k < chosen.length; k++) {
    const at = [Math.floor(k / (width * count)), Math.floor(k / count) % width, k % count];
    chosen[k] = data[indexOf(shown.place(at), shape)];
  }
  return { shape: shown.shape, data: chosen };
}

class Parameter {
  constructor(name, shape, { onpick, onchoose }) {
    Object.assign(this, { name, shape, onpick });
    this.output = 0;
    this.legend = new Legend();
    this.holder = element("div");
    const outputs = shape.at(-1);
    const chooser = element("input", {
      type: "number",
      class: "form-control form-control-sm",
      min: 0,
      max: outputs - 1,
      value: 0,
      oninput: (event) => {
        this.output = Math.max(
          0,
          Math.min(outputs - 1, Math.floor(event.target.valueAsNumber || 0)),
        );
        onchoose();
      },
    });
    const isPart = !shownWeights(shape, 0).all;
    this.element = element(
      "div",
      { class: "parameter" },
      element(
        "div",
        { class: "step-head" },
        element("span", {}, name),
        element("span", { class: "step-words" }, shape.join(" × ")),
        isPart ? field(`of ${OUTPUTS[shape.length]}`, chooser) : null,
        this.legend.element,
      ),
      this.holder,
    );
  }

  show(tensor, { minimum, maximum }) {
    const shown = shownWeights(this.shape, this.output);
    const part = shown.all ? "" : `, ${OUTPUTS[this.shape.length]} ${this.output}`;
    const strip = new Strip(shown.shape, {
      title: this.name + part,
      onpick: (place) => this.onpick(this.name, shown.place(place)),
    });
    const scale = scaleFor(minimum, maximum);
    this.legend.show(scale);
    strip.show(chosenNumbers(tensor, shown), scale);
    this.holder.replaceChildren(strip.element);
  }
}

export class Weights {
  /** `ask(name)` gets a parameter or its gradient; `onpick(name, place)` when a weight is chosen. */
  constructor(step, shapes, { ask, onpick }) {
    this.ask = ask;
    this.refresh = newest(() => this.refreshNow());
    const listeners = { onpick, onchoose: () => this.refresh() };
    this.parts = Object.values(step.parameters).map(
      (name) => new Parameter(name, shapes[name], listeners),
    );
    this.element = element(
      "details",
      { class: "weights", ontoggle: () => this.refresh() },
      element("summary", {}, "Weights"),
      ...this.parts.map((part) => part.element),
    );
  }

  async refreshNow() {
    if (!this.element.open) return;
    await Promise.all(
      this.parts.map(async (part) => {
        const found = await this.ask(part.name).catch(() => null);
        if (found) part.show(found.tensors.values, found.answer);
        part.element.hidden = !found; // a statistic has no gradient
      }),
    );
  }
}
