// One network on one input: asks the server for passes, and tells the view about each.
import { newest } from "./newest.js";
import { Refusal, getBinary, getJson, postBinary, postJson } from "./server.js";

// So many channels of each step are sent at once; others when they are asked for.
const MANY_CHANNELS = 64;
const FEW_CHANNELS = 16;
const MOST = 4096; // channels, or numbers of a vector, that the server sends at once
const LARGE = 200_000; // numbers of a pass, from which on few channels are sent

function numbersOf(steps, channels) {
  const count = ([height, width = 1, depth = 1]) => height * width * Math.min(depth, channels);
  return steps.reduce((sum, step) => sum + count(step.shape), 0);
}

/** What the answer to a pass says, with its tensors by name. */
function passOf({ answer, tensors }) {
  return { ...answer, tensors };
}

export class Session extends EventTarget {
  /** `name`: of the network. */
  constructor(name) {
    super();
    this.name = name;
    this.pass = null;
    this.send = newest((request) => this.sendNow(request));
  }

  /** Learn the steps of the network. */
  async open() {
    this.network = await getJson("network", { parameters: { network: this.name } });
    const isLarge = numbersOf(this.network.steps, MANY_CHANNELS) > LARGE;
    this.channels = isLarge ? FEW_CHANNELS : MANY_CHANNELS;
    return this.network;
  }

  /**
   * Run an input: {image: "mnist:17"}, {values: Float32Array} or {file}; with a true class and
   * changes. Of requests that come while one is on its way only the newest is sent.
   */
  run(input, { label = null, edit = [] } = {}) {
    this.request = { input, label, edit };
    return this.send(this.request);
  }

  async sendNow(request) {
    const pass = await this.post(request);
    if (this.isEnded) return;
    this.pass = { ...pass, request };
    this.dispatchEvent(new Event("pass"));
  }

  async post({ input, label, edit }) {
    const parameters = {
      network: this.name,
      channels: this.channels,
      label,
      edit,
      image: input.image,
    };
    const body = input.file ?? input.values ?? "";
    return passOf(await postBinary("pass", body, { parameters, type: input.file?.type }));
  }

  /** Ask about the current pass; if the server has forgotten it, it is made again. */
  async ask(path, parameters = {}, options = {}) {
    return this.retried((pass) =>
      getBinary(path, {
        ...options,
        parameters: { pass, ...parameters },
        quiet: ["gone", ...(options.quiet ?? [])],
      }),
    );
  }

  /** The values or gradients of so many channels of a step; many numbers come in pieces. */
  async values({ step, of, count }) {
    const pieces = [];
    for (let start = 0; start < count; start += MOST) {
      const parameters = { step, of, start, count: Math.min(MOST, count - start) };
      pieces.push(await this.ask("values", parameters));
    }
    const { answer, tensors } = pieces[0];
    if (pieces.length === 1) return { answer, values: tensors.values };
    const data = Float32Array.from(pieces.flatMap((one) => [...one.tensors.values.data]));
    return { answer, values: { shape: [data.length], data } };
  }

  /** Check a gradient by finite differences. */
  async check(parameters) {
    return this.retried((pass) =>
      postJson("check", {}, { parameters: { pass, ...parameters }, quiet: ["gone"] }),
    );
  }

  async retried(question) {
    try {
      return await question(this.pass.id);
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== "gone") throw error;
      return question((await this.post(this.pass.request)).id);
    }
  }

  /** Why the scores moved between two passes. */
  change(before, after) {
    return getJson("change", { parameters: { before, after }, quiet: ["gone"] });
  }

  end() {
    this.isEnded = true;
  }
}
