// One training on the server: asks how it goes, and keeps its curves.
import { getBinary, postJson } from "./server.js";

const RUNNING_MS = 350; // between an answer and the next question
const STILL = ["paused", "failed", "stopped"];

function joined(before, after) {
  const whole = new Float32Array(before.length + after.length);
  whole.set(before);
  whole.set(after, before.length);
  return whole;
}

export class TrainingSession extends EventTarget {
  constructor(number) {
    super();
    this.number = number;
    this.forget();
  }

  /** Begin a training: {blocks, data, optimizer, learning_rate, batch_size, seed}. */
  static async start(recipe) {
    return postJson("training", recipe);
  }

  forget() {
    this.loss = new Float32Array();
    this.accuracy = new Float32Array();
  }

  get isStill() {
    return STILL.includes(this.answer?.state);
  }

  /** Ask until the training is still; tells listeners "report" after each answer, "gone" at the end. */
  async follow() {
    clearTimeout(this.timer);
    if (this.isEnded) return;
    this.asking ??= this.ask().finally(() => { this.asking = null; });
    const found = await this.asking;
    clearTimeout(this.timer);
    if (found && !this.isStill && !this.isEnded) this.timer = setTimeout(() => this.follow(), RUNNING_MS);
  }

  async ask() {
    try {
      await this.report();
      return true;
    } catch (error) {
      if (error.code === "gone") this.dispatchEvent(new Event("gone"));
      return false;
    }
  }

  async report() {
    const since = this.loss.length;
    const { answer, tensors } = await getBinary(`training/${this.number}`, { parameters: { since }, quiet: ["gone"] });
    if (this.isEnded) return;
    const isOther = this.answer && answer.generation !== this.answer.generation;
    Object.assign(this, { answer, tensors });
    if (since && (isOther || answer.since !== since)) { // a part of the curves was dropped
      this.forget();
      return this.report();
    }
    this.loss = joined(this.loss, tensors.loss.data);
    this.accuracy = joined(this.accuracy, tensors.accuracy.data);
    this.dispatchEvent(new Event("report"));
  }

  /** Do something: "run", "pause", "step", "undo", "seek", "learning-rate" or "stop". */
  async act(action, value = {}) {
    await postJson(`training/${this.number}/${action}`, value);
    await this.asking; // the answer to a question of before does not know of it
    await this.follow();
  }

  end() {
    this.isEnded = true;
    clearTimeout(this.timer);
  }
}
