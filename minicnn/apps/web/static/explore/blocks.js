// The view "build": a network is put together from blocks, and trained.
import { state } from "./address.js";
import { button, choice, element, field, say } from "./elements.js";
import { getJson, postJson } from "./server.js";
import { blocksOf, packBlocks, usualBlock, wholeBlock } from "./blocks_address.js";
import { sizeOf } from "./blocks_card.js";
import { BlockList } from "./blocks_list.js";

const COUNT = new Intl.NumberFormat("en", { notation: "compact", compactDisplay: "long" });
const QUIET = ["wrong"]; // what the view says itself

class BuildView {
  constructor(root) {
    this.root = root;
    this.plans = 0; // asked for
    this.stopListening = state.listen(() => this.follow());
    this.open();
  }

  async open() {
    this.known = await getJson("blocks");
    if (this.ended) return;
    this.list = new BlockList(this.known.kinds, (blocks) => this.changed(blocks));
    this.input = element("div", { class: "block-size" });
    this.output = element("div", { class: "block-size" });
    this.outputProblem = element("p", { class: "block-problem", hidden: true });
    this.summary = element("p", { class: "build-summary", role: "status" });
    this.train = button("Train it", () => this.goToTraining(), { class: "btn btn-primary" });
    this.root.append(this.palette(), this.network(), this.side());
    this.follow();
  }

  end() {
    this.ended = true;
    this.stopListening();
  }

  palette() {
    const add = (kind) => button(`+ ${kind.title}`, () => this.list.add(usualBlock(kind), this.placeOfNew(kind)), {
      class: "btn btn-outline-secondary btn-sm", title: kind.help, "data-add": kind.kind,
    });
    return element("section", { class: "build-palette panel", "aria-labelledby": "add-heading" },
      element("h2", { id: "add-heading" }, "Add a block"),
      element("div", { class: "build-kinds" }, ...this.known.kinds.map(add)));
  }

  /** What reads images belongs before Flatten, all else at the end. */
  placeOfNew({ kind }) {
    const { blocks } = this.list;
    const flat = blocks.findIndex((one) => ["flatten", "globalaveragepooling2d"].includes(one.kind));
    const readsImages = /2d$/.test(kind) && kind !== "globalaveragepooling2d";
    return readsImages && flat >= 0 ? flat : blocks.length;
  }

  network() {
    const end = (title, help, size, ...more) => element("div", { class: "block block-end" },
      element("div", { class: "block-body panel" },
        element("h3", { class: "block-title" }, title), element("p", { class: "block-help" }, help), ...more), size);
    this.outputHelp = element("span");
    return element("section", { class: "build-network", "aria-labelledby": "network-heading" },
      element("h2", { id: "network-heading", class: "visually-hidden" }, "The network"),
      end("Image", "The pixels, divided by 255.", this.input), this.list.element,
      end("Output", this.outputHelp, this.output, this.outputProblem));
  }

  side() {
    const data = choice(this.known.data.map((one) => [one.name, one.title]), this.data().name,
      (name) => state.set({ data: name }, { replace: true }));
    data.id = "build-data";
    this.dataChoice = data;
    const presets = this.known.presets.map((one) => button(one.title, () => this.usePreset(one), {
      class: "btn btn-outline-secondary btn-sm", title: one.help }));
    return element("section", { class: "build-side panel", "aria-labelledby": "begin-heading" },
      element("h2", { id: "begin-heading" }, "Begin with"),
      element("div", { class: "build-kinds" }, ...presets),
      field("Images", data, "field build-data"), this.summary, this.train);
  }

  usePreset({ blocks, title }) {
    this.list.show(blocks.map((one) => wholeBlock(one, this.known.kinds)));
    this.changed(this.list.blocks);
    say(`${title} has ${blocks.length} blocks`);
  }

  data() {
    return this.known.data.find((one) => one.name === state.get().data) ?? this.known.data[0];
  }

  changed(blocks) {
    state.set({ blocks: packBlocks(blocks, this.known.kinds) }, { replace: true });
    this.plan();
  }

  /** Show what the address says, unless the page shows it already. */
  follow() {
    if (!this.list || (state.get().view ?? "") !== "build") return;
    this.dataChoice.value = this.data().name;
    const blocks = blocksOf(state.get(), this.known);
    const { kinds } = this.known;
    if (packBlocks(blocks, kinds) !== packBlocks(this.list.blocks, kinds)) this.list.show(blocks);
    this.plan();
  }

  async plan() {
    const number = ++this.plans;
    const asked = { data: this.data().name, blocks: this.list.blocks };
    const plan = await postJson("build", asked, { quiet: QUIET }).catch((error) => ({ failure: error.message }));
    if (number !== this.plans) return; // there is a newer one
    if (plan.failure) this.summary.textContent = plan.failure;
    else this.showPlan(plan);
  }

  showPlan(plan) {
    const { input_shape: shape, class_names: names } = this.data();
    this.input.replaceChildren(...sizeOf({ shape }));
    this.output.replaceChildren(...sizeOf(plan.layers.at(-1)));
    this.outputHelp.textContent = `Dense with ${names.length} units, one per class; softmax makes them probabilities.`;
    this.list.showPlan(plan);
    this.showProblem(plan.problems.find((one) => one.block >= this.list.blocks.length));
    this.train.disabled = plan.problems.length > 0;
    this.say(plan);
  }

  showProblem(problem) {
    this.outputProblem.hidden = !problem;
    this.outputProblem.textContent = problem?.message ?? "";
  }

  say({ total, operations, problems }) {
    const text = problems.length ? problems[0].message
      : `${total.toLocaleString("en")} weights; ${COUNT.format(operations)} operations for each image.`;
    if (this.summary.textContent !== text) this.summary.textContent = text;
    this.summary.classList.toggle("has-problem", problems.length > 0);
  }

  goToTraining() {
    const blocks = packBlocks(this.list.blocks, this.known.kinds);
    state.set({ view: "training", blocks, training: null });
  }
}

export function show(root) {
  const view = new BuildView(root);
  return () => view.end();
}
