// What is measured of each layer: histograms of weights and gradients, steps, dead units.
import { element, style, svg } from "./elements.js";
import { percent, short } from "./numbers.js";

const WIDTH = 164;
const HEIGHT = 44;
const HEADINGS = ["Layer", "Weights", "Gradients", "Relative step size", "Dead units"];
const MANY_DEAD = 0.5;

/** How far the values reach; null: they are NaN or infinite. */
function limitText(limit) {
  if (limit == null) return "all NaN";
  return limit ? `± ${short(limit, 2)}` : "all 0";
}

function histogram({ data }, limit, what) {
  const most = Math.max(...data, 1);
  const wide = WIDTH / data.length;
  const bars = Array.from(data, (count, i) => {
    const high = (count / most) * HEIGHT;
    return svg("rect", { x: i * wide, y: HEIGHT - high, width: wide - 0.6, height: high });
  });
  const label = `${what}: ${limit ? `from ${short(-limit, 2)} to ${short(limit, 2)}` : limitText(limit)}`;
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "histogram", role: "img", "aria-label": label },
    ...bars, svg("line", { x1: WIDTH / 2, x2: WIDTH / 2, y1: 0, y2: HEIGHT }));
  return element("div", {}, picture, element("span", { class: "histogram-limit" }, limitText(limit)));
}

function deadBar(share) {
  if (share == null) return element("span", { class: "quiet" }, "–");
  const bar = element("span", { class: share > MANY_DEAD ? "dead-bar is-many" : "dead-bar" }, element("span"));
  style(bar, { "--share": `${100 * share}%` });
  return element("span", { class: "dead" }, bar, percent(share));
}

export class TrainingLayers {
  constructor() {
    const heads = HEADINGS.map((text) => element("th", { scope: "col" }, text));
    this.rows = element("tbody");
    this.when = element("p", { class: "hint" });
    this.element = element("section", { class: "panel training-layers", "aria-labelledby": "layers-heading" },
      element("h2", { id: "layers-heading" }, "Inside the layers"),
      element("div", { class: "table-box", tabindex: "0", role: "region", "aria-label": "Table of the layers" },
        element("table", { class: "layer-table" }, element("thead", {}, element("tr", {}, ...heads)), this.rows)),
      this.when);
  }

  show({ layers, measured_at: step }, tensors) {
    if (this.shown === step && this.count === layers.length) return;
    this.shown = step;
    this.count = layers.length;
    this.rows.replaceChildren(...layers.map((layer) => this.row(layer, tensors)));
    this.when.textContent = `Measured at step ${step.toLocaleString("en")}, with the gradients of 32 training images. The relative step size is the size of the last update divided by the size of the weights. A unit is dead if its output is 0 for all of the images, at every place.`;
  }

  row(layer, tensors) {
    const { name, kind, limits, update_ratio: ratio } = layer;
    const picture = (what, label) => (layer.has_weights ? histogram(tensors[`${what}.${name}`], limits[what], label) : "");
    return element("tr", {},
      element("th", { scope: "row" }, name, element("span", { class: "quiet" }, kind)),
      element("td", { class: "is-weights" }, picture("weights", `Weights of ${name}`)),
      element("td", { class: "is-gradients" }, picture("gradients", `Gradients of ${name}`)),
      element("td", { class: "is-number" }, ratio == null ? "–" : percent(ratio)),
      element("td", {}, deadBar(layer.dead)));
  }
}
