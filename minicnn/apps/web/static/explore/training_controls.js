// The buttons and sliders of a training.
import { button, element } from "./elements.js";

const LOWEST = -6; // of the learning rate's logarithm
const HIGHEST = 1;
const DIGITS = 2;

/** The learning rate at a place of the slider, rounded so that it can be read. */
export function rateAt(exponent) {
  return Number((10 ** exponent).toPrecision(DIGITS));
}

function rateText(rate) {
  return rate >= 1e-4 ? String(Number(rate.toPrecision(3))) : rate.toExponential(1);
}

export class TrainingControls {
  /** `act(action, value)` does something; `restart()` begins anew. */
  constructor(act, restart) {
    this.act = act;
    const normal = "btn btn-outline-secondary";
    this.run = button("Run", () => act(this.isRunning ? "pause" : "run"), { class: "btn btn-primary training-run" });
    this.step = button("One step", () => act("step"), { class: normal });
    this.undo = button("Undo a step", () => act("undo"), { class: normal });
    this.restart = button("Start anew", restart, { class: normal });
    this.rate = this.makeRate();
    this.place = this.makePlace();
    this.progress = element("progress", { class: "training-progress", "aria-label": "This epoch" });
    this.words = element("p", { class: "training-words" });
    this.hint = element("p", { class: "hint training-hint", hidden: true });
    this.undo.title = "Back to the weights before the last step, bit for bit";
    this.element = element("section", { class: "panel training-controls", "aria-label": "Controls" },
      element("div", { class: "btn-row" }, this.run, this.step, this.undo, this.restart),
      element("div", { class: "training-sliders" }, this.rate.element, this.place.element),
      element("div", { class: "training-where" }, this.words, this.progress), this.hint);
  }

  slider(title, attributes, text, onchange) {
    const input = element("input", { type: "range", class: "form-range", ...attributes });
    const value = element("span", { class: "slider-value" }); // an output would take the label
    const say = (number) => {
      value.textContent = text(number);
      input.setAttribute("aria-valuetext", value.textContent);
    };
    input.addEventListener("input", () => say(Number(input.value)));
    input.addEventListener("change", () => onchange(Number(input.value)));
    const label = element("span", { class: "slider-label" }, title, " ", value);
    return { input, say, element: element("label", { class: "field training-slider" }, label, input) };
  }

  makeRate() {
    const attributes = { min: LOWEST, max: HIGHEST, step: 0.05, id: "training-rate" };
    const send = (exponent) => this.act("learning-rate", { value: rateAt(exponent) });
    return this.slider("Learning rate", attributes, (exponent) => rateText(rateAt(exponent)), send);
  }

  makePlace() {
    const attributes = { min: 0, max: 0, step: 1, id: "training-place" };
    const send = (step) => this.act("seek", { step });
    return this.slider("Go to step", attributes, (step) => step.toLocaleString("en"), send);
  }

  show(answer) {
    const { state, steps, can_undo: canUndo } = answer;
    const isStopped = state === "stopped";
    this.isRunning = state === "running";
    this.run.textContent = this.isRunning ? "Pause" : "Run";
    this.run.disabled = this.step.disabled = isStopped;
    this.undo.disabled = !canUndo;
    this.place.input.max = steps;
    this.place.input.disabled = isStopped || steps === 0 || this.isRunning;
    this.rate.input.disabled = isStopped;
    this.showSlider(this.place, answer.step);
    this.showSlider(this.rate, Math.log10(answer.learning_rate));
    this.showProgress(answer);
    this.hint.hidden = answer.step >= steps || this.isRunning;
    this.hint.textContent = `You can go to each of the ${steps.toLocaleString("en")} steps with the slider. “Run” and “One step” continue from here and discard the later steps.`;
  }

  /** Move a slider, unless somebody is moving it. */
  showSlider({ input, say }, value) {
    if (input.matches(":active")) return;
    input.value = value; // rounded to the slider's steps
    say(value);
  }

  showProgress({ step, steps_per_epoch: perEpoch, images_per_second: speed, state }) {
    const inEpoch = step % perEpoch;
    this.progress.max = perEpoch;
    this.progress.value = inEpoch;
    const epoch = Math.floor(step / perEpoch) + 1;
    const fast = state === "running" && speed ? `, ${Math.round(speed).toLocaleString("en")} images/s` : "";
    this.words.textContent = `Step ${step.toLocaleString("en")}: epoch ${epoch}, batch ${inEpoch} of ${perEpoch}${fast}`;
  }
}

