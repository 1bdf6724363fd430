// The view of one network on one input: it follows the address, and changes it.
import { state } from "./address.js";
import { AnswerPanel, BackwardPanel } from "./controls.js";
import { EditsPanel } from "./edits.js";
import { element, say } from "./elements.js";
import { InputPanel } from "./input_panel.js";
import { afterPause, newest } from "./newest.js";
import { firstNetwork } from "./networks.js";
import { NumberPanel } from "./number_panel.js";
import { percent } from "./numbers.js";
import { best } from "./bars.js";
import { Session } from "./session.js";
import { addressOf, inputOf, passKey } from "./source.js";
import { Steps } from "./steps.js";

const PAUSE_MS = 250; // after a stroke, until the address has it
const NO_LINK = "This picture is too large for an address, so that a link does not show it.";

class NetworkView {
  constructor(root) {
    this.root = root;
    this.follow = newest(() => this.followNow());
    this.keep = afterPause(() => this.keepDrawing(), PAUSE_MS);
    this.unlisten = state.listen(() => this.follow());
    this.follow();
  }

  async followNow() {
    const wanted = state.get();
    const name = wanted.network ?? (await firstNetwork());
    if (this.session?.name !== name) await this.openNetwork(name);
    if (this.isEnded) return;
    this.backward.show(wanted);
    this.edits.show(wanted.edit);
    if (passKey(wanted) !== this.key) await this.runAddress(wanted);
    if (this.session.pass) this.showPass();
    await this.numbers.follow(state.get());
  }

  async openNetwork(name) {
    this.close();
    const session = new Session(name);
    await session.open();
    this.session = session;
    this.before = new Session(name); // without the changes made by hand
    this.key = null;
    session.addEventListener("pass", () => this.showPass());
    this.build(session.network);
  }

  build({ input_shape: shape, class_names: names, steps }) {
    const last = steps.at(-1).index;
    this.input = new InputPanel(shape, this.inputListeners());
    this.answer = new AnswerPanel({ onpick: (k) => this.pick(last, [k]) });
    this.backward = new BackwardPanel(names, {
      onlabel: (label) => state.set({ label, show: label == null ? null : state.get().show }),
      onshow: (show) => state.set({ show: show === "value" ? null : show }),
    });
    this.edits = new EditsPanel({ onchange: (edit) => state.set({ edit }) });
    this.steps = new Steps(this.session, { onpick: (step, place) => this.pick(step, place) });
    this.numbers = new NumberPanel(this.session, this.steps);
    const side = element("div", { class: "side" }, this.input.element, this.answer.element,
      this.backward.element, this.edits.element);
    this.root.replaceChildren(element("div", { class: "network-view" }, side,
      element("section", { class: "steps-column", "aria-labelledby": "steps-title" },
        element("h2", { id: "steps-title", class: "visually-hidden" }, "All steps of the network"),
        this.steps.element),
      this.numbers.element));
  }

  inputListeners() {
    return {
      onstroke: (values) => this.drawn(values),
      onend: () => this.keep(),
      onclear: (values) => {
        state.set({ label: null, show: null }, { replace: true });
        this.drawn(values);
        this.keep();
      },
      onimage: ({ image, label }) => state.set({ image, pixels: null, label, edit: withoutPixels() }),
      onfile: (file) => this.opened(file),
    };
  }

  pick(step, place) {
    const { show } = state.get();
    state.set({ step, at: place.join(","), parameter: null, of: show === "gradient" ? "gradient" : null });
  }

  /** Compute what is being drawn; the address has it after the stroke. */
  drawn(values) {
    this.drawing = values;
    const { label, edit } = state.get();
    return this.session.run({ values }, { label, edit });
  }

  async keepDrawing() {
    if (!this.drawing || this.isEnded) return;
    await this.remember(this.drawing);
    this.drawing = null;
    const [name, probability] = best(this.session.pass.classes);
    say(`The network says ${name}, ${percent(probability)}`);
  }

  /** Put the numbers that are shown into the address. */
  async remember(values) {
    const found = await addressOf(values, this.session.network.input_shape);
    if (!found) this.input.warn(NO_LINK);
    const wanted = { ...state.get(), ...(found ?? { pixels: null, image: null }) };
    this.key = passKey(wanted);
    state.set(wanted, { replace: true });
    this.explainChanges();
  }

  async opened(file) {
    state.set({ image: null, pixels: null, label: null, show: null, edit: withoutPixels() });
    this.key = passKey(state.get());
    await this.session.run({ file }, { edit: state.get().edit });
    const { input } = this.session.pass.tensors;
    this.input.drawing.showPicture(input);
    await this.remember(input.data);
  }

  async runAddress(wanted) {
    const { input_shape: shape } = this.session.network;
    const isOtherInput = inputKey(wanted) !== this.inputKey;
    const input = isOtherInput ? await inputOf(wanted, shape) : this.session.request.input;
    this.key = passKey(wanted);
    this.inputKey = inputKey(wanted);
    await this.session.run(input, { label: wanted.label, edit: wanted.edit });
    if (isOtherInput) this.input.drawing.showPicture(this.session.pass.tensors.input);
    await this.explainChanges();
  }

  /** Draw the pass that is there: its values or its gradients. */
  showPass() {
    const { pass } = this.session;
    const { show, edit } = state.get();
    const options = { label: pass.label, before: edit.length ? this.before.pass?.classes : null };
    this.answer.show(pass.classes, options);
    if (show === "gradient" && pass.label != null) this.steps.showGradients(pass);
    else this.steps.showValues(pass, options.before);
    this.numbers.refresh();
    performance.mark("painted");
  }

  /** Say why the probabilities have moved, if something was changed by hand. */
  async explainChanges() {
    const { edit, label } = state.get();
    if (!edit.length) return;
    await this.before.run(this.session.request.input, { label });
    this.showPass();
    this.edits.explain(await this.session.change(this.before.pass.id, this.session.pass.id));
  }

  close() {
    for (const part of [this.session, this.before, this.input, this.steps, this.numbers]) part?.end();
  }

  end() {
    this.isEnded = true;
    this.unlisten();
    this.close();
  }
}

function inputKey({ image, pixels }) {
  return `${image}|${pixels}`;
}

/** Changes of weights stay with another image; those of its pixels do not. */
function withoutPixels() {
  return state.get().edit.filter((one) => !one.startsWith("pixel:"));
}

export function show(root) {
  const view = new NetworkView(root);
  return () => view.end();
}
