// One step of two networks side by side, in the same colors, and where they differ.
import { scaleFor } from "./colors.js";
import { element } from "./elements.js";
import { Legend } from "./legend.js";
import { range } from "./maps.js";
import { placeText, short } from "./numbers.js";
import { shapeText } from "./step_row.js";
import { Strip } from "./strip.js";

const MARKED = 3; // places with the largest differences

/** The differences of two tensors of one shape. */
export function difference(first, second) {
  return { shape: first.shape, data: first.data.map((one, k) => second.data[k] - one) };
}

/** The indices of the numbers that are largest in size, the largest first. */
export function largestPlaces({ shape, data }, count = MARKED) {
  const found = [];
  data.forEach((value, k) => {
    const size = Math.abs(value);
    if (size === 0 || (found.length === count && size <= found.at(-1).size)) return;
    found.push({ size, k });
    found.sort((one, other) => other.size - one.size);
    found.length = Math.min(found.length, count);
  });
  return found.map(({ k }) =>
    shape.length === 1
      ? [k]
      : [Math.floor(k / (shape[1] * shape[2])), Math.floor(k / shape[2]) % shape[1], k % shape[2]],
  );
}

export class PairRow {
  /** `onpick(which, step, place)`: which is 0 or 1. */
  constructor(step, names, { onpick }) {
    this.step = step;
    this.legends = [new Legend(), new Legend()];
    this.strips = names.map(
      (name, which) =>
        new Strip(step.shape, {
          title: `${step.title}, ${name}`,
          onpick: (place) => onpick(which, step.index, place),
        }),
    );
    this.words = element("p", { class: "pair-words" });
    const id = `pair-title-${step.index}`;
    const title = element(
      "h3",
      { id },
      element("span", { class: "step-number" }, step.index),
      step.title,
    );
    const words = element("p", { class: "step-words" }, `${step.layer} · ${shapeText(step.shape)}`);
    const sides = this.strips.map((strip, which) =>
      element("div", { class: "pair-side" }, this.legends[which].element, strip.element),
    );
    this.element = element(
      "section",
      { class: "step pair", "aria-labelledby": id },
      element("header", { class: "step-head" }, title, words, this.words),
      element("div", { class: "pair-sides" }, ...sides),
    );
  }

  /** Show two tensors; with `asDifference` the second side shows second - first. */
  show(first, second, asDifference) {
    const found = difference(first, second);
    const scale = scaleFor(...range([...range(first.data), ...range(second.data)]));
    const other = asDifference
      ? scaleFor(-Math.max(...range(found.data).map(Math.abs)) || -1, 0)
      : scale;
    this.paint(0, first, scale);
    this.paint(1, asDifference ? found : second, other);
    this.markDifferences(found);
  }

  paint(which, tensor, scale) {
    this.legends[which].show(scale);
    this.strips[which].show(tensor, scale);
  }

  markDifferences(found) {
    const places = largestPlaces(found);
    for (const strip of this.strips) {
      strip.clearMarks();
      places.forEach((place) => strip.mark(place));
    }
    const [minimum, maximum] = range(found.data);
    const size = Math.max(-minimum, maximum);
    this.words.textContent =
      size === 0
        ? "no difference"
        : `largest difference ${short(size, 3)} at ${placeText(places[0])}`;
  }

  repaint() {
    this.legends.forEach((one) => one.repaint());
    this.strips.forEach((one) => one.repaint());
  }
}
