// The window of one number: what it was made of, how, and whether the sum is right.
import { state } from "./address.js";
import { ChangeNumber, rangeAround } from "./change_number.js";
import { Check } from "./check.js";
import { button, element, say } from "./elements.js";
import { newest } from "./newest.js";
import { bodyOf } from "./number_bodies.js";
import { long, placeOf, placeText, short } from "./numbers.js";
import { ownValue } from "./own_value.js";
import { termsOf } from "./terms.js";
import { backTo, further, parseTrail } from "./trail.js";
import { fedRange } from "./units.js";
import { weightAnswer } from "./weight.js";

const INPUT = -1;
const PIXEL = "This number is not computed: it is a pixel of the image";

/** What the address asks for: {step, at, of} or {parameter, at}; null: nothing. */
export function subjectIn({ step, at = "", of = "value", parameter }) {
  if (parameter) return { parameter, at, step: null, of: "gradient" };
  return step === undefined ? null : { step: Number(step), at, parameter: null, of };
}

/** Whether a number was not computed, so that it can be changed by hand: weights and pixels. */
export function isChangeable({ parameter, step }) {
  return Boolean(parameter) || step === INPUT;
}

export class NumberPanel {
  constructor(session, steps) {
    this.session = session;
    this.steps = steps;
    this.ask = newest((subject, isNew) => this.askNow(subject, isNew));
    this.head = element("div", { class: "number-head" });
    this.body = element("div", { class: "number-body" });
    this.editing = element("div");
    this.checking = element("div");
    const close = button("Close", () => this.close(), { "aria-label": "Close the window of this number" });
    this.element = element("aside", { class: "number-panel panel", "aria-label": "How this number was computed", hidden: true },
      close, this.head, this.editing, this.body, this.checking);
    this.element.addEventListener("keydown", (event) => { if (event.key === "Escape") this.close(); });
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
    if (subject !== this.subject) return;
    this.show(subject, answer, termsOf(tensors), isNew);
  }

  async answer(subject) {
    const { step, at, of, parameter } = subject;
    if (parameter) return weightAnswer(this.session, parameter, at);
    if (step === INPUT && of !== "gradient") return this.pixel(at);
    const found = await this.session.ask("number", { step, at, of });
    return { ...found, answer: { ...found.answer, of } };
  }

  pixel(at) {
    const [low, high] = fedRange(this.session.network, placeOf(at)[2]).map((one) => short(one));
    const text = `${PIXEL}, from ${low}, black, to ${high}, white.`;
    return { answer: { kind: "input", value: this.pixelAt(at), text }, tensors: {} };
  }

  pixelAt(at) {
    const { shape, data } = this.session.pass.tensors.input;
    const [y, x, c] = placeOf(at);
    return data[(y * shape[1] + x) * shape[2] + c];
  }

  show(subject, answer, terms, isNew) {
    const body = bodyOf(answer, terms, this.listeners(subject, answer));
    this.showHead(subject, answer);
    this.body.replaceChildren(element("p", { class: "number-text" }, answer.text ?? ""),
      body.sum?.element ?? "", this.comparison(answer, terms), ...body.parts.filter(Boolean));
    this.showTools(subject, answer);
    this.mark(subject, answer, terms);
    if (body.maps) this.steps.overlay(answer.reads_step, body.maps);
    if (isNew) this.arrived(subject, answer, body);
  }

  listeners(subject, answer) {
    const go = (next) => state.set(further(state.get(), next));
    const { network: { steps, output, class_names: names } } = this.session;
    const of = answer.of === "gradient" ? "gradient" : null;
    const read = (step) => step ?? answer.reads_step ?? subject.step;
    return {
      oninput: (place, step) => go(read(step) === steps.length ? { step: steps.length, of: null }
        : { step: read(step), at: place.join(","), of }),
      onweight: answer.parameter?.name
        ? (place) => go({ parameter: answer.parameter.name, at: place.join(",") }) : null,
      nameOf: (place, step) => {
        if (read(step) === steps.length) return "the loss";
        const isClass = place.length === 1 && [subject.step, read(step)].includes(output);
        return (isClass && names[place[0]]) || placeText(place);
      },
      shapeOf: (step) => steps[step].shape,
    };
  }

