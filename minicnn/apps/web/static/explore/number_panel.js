// The window of one number: what it was made of, how, and whether the sum is right.
import { state } from "./address.js";
import { ChangeNumber, rangeAround } from "./change_number.js";
import { Check } from "./check.js";
import { onSchemeChange } from "./colors.js";
import { button, element, say } from "./elements.js";
import { newest } from "./newest.js";
import { bodyOf } from "./number_bodies.js";
import { comparison, headOf, subjectIn } from "./number_head.js";
import { placeOf, placeText, short } from "./numbers.js";
import { ownValue } from "./own_value.js";
import { termsOf } from "./terms.js";
import { further } from "./trail.js";
import { fedRange } from "./units.js";
import { weightAnswer } from "./weight.js";

const INPUT = -1;
const PIXEL = "This number is a pixel of the image. It is not computed.";
const NOTHING = { step: null, at: null, parameter: null, of: null, trail: null };

/** Whether a number was not computed, so that it can be changed by hand: weights and pixels. */
export function isChangeable({ parameter, step }) {
  return Boolean(parameter) || step === INPUT;
}

export class NumberPanel {
  constructor(session, steps) {
    this.session = session;
    this.steps = steps;
    this.ask = newest((subject, isNew) => this.askNow(subject, isNew));
    const parts = ["number-head", "number-editing", "number-body", "number-checking"];
    [this.head, this.editing, this.body, this.checking] = parts.map((one) =>
      element("div", { class: one }),
    );
    this.element = this.built();
    this.unlisten = onSchemeChange(() => this.subject && this.ask(this.subject, false));
  }

  built() {
    const close = button("Close", () => state.set(NOTHING));
    const onkeydown = (event) => {
      if (event.key === "Escape") state.set(NOTHING);
    };
    const label = "How this number was computed";
    return element(
      "aside",
      { class: "number-panel panel", "aria-label": label, hidden: true, onkeydown },
      close,
      this.head,
      this.editing,
      this.body,
      this.checking,
    );
  }

  /** Show what the address asks for. */
  async follow(wanted) {
    const subject = subjectIn(wanted);
    const key = subject && JSON.stringify([subject, wanted.label]);
    if (key === this.key) return;
    this.key = key;
    this.subject = subject;
    this.element.hidden = !subject;
    this.element.parentElement?.classList.toggle("has-number", Boolean(subject));
    if (!subject) return this.leave();
    this.before ??= document.activeElement;
    await this.ask(subject, true);
  }

  /** There are new values: show the same number again. */
  refresh() {
    if (this.subject && this.shownPass !== this.session.pass.id) this.ask(this.subject, false);
  }

  async askNow(subject, isNew) {
    this.shownPass = this.session.pass.id;
    const { answer, tensors } = await this.answer(subject);
    if (subject === this.subject) this.show(subject, answer, termsOf(tensors), isNew);
  }

  async answer({ step, at, of, parameter }) {
    if (parameter) return weightAnswer(this.session, parameter, at);
    if (step === INPUT && of !== "gradient") return this.pixel(at);
    const found = await this.session.ask("number", { step, at, of });
    return { ...found, answer: { ...found.answer, of } };
  }

  pixel(at) {
    const [low, high] = fedRange(this.session.network, placeOf(at)[2]).map((one) => short(one));
    const text = `${PIXEL} Its range is from ${low} (black) to ${high} (white).`;
    return { answer: { kind: "input", value: this.pixelAt(at), text }, tensors: {} };
  }

  pixelAt(at) {
    const { shape, data } = this.session.pass.tensors.input;
    const [y, x, c] = placeOf(at);
    return data[(y * shape[1] + x) * shape[2] + c];
  }

  show(subject, answer, terms, isNew) {
    const body = bodyOf(answer, terms, this.listeners(subject, answer));
    const own = ownValue(answer, terms);
    this.head.replaceChildren(...headOf(subject, answer, this.session));
    this.body.replaceChildren(
      element("p", { class: "number-text" }, answer.text ?? ""),
      body.sum?.element ?? "",
      comparison(own, answer.value),
      ...body.parts.filter(Boolean),
    );
    Object.assign(this.element.dataset, { value: answer.value ?? "", own: own?.value ?? "" });
    this.showTools(subject, answer);
    this.mark(subject, answer, terms);
    if (body.maps) this.steps.overlay(answer.reads_step, body.maps);
    if (isNew) this.arrived(subject, answer, body);
  }

  /** What happens when a number of the explanation is chosen, and what places are called. */
  listeners(subject, answer) {
    const { steps, output, class_names: names } = this.session.network;
    const go = (next) => state.set(further(state.get(), next));
    const of = answer.of === "gradient" ? "gradient" : null;
    const read = (step) => step ?? answer.reads_step ?? subject.step;
    const isLoss = (step) => read(step) === steps.length;
    const isClass = (place, step) =>
      place.length === 1 && [subject.step, read(step)].includes(output);
    return {
      oninput: (place, step) =>
        go(
          isLoss(step)
            ? { step: steps.length, of: null }
            : { step: read(step), at: place.join(","), of },
        ),
      onweight:
        answer.parameter?.name &&
        ((place) => go({ parameter: answer.parameter.name, at: place.join(",") })),
      nameOf: (place, step) =>
        isLoss(step) ? "the loss" : (isClass(place, step) && names[place[0]]) || placeText(place),
      shapeOf: (step) => steps[step].shape,
    };
  }

  /** What can be done with the number: change it, check its gradient. */
  showTools(subject, answer) {
    const value = subject.parameter
      ? answer.weight
      : this.subject.step === INPUT && this.pixelAt(subject.at);
    const key = JSON.stringify([subject, this.session.pass.label == null]);
    if (key === this.toolsKey) {
      this.check?.clear();
      return this.editor?.show(value);
    }
    this.toolsKey = key;
    this.editor = isChangeable(subject)
      ? new ChangeNumber(subject, value, this.sliderRange(subject, value))
      : null;
    this.check = this.checkOf(subject, answer);
    this.editing.replaceChildren(this.editor?.element ?? "");
    this.checking.replaceChildren(this.check?.element ?? "");
  }

  /** The check of a gradient, where one is shown. */
  checkOf({ step, at, parameter }, { of, value }) {
    if (of !== "gradient" || value == null) return null;
    return new Check(() => this.session.check(parameter ? { parameter, at } : { step, at }));
  }

  sliderRange({ parameter, at }, value) {
    return parameter ? rangeAround(value) : fedRange(this.session.network, placeOf(at)[2]);
  }

  mark(subject, answer, terms) {
    const own = subject.parameter || subject.at === "" ? null : placeOf(subject.at);
    this.steps.mark(subject.step, own);
    if (answer.of === "gradient") this.steps.markPlaces(terms, answer.reads_step);
    else if (answer.window) this.steps.markWindow(answer);
  }

  arrived(subject, answer, body) {
    say(answer.text ?? "");
    if (this.before !== document.body) this.head.querySelector("h2").focus();
    else this.steps.bringIntoSight(subject.step ?? answer.step);
    body.sum?.start();
  }

  leave() {
    this.steps.clearMarks();
    this.toolsKey = null;
    if (this.before?.isConnected && this.element.contains(document.activeElement))
      this.before.focus();
    this.before = null;
  }

  end() {
    this.unlisten();
    this.subject = null;
  }
}
