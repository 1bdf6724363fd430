// Feeds the sessions of a view: with what the address names, with what is drawn, with a file.
import { state } from "./address.js";
import { InputPanel } from "./input_panel.js";
import { afterPause } from "./newest.js";
import { toast } from "./server.js";
import { addressOf, inputOf, passKey } from "./source.js";
import { asPixels } from "./units.js";

const PAUSE_MS = 250; // after a stroke, until the address has it
const NO_LINK = "This image is too large for the address, so a link will not show it.";

/** Changes of weights stay with another image; those of its pixels do not. */
function withoutPixels() {
  return state.get().edit.filter((one) => !one.startsWith("pixel:"));
}

function inputKey({ image, pixels }) {
  return `${image}|${pixels}`;
}

export class Inputs {
  /** `sessions`: all of one input shape; `onkept()` when the address has what is shown. */
  constructor(sessions, { onkept = () => {} } = {}) {
    this.sessions = sessions;
    this.onkept = onkept;
    this.shape = sessions[0].network.input_shape;
    this.options = { edit: [] }; // the true class and the changes
    this.keep = afterPause(() => this.keepDrawing(), PAUSE_MS);
    this.panel = new InputPanel(this.shape, sessions[0].name, {
      onstroke: (values) => {
        this.isStroke = true;
        this.drawn(values);
      },
      onend: () => {
        this.isStroke = false;
        this.keep();
      },
      onclear: (values) => this.cleared(values),
      onimage: ({ image, label }) =>
        state.set({ image, pixels: null, label, edit: withoutPixels() }),
      onfile: (file) => this.opened(file),
    });
  }

  run(input, { label, edit }) {
    return Promise.all(this.sessions.map((session) => session.run(input, { label, edit })));
  }

  /** Run what the address names, unless it was run already. */
  async follow(wanted) {
    if (passKey(wanted) === this.key) return;
    const isOther = inputKey(wanted) !== this.inputKey;
    const input = isOther
      ? await inputOf(wanted, this.sessions[0].network)
      : this.sessions[0].request.input;
    this.key = passKey(wanted);
    this.inputKey = inputKey(wanted);
    this.options = { label: wanted.label, edit: wanted.edit };
    await this.run(input, this.options);
    if (this.isEnded) return; // another view was chosen meanwhile
    if (isOther || this.panel.drawing.isPicture) this.showPicture();
  }

  /** Compute what is being drawn; the address has it after the stroke. */
  drawn(values) {
    this.drawing = values;
    this.running = this.run({ values }, this.options);
  }

  cleared(values) {
    this.options = { edit: this.options.edit };
    this.key = passKey({ ...state.get(), ...this.options, label: undefined });
    state.set({ label: null, show: null }, { replace: true });
    this.drawn(values);
    this.keep();
  }

  async keepDrawing() {
    if (!this.drawing || this.isStroke || this.isEnded) return;
    const values = this.drawing;
    this.drawing = null;
    await this.remember(values);
  }

  /** Put the numbers that are shown into the address. */
  async remember(values) {
    const found = await addressOf(values, this.shape);
    if (!found) toast(NO_LINK);
    const changes = found ?? { pixels: null, image: null };
    const pixels = changes.pixels ?? undefined;
    this.sawAddress({ ...state.get(), ...this.options, pixels, image: undefined });
    state.set(changes, { replace: true });
    await this.running;
    this.onkept();
  }

  /** What an address names is on the page already. */
  sawAddress(wanted) {
    this.key = passKey(wanted);
    this.inputKey = inputKey(wanted);
  }

  async opened(file) {
    const edit = withoutPixels();
    this.options = { edit };
    this.sawAddress(this.options);
    state.set({ image: null, pixels: null, label: null, show: null, edit });
    await this.run({ file }, this.options);
    if (this.isEnded) return;
    const { data } = this.showPicture();
    await this.remember(data);
  }

  /** Show on the pad what the network was fed; return its pixels. */
  showPicture() {
    const { network, pass } = this.sessions[0];
    const pixels = asPixels(pass.tensors.input, network);
    this.panel.drawing.showPicture(pixels);
    return pixels;
  }

  end() {
    this.isEnded = true;
    this.panel.end();
  }
}
