// What a training begins with: the network, the images and the optimizer.
import { state } from "./address.js";
import { button, choice, element, field } from "./elements.js";
import { postJson } from "./server.js";
import { blocksOf, packBlocks, valueOf, wholeBlock } from "./blocks_address.js";
import { fieldControl, sizeOf } from "./blocks_card.js";

const NAMES = { optimizer: "optimizer", learning_rate: "rate", batch_size: "batch", seed: "seed" }; // in the address

/** A name that may go on in a new line before each of its words: "Batch|Normalization". */
function breakable(name) {
  return name.replace(/([a-z])([A-Z])/g, "$1\u200b$2");
}

export class TrainingSetup {
  /** `known`: what the server says of blocks; `onstart(recipe)` begins the training. */
  constructor(known, onstart) {
    Object.assign(this, { known, onstart });
    this.layers = element("ol", { class: "setup-layers", "aria-label": "Layers" });
    this.problem = element("p", { class: "block-problem", hidden: true, role: "status" });
    this.start = button("Start the training", () => onstart(this.recipe()), { class: "btn btn-primary" });
    this.fields = element("div", { class: "setup-fields" });
    this.words = element("p", { class: "quiet" });
    this.element = element("section", { class: "panel training-setup", "aria-labelledby": "setup-heading" },
      element("h2", { id: "setup-heading" }, "Network and data"),
      this.layers, this.words, this.fields, this.problem, element("div", { class: "btn-row" }, this.start, this.change()),
      this.explanation());
    this.show();
  }

  explanation() {
    const entries = this.known.settings.flatMap(({ title, help }) =>
      [element("dt", {}, title), element("dd", {}, help)]);
    return element("details", { class: "setup-help" },
      element("summary", {}, "What these mean"), element("dl", {}, ...entries));
  }

  change() {
    return button("Change the blocks", () => state.set({ view: "build" }));
  }

  get data() {
    return this.known.data.find((one) => one.name === state.get().data) ?? this.known.data[0];
  }

  value(setting) {
    return valueOf(setting, state.get()[NAMES[setting.name]]);
  }

  recipe() {
    const settings = this.known.settings.map((one) => [one.name, this.value(one)]);
    return { data: this.data.name, blocks: blocksOf(state.get(), this.known), ...Object.fromEntries(settings) };
  }

  show() {
    this.fields.replaceChildren(this.presets(), this.images(), ...this.known.settings.map((one) => this.setting(one)));
    this.plan();
  }

  presets() {
    const { kinds, presets } = this.known;
    const packed = (one) => packBlocks(one.blocks.map((block) => wholeBlock(block, kinds)), kinds);
    const current = packBlocks(blocksOf(state.get(), this.known), kinds);
    const pairs = presets.map((one) => [packed(one), one.title]);
    if (!pairs.some(([blocks]) => blocks === current)) pairs.unshift([current, "Your own network"]);
    return field("Network", choice(pairs, current, (blocks) => this.set({ blocks })), "field block-field");
  }

  images() {
    const pairs = this.known.data.map((one) => [one.name, one.title]);
    return field("Images", choice(pairs, this.data.name, (data) => this.set({ data })), "field block-field");
  }

  setting(one) {
    return fieldControl(one, this.value(one), (value) => this.set({ [NAMES[one.name]]: value }));
  }

  sentence(weights) {
    const images = this.value(this.known.settings.find((one) => one.name === "batch_size"));
    return `The network has ${weights.toLocaleString("en")} weights. Each step computes the gradient of the loss over ${images} images, and moves every weight a little against it.`;
  }

  set(changes) {
    state.set(changes, { replace: true });
    this.plan();
  }

  async plan() {
    const { data, blocks } = this.recipe();
    const plan = await postJson("build", { data, blocks }, { quiet: ["wrong"] })
      .catch((error) => ({ layers: [], problems: [{ message: error.message }] }));
    const image = { shape: this.data.input_shape, title: "Image", parameters: 0 };
    this.layers.replaceChildren(...[image, ...plan.layers].map((layer) => element("li", {},
      element("span", { class: "setup-title" }, breakable(layer.title)), ...sizeOf(layer))));
    this.words.textContent = this.sentence(plan.total ?? 0);
    const message = plan.problems[0]?.message;
    this.problem.hidden = !message;
    this.problem.textContent = message ?? "";
    this.start.disabled = Boolean(message);
  }
}
