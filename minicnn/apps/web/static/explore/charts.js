// Curves, drawn by uPlot in the colors and with the letters of the page.
import uPlot from "../vendor/uPlot.esm.js";
import { onSchemeChange } from "./colors.js";
import { element } from "./elements.js";
import { short } from "./numbers.js";

const HEIGHT_REM = 13;
const STEPS = [1, 2, 5].flatMap((one) => [0, 1, 2, 3, 4, 5].map((zeros) => one * 10 ** zeros)).sort((a, b) => a - b);
const COMPACT = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const THIN = 1;
const THICK = 2.2;

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function rem() {
  return parseFloat(getComputedStyle(document.documentElement).fontSize);
}

/** The means of each value and those before it, which forget old values slowly. */
export function smoothed(values, keep = 0.9) {
  const found = new Float32Array(values.length);
  let [sum, weight] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    sum = keep * sum + values[i];
    weight = keep * weight + 1;
    found[i] = sum / weight;
  }
  return found;
}

/** The font of a canvas whose pixels are `ratio` times smaller than those of the page. */
function letters(ratio = 1) {
  return `${Math.round(0.78 * ratio * rem())}px ${getComputedStyle(document.body).fontFamily}`;
}

function axis(extra) {
  const font = letters();
  const line = { stroke: color("--line"), width: 1 };
  return { stroke: color("--quiet"), font, grid: line, ticks: line, ...extra };
}

function seriesOf({ label, color: name, faint, points }) {
  const stroke = color(name) + (faint ? "66" : "");
  return {
    label, stroke, width: faint ? THIN : THICK,
    points: points ? { show: true, size: 6, fill: stroke } : { show: false },
    spanGaps: true, value: (_, value) => (value == null ? "–" : short(value, 3)),
  };
}

export class Chart {
  /**
   * `series`: [{label, color: a variable of the style sheet, faint, points}], over steps.
   * `range`: of the numbers, [0, 1] or null for what there is.
   */
  constructor({ title, series, range = null, unit = (value) => COMPACT.format(value) }) {
    Object.assign(this, { title, series, range, unit, data: [[], ...series.map(() => [])], mark: 0, notes: [] });
    this.box = element("div", { class: "chart-box", role: "img", "aria-label": title });
    this.legend = element("p", { class: "chart-legend", "aria-hidden": "true" }, ...series.map(legendEntry));
    this.element = element("figure", { class: "chart" },
      element("figcaption", {}, title), this.legend, this.box);
    this.resizing = new ResizeObserver(() => this.fit());
    this.resizing.observe(this.box);
    this.stopFollowing = onSchemeChange(() => this.draw());
  }

  /**
   * Show columns: the steps, and the numbers of each series; null where there is none.
   * `mark` is the step that the network is at, `notes` say what happened: [{step, text}].
   */
  show(data, { mark, notes, summary }) {
    Object.assign(this, { data, mark, notes });
    this.box.setAttribute("aria-label", `${this.title}. ${summary}`);
    if (this.plot) this.plot.setData(data);
    else this.draw();
  }

  fit() {
    const size = this.size();
    if (!this.plot || this.fontSize !== rem()) this.draw();
    else if (size.width !== this.plot.width) this.plot.setSize(size);
  }

  size() {
    return { width: Math.floor(this.box.clientWidth), height: Math.round(HEIGHT_REM * rem()) };
  }

  /** Make the picture anew: at first, and when colors or letters have changed. */
  draw() {
    this.plot?.destroy();
    this.plot = null;
    if (!this.box.clientWidth) return;
    this.fontSize = rem();
    this.plot = new uPlot(this.options(), this.data, this.box);
  }

  options() {
    const range = this.range ? { range: this.range } : { range: (_, low, high) => [Math.min(low ?? 0, 0), (high || 1) * 1.05] };
    return {
      ...this.size(), legend: { show: false }, cursor: { y: false, points: { show: false } },
      scales: { x: { time: false, range: (_, low, high) => [low ?? 0, Math.max(high ?? 0, (low ?? 0) + 10)] }, y: range },
      series: [{}, ...this.series.map(seriesOf)],
      axes: [
        axis({ values: (_, ticks) => ticks.map((tick) => tick.toLocaleString("en")), incrs: STEPS, size: 2.2 * rem() }),
        axis({ values: (_, ticks) => ticks.map(this.unit), size: 3.2 * rem() }),
      ],
      hooks: { draw: [(plot) => this.drawMarks(plot)] },
    };
  }

  /** Lines at the notes, and at the step that the network is at, if later steps are known. */
  drawMarks(plot) {
    for (const { step, text } of this.notes) this.drawLine(plot, step, { ink: "--quiet", text });
    if (this.mark < (this.data[0].at(-1) ?? 0)) this.drawLine(plot, this.mark, { ink: "--ink", width: 2 });
  }

  drawLine(plot, step, { ink, width = 1, text = "" }) {
    const { ctx: context, bbox: area } = plot;
    const [ratio, x] = [devicePixelRatio, Math.round(plot.valToPos(step, "x", true))];
    context.save();
    Object.assign(context, { strokeStyle: color(ink), fillStyle: color(ink), lineWidth: width * ratio });
    context.setLineDash([6 * ratio, 4 * ratio]);
    context.beginPath();
    context.moveTo(x, area.top);
    context.lineTo(x, area.top + area.height);
    context.stroke();
    Object.assign(context, { font: letters(ratio), textAlign: "left", textBaseline: "top" });
    context.fillText(text, x + 4 * ratio, area.top);
    context.restore();
  }

  end() {
    this.resizing.disconnect();
    this.stopFollowing();
    this.plot?.destroy();
  }
}

function legendEntry({ label, color: name, faint }) {
  const line = element("span", { class: faint ? "chart-line is-faint" : "chart-line" });
  line.style.setProperty("--line-color", `var(${name})`);
  return element("span", {}, line, label);
}
