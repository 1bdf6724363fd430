// Where the gradient of one weight of a convolution comes from: for each place at which the weight
// is used the value there, the gradient there, and their product.
import { scaleFor } from "./colors.js";
import { element } from "./elements.js";
import { range } from "./maps.js";
import { Strip } from "./strip.js";

const NAMES = { input: "value there", weight: "gradient there", product: "product" };
const SIGNS = ["×", "="];

/** The numbers of the terms as a map of the shape (height, width, 1). */
export function mapOf(terms, name, [height, width]) {
  const data = new Float32Array(height * width);
  for (const term of terms) data[term.place[0] * width + term.place[1]] = term[name];
  return { shape: [height, width, 1], data };
}

/** Whether the terms are places of one map. */
export function areOfOneMap(terms) {
  const channel = terms[0]?.place?.[2];
  return channel !== undefined && terms.every(({ place }) => place?.[2] === channel);
}

export class WeightMaps {
  /** `shape`: of the step; `oninput(place)` when a place is chosen. */
  constructor(terms, shape, { oninput }) {
    this.channel = terms[0].place[2];
    this.products = mapOf(terms, "product", shape);
    const strips = Object.entries(NAMES).map(([name, title]) =>
      this.map(terms, name, title, shape, oninput),
    );
    this.element = element(
      "div",
      { class: "window-row weight-maps" },
      ...strips.flatMap((one, k) =>
        k
          ? [element("span", { class: "heat-sign", "aria-hidden": "true" }, SIGNS[k - 1]), one]
          : [one],
      ),
    );
  }

  map(terms, name, title, [height, width], oninput) {
    const strip = new Strip([height, width, 1], {
      title,
      onpick: ([y, x]) => oninput([y, x, this.channel], terms[0].step),
    });
    const map = mapOf(terms, name, [height, width]);
    strip.show(map, scaleFor(...range(map.data)));
    return element(
      "figure",
      { class: "heat-figure" },
      strip.element,
      element("figcaption", {}, title),
    );
  }
}
