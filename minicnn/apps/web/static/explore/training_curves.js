// The curves of a training: loss and accuracy of each batch, and on test images.
import { element } from "./elements.js";
import { Chart, smoothed } from "./charts.js";
import { percent, short } from "./numbers.js";

const NONE = null; // where a series has no number

/** Columns for the chart: the steps, all numbers, their running mean, and those on test images. */
function columns(batches, test, column) {
  const steps = Float64Array.from({ length: batches.length + 1 }, (_, i) => i);
  const tested = Array(steps.length).fill(NONE);
  for (let row = 0; row < test.shape[0]; row++) {
    const step = test.data[3 * row];
    if (step < tested.length) tested[step] = test.data[3 * row + column];
  }
  return [steps, [...batches, NONE], [...smoothed(batches), NONE], tested];
}

function seriesFor(name) {
  return [
    { label: "each batch", color: name, faint: true },
    { label: "their running mean", color: name },
    { label: "test images", color: "--part-1", points: true },
  ];
}

export class TrainingCurves {
  constructor() {
    this.loss = new Chart({ title: "Loss", series: seriesFor("--part-0") });
    this.accuracy = new Chart({ title: "Right answers", series: seriesFor("--part-2"), range: [0, 1], unit: (share) => `${Math.round(100 * share)} %` });
    this.element = element("section", { class: "panel training-curves", "aria-label": "Curves" },
      this.loss.element, this.accuracy.element);
  }

  show({ loss, accuracy, tensors, answer }) {
    const mark = answer.step;
    const notes = answer.rates.slice(1).map(([step, rate]) => ({ step, text: `rate ${short(rate, 2)}` }));
    const atTest = answer.test_loss ?? NaN;
    this.loss.show(columns(loss, tensors.test, 1), {
      mark, notes, summary: `At step ${answer.measured_at} it is ${short(atTest, 3)} on test images.`,
    });
    this.accuracy.show(columns(accuracy, tensors.test, 2), {
      mark, notes, summary: `At step ${answer.measured_at} it is ${percent(answer.test_accuracy)} of the test images.`,
    });
  }

  end() {
    this.loss.end();
    this.accuracy.end();
  }
}
