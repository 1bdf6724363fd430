// The view "training": a network learns in front of the reader, and steps can be taken back.
import { state } from "./address.js";
import { button, element, say } from "./elements.js";
import { percent, short } from "./numbers.js";
import { getJson } from "./server.js";
import { TrainingControls } from "./training_controls.js";
import { TrainingCurves } from "./training_curves.js";
import { TrainingDoctor } from "./training_doctor.js";
import { TrainingKernels } from "./training_kernels.js";
import { TrainingLayers } from "./training_layers.js";
import { TrainingSession } from "./training_session.js";
import { TrainingSetup } from "./training_setup.js";

const GONE = "This training no longer exists. Start it again.";

class TrainingView {
  constructor(root) {
    this.root = root;
    this.parts = [];
    this.stopListening = state.listen(() => this.follow());
    this.open();
  }

  async open() {
    this.known = await getJson("blocks");
    if (!this.ended) this.follow();
  }

  /** Show the training that the address names, or what one would begin with. */
  follow() {
    const { training, view } = state.get();
    if (!this.known || view !== "training") return;
    if (training) this.watch(training);
    else this.prepare();
  }

  prepare(message = "") {
    if (this.session) this.close();
    if (this.setup && !message) return this.setup.show();
    this.setup = new TrainingSetup(this.known, (recipe) => this.start(recipe));
    const note = element("p", { class: "training-note", role: "status" }, message);
    this.root.replaceChildren(...(message ? [note] : []), this.setup.element);
  }

  async start(recipe) {
    this.setup.start.disabled = true;
    const { number } = await TrainingSession.start(recipe)
      .finally(() => { if (this.setup) this.setup.start.disabled = false; });
    if (this.ended) return;
    this.runsAtOnce = String(number);
    state.set({ training: number });
  }

  watch(number) {
    if (this.session?.number === number) return;
    this.close();
    this.setup = null;
    this.session = new TrainingSession(number);
    this.session.addEventListener("report", () => this.report());
    this.session.addEventListener("gone", () => this.gone());
    this.layOut();
    if (this.runsAtOnce === number) this.act("run");
    else this.session.follow();
  }

  layOut() {
    this.controls = new TrainingControls((action, value) => this.act(action, value), () => this.anew());
    this.curves = new TrainingCurves();
    this.kernels = new TrainingKernels();
    this.layers = new TrainingLayers();
    this.doctor = new TrainingDoctor();
    this.parts = [this.curves, this.kernels];
    const columns = element("div", { class: "training-columns" },
      this.curves.element, element("div", { class: "training-side" }, this.doctor.element, this.kernels.element, this.inside()));
    this.root.replaceChildren(element("div", { class: "training" }, this.controls.element, columns, this.layers.element));
  }

  inside() {
    const open = () => state.set({ view: "network", network: `training-${this.session.number}` });
    return button("Explore this network", open, { class: "btn btn-outline-secondary" });
  }

  anew() {
    this.session.act("stop").catch(() => {});
    state.set({ training: null });
  }

  async act(action, value) {
    await this.session?.act(action, value).catch(() => this.session?.follow());
  }

  report() {
    const { answer, tensors } = this.session;
    this.root.dataset.step = answer.step;
    this.root.dataset.rate = answer.learning_rate;
    this.root.dataset.state = answer.state;
    this.root.dataset.fingerprint = answer.fingerprint ?? "";
    this.controls.show(answer);
    this.curves.show(this.session);
    this.kernels.show(tensors.kernels);
    this.layers.show(answer, tensors);
    this.doctor.show(answer);
    this.say(answer);
  }

  /** Let a screen reader say what changed, but not each number. */
  say(answer) {
    const { state: now, step, test_accuracy: accuracy, test_loss: loss, note, findings } = answer;
    const worst = note || findings[0]?.text || "";
    const what = `${now} ${now === "running" ? "" : step} ${worst}`;
    if (what === this.said) return;
    this.said = what;
    if (now === "running") say(`Running. ${worst}`);
    else if (now !== "seeking") say(`Step ${step}, ${now}: loss ${short(loss ?? NaN, 3)}, ${percent(accuracy)} of the test images right. ${worst}`);
  }

  gone() {
    state.set({ training: null }, { replace: true });
    this.prepare(GONE);
  }

  close() {
    this.session?.end();
    for (const part of this.parts) part.end();
    this.parts = [];
    this.session = null;
  }

  end() {
    this.ended = true;
    this.stopListening();
    this.close();
    for (const name of ["step", "rate", "state", "fingerprint"]) delete this.root.dataset[name];
  }
}

export function show(root) {
  const view = new TrainingView(root);
  return () => view.end();
}
