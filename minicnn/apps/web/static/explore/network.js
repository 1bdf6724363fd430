// The view of one network on one input: it follows the address, and changes it.
import { state } from "./address.js";
import { best } from "./bars.js";
import { AnswerPanel, BackwardPanel } from "./controls.js";
import { EditsPanel } from "./edits.js";
import { element, say } from "./elements.js";
import { Inputs } from "./inputs.js";
import { firstNetwork } from "./networks.js";
import { newest } from "./newest.js";
import { subjectIn } from "./number_head.js";
import { NumberPanel, isChangeable } from "./number_panel.js";
import { percent } from "./numbers.js";
import { Session } from "./session.js";
import { Steps } from "./steps.js";

class NetworkView {
  constructor(root) {
    this.root = root;
    this.follow = newest(() => this.followNow());
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
    this.placeEdits(wanted);
    await this.inputs.follow(wanted);
    if (this.isEnded) return;
    await this.explainChanges(wanted);
    this.showPass();
    await this.numbers.follow(wanted);
  }

  async openNetwork(name) {
    this.close();
    const session = new Session(name);
    await session.open();
    if (this.isEnded) return;
    this.session = session;
    this.before = new Session(name); // without the changes made by hand
    session.addEventListener("pass", () => this.showPass());
    this.build(session.network);
  }

  build({ class_names: names, output, steps }) {
    this.inputs = new Inputs([this.session], { onkept: () => this.kept() });
    this.answer = new AnswerPanel({
      onpick: (k) => this.pick(output, [Math.min(k, steps[output].shape[0] - 1)]),
    });
    this.backward = new BackwardPanel(names, {
      onlabel: (label) => state.set({ label, show: label == null ? null : state.get().show }),
      onshow: (show) => state.set({ show: show === "value" ? null : show }),
    });
    this.edits = new EditsPanel({ onchange: (edit) => state.set({ edit }) });
    this.steps = new Steps(this.session, {
      onpick: (step, place) => this.pick(step, place),
      onweight: (parameter, place) =>
        state.set({ parameter, at: place.join(","), step: null, of: null, trail: null }),
    });
    this.numbers = new NumberPanel(this.session, this.steps);
    this.root.replaceChildren(this.layout());
  }

  /** The changes are below the slider that makes them, or else at the end of a column. */
  placeEdits(wanted) {
    const { element: node } = this.edits;
    const subject = subjectIn(wanted);
    const ends = subject ? this.numbers.checking : this.answer.element;
    const place = subject && isChangeable(subject) ? this.numbers.editing : ends;
    if (place.nextSibling !== node) place.after(node);
  }

  layout() {
    const side = element("div", { class: "side" }, this.inputs.panel.element, this.answer.element);
    const steps = element(
      "section",
      { class: "steps-column", "aria-labelledby": "steps-title" },
      element("h2", { id: "steps-title", class: "visually-hidden" }, "All steps of the network"),
      this.backward.element,
      this.steps.element,
    );
    return element("div", { class: "network-view" }, side, steps, this.numbers.element);
  }

  pick(step, place) {
    const { show } = state.get();
    const isLoss = step === this.session.network.steps.length;
    const of = show === "gradient" && !isLoss ? "gradient" : null;
    state.set({ step, at: place.join(","), parameter: null, of, trail: null });
  }

  /** A drawing is in the address. */
  kept() {
    if (!this.session.pass) return; // the server has refused it
    const [name, probability] = best(this.session.pass.classes);
    say(`Prediction: ${name}, ${percent(probability)}`);
  }

  /** Draw the pass that is there: its values or its gradients. */
  showPass() {
    const { pass } = this.session;
    if (!pass) return; // the server has refused it
    const { show, edit } = state.get();
    const before = edit.length ? this.before.pass?.classes : null;
    this.answer.show(pass.classes, { label: pass.label, before });
    if (show === "gradient" && pass.label != null) this.steps.showGradients(pass);
    else this.steps.showValues(pass, before);
    this.numbers.refresh();
  }

  /** Say why the probabilities have moved, if something was changed by hand. */
  async explainChanges({ edit, label }) {
    if (!edit.length) return;
    const { input } = this.session.request;
    if (this.before.request?.input !== input || this.before.request.label !== label) {
      await this.before.run(input, { label });
    }
    if (this.isEnded) return;
    this.edits.explain(await this.session.change(this.before.pass.id, this.session.pass.id));
  }

  close() {
    for (const part of [this.session, this.before, this.inputs, this.steps, this.numbers])
      part?.end();
  }

  end() {
    this.isEnded = true;
    this.unlisten();
    this.close();
  }
}

export function show(root) {
  const view = new NetworkView(root);
  return () => view.end();
}