  showHead(subject, { value, weight }) {
    const heading = element("h2", { class: "number-title", tabindex: "-1" }, this.titleOf(subject));
    const shown = subject.parameter ? weight : value;
    this.head.replaceChildren(this.breadcrumb(), heading,
      element("p", { class: "number-value" }, shown == null ? "" : short(shown, 6)),
      subject.parameter && value != null
        ? element("p", { class: "number-gradient" }, "gradient of the loss by it: ", element("strong", {}, short(value, 6))) : "",
      this.switcher(subject));
    Object.assign(this.element.dataset, { value: value ?? "", subject: this.key });
  }

  /** The same number as value or as gradient. */
  switcher({ step, of, parameter }) {
    if (parameter || step === this.session.network.steps.length || this.session.pass.label == null) return "";
    const choose = (text, name) => button(text, () => state.set({ of: name === "value" ? null : name }), { "aria-pressed": String(of === name) });
    return element("div", { class: "btn-row switcher", role: "group", "aria-label": "What is explained" },
      choose("Its value", "value"), choose("Its gradient", "gradient"));
  }

  titleOf({ step, at = "", of, parameter }) {
    if (parameter) return `Weight ${parameter} [${at}]`;
    const { steps } = this.session.network;
    const place = at === "" ? "" : `, ${placeText(placeOf(at))}`;
    if (step < 0) return `${of === "gradient" ? "Gradient: " : ""}Input${place}`;
    if (step === steps.length) return "Loss";
    const { layer, title } = steps[step];
    const name = [title.split(",")[0], layer].filter(Boolean).join(" · ");
    return `${of === "gradient" ? "Gradient: " : ""}${name}${place}`;
  }

  breadcrumb() {
    const trail = parseTrail(state.get().trail);
    if (!trail.length) return "";
    const links = trail.map((one, k) => element("li", {},
      button(this.titleOf({ ...subjectIn(one), of: state.get().of }), () => state.set(backTo(state.get(), k)), { class: "link" })));
    return element("nav", { "aria-label": "The way to this number" }, element("ol", { class: "trail" }, ...links));
  }

  /** What the page computes beside the engine's value. */
  comparison(answer, terms) {
    const own = ownValue(answer, terms);
    Object.assign(this.element.dataset, { own: own?.value ?? "", equal: own?.equal ?? "" });
    if (!own) return "";
    return element("p", { class: own.equal ? "comparison is-equal" : "comparison" },
      element("span", {}, `computed on this page ${long(own.value)}`),
      element("span", {}, `engine's value ${long(answer.value)}`),
      element("strong", {}, own.equal ? "✓ equal, as far as float32 can tell" : "They differ."));
  }

  /** What can be done with the number: change it, check its gradient. */
  showTools(subject, answer) {
    const value = this.current(subject, answer);
    const isRoot = isChangeable(subject);
    const key = JSON.stringify([subject, isRoot, this.session.pass.label == null]);
    if (key === this.toolsKey) {
      this.check?.clear();
      return this.editor?.show(value);
    }
    this.toolsKey = key;
    this.editor = isRoot ? new ChangeNumber(subject, value, this.sliderRange(subject, value)) : null;
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

  current(subject, answer) {
    if (subject.parameter) return answer.weight;
    return subject.step === INPUT ? this.pixelAt(subject.at) : answer.value;
  }

  mark(subject, answer, terms) {
    const own = subject.parameter || subject.at === "" ? null : placeOf(subject.at);
    this.steps.mark(subject.step, own);
    if (answer.of === "gradient") this.steps.markPlaces(terms, answer.reads_step);
    else if (answer.window) this.steps.markWindow(answer);
  }

  arrived(subject, answer, body) {
    say(answer.text ?? "");
    if (this.before !== document.body) this.head.querySelector("h2").focus({ preventScroll: false });
    else this.steps.row(subject.step ?? answer.step)?.element.scrollIntoView({ block: "center" });
    body.sum?.start();
  }

  close() {
    state.set({ step: null, at: null, parameter: null, of: null, trail: null });
  }

  leave() {
    this.steps.clearMarks();
    this.toolsKey = null;
    if (this.before?.isConnected && this.element.contains(document.activeElement)) this.before.focus();
    this.before = null;
  }

  end() {
    this.subject = null;
  }
}
