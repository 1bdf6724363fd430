// Shows how a sum grows term by term: a line, the numbers, and a slider to go back and forth.
import { button, element, field, svg } from "./elements.js";
import { short } from "./numbers.js";
import { runningSums } from "./terms.js";

const WHOLE_MS = 4000; // that the animation takes
const MOST_POINTS = 400; // of the line
const [WIDTH, HEIGHT] = [400, 90];

export function isStill() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** The points of the line, thinned out if there are many: [[index, sum], ...]. */
export function linePoints(sums, most = MOST_POINTS) {
  const stride = Math.max(1, Math.ceil(sums.length / most));
  const points = [];
  for (let k = 0; k < sums.length; k += stride) points.push([k, sums[k]]);
  if (points.at(-1)[0] !== sums.length - 1) points.push([sums.length - 1, sums.at(-1)]);
  return points;
}

export class RunningSum {
  /** `onterm(index)`: the term that is being added; -1: none yet. */
  constructor(terms, bias, onterm) {
    this.terms = terms;
    this.bias = bias ?? 0;
    this.onterm = onterm;
    this.sums = runningSums(terms, bias);
    this.element = this.built();
    this.go(terms.length);
  }

  built() {
    this.words = element("p", { class: "sum-words" });
    this.dot = svg("circle", { r: 5, class: "sum-dot" });
    this.slider = element("input", {
      type: "range",
      class: "form-range",
      min: 0,
      max: this.terms.length,
      value: this.terms.length,
      oninput: () => {
        this.stop();
        this.go(Number(this.slider.value));
      },
    });
    this.play = button("Play", () => (this.isPlaying ? this.stop() : this.start()), {
      class: "btn btn-primary btn-sm",
    });
    return element(
      "div",
      { class: "running-sum" },
      this.words,
      this.drawn(),
      element("div", { class: "sum-tools" }, this.play, field("Term", this.slider)),
    );
  }

  drawn() {
    const [low, high] = [Math.min(0, ...this.sumsForRange()), Math.max(0, ...this.sumsForRange())];
    const count = this.sums.length - 1 || 1;
    this.x = (k) => (WIDTH * k) / count;
    this.y = (sum) => HEIGHT - ((sum - low) / (high - low || 1)) * HEIGHT;
    const points = linePoints(this.sums)
      .map(([k, sum]) => `${this.x(k)},${this.y(sum)}`)
      .join(" ");
    return svg(
      "svg",
      { class: "sum-line", viewBox: `-8 -8 ${WIDTH + 16} ${HEIGHT + 16}`, "aria-hidden": "true" },
      svg("line", { x1: 0, x2: WIDTH, y1: this.y(0), y2: this.y(0), class: "sum-zero" }),
      svg("polyline", { points, class: "sum-path" }),
      this.dot,
    );
  }

  sumsForRange() {
    return linePoints(this.sums).map(([, sum]) => sum);
  }

  /** Show the sum after so many terms. */
  go(count) {
    this.count = count;
    this.slider.value = count;
    this.dot.setAttribute("cx", this.x(count));
    this.dot.setAttribute("cy", this.y(this.sums[count]));
    this.words.replaceChildren(...this.text(count));
    this.slider.setAttribute(
      "aria-valuetext",
      `after ${count} terms the sum is ${short(this.sums[count])}`,
    );
    this.onterm(this.isPlaying || count < this.terms.length ? count - 1 : -1);
  }

  text(count) {
    const total = element("strong", {}, short(this.sums[count]));
    if (count === 0) return [this.bias ? "The bias alone: " : "Before the first term: ", total];
    const { input, weight, product } = this.terms[count - 1];
    const how =
      weight === undefined
        ? short(product)
        : `${short(input)} · ${short(weight)} = ${short(product)}`;
    return [
      `${count} of ${this.terms.length}: + ${how} `,
      element("span", { class: "sum-so-far" }, "sum ", total),
    ];
  }

  start() {
    if (isStill()) return this.go(this.terms.length);
    const from = this.count === this.terms.length ? 0 : this.count;
    this.isPlaying = true;
    this.play.textContent = "Pause";
    let begin = null;
    const tick = (now) => {
      begin ??= now;
      this.advance(from + Math.floor(((now - begin) / WHOLE_MS) * this.terms.length));
      if (this.isPlaying) requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  advance(count) {
    if (!this.isPlaying || !this.element.isConnected) return this.stop();
    if (count >= this.terms.length) this.stop();
    this.go(Math.min(count, this.terms.length));
  }

  stop() {
    this.isPlaying = false;
    this.play.textContent = "Play";
  }
}
