// One block of a network: its fields, its buttons, the size after it, and what is wrong with it.
import { button, choice, element, field as labeled } from "./elements.js";
import { shapeText, volume, weightsText } from "./blocks_volume.js";
import { valueOf } from "./blocks_address.js";

function numberInput(field, value, onchange) {
  const step = field.kind === "integer" ? 1 : 0.01;
  const limits = { min: field.minimum, max: field.maximum, step };
  const input = element("input", { type: "number", class: "form-control form-control-sm", value, ...limits });
  input.addEventListener("change", () => {
    input.value = valueOf(field, input.value);
    onchange(Number(input.value));
  });
  return input;
}

/** A label with the control for a field of a block, or of a training. */
export function fieldControl(field, value, onchange) {
  const pairs = field.choices.map((one) => [one, one]);
  const control = field.kind === "choice"
    ? choice(pairs, value, onchange)
    : numberInput(field, value, onchange);
  control.title = field.help;
  control.dataset.field = field.name;
  return labeled(field.title, control, "field block-field");
}

export class BlockCard {
  /**
   * `place`: {index, count} among the blocks. `on`: {change(name, value), move(by), remove()}.
   */
  constructor(block, kind, place, on) {
    Object.assign(this, { kind, place, on });
    this.size = element("div", { class: "block-size" });
    this.problem = element("p", { class: "block-problem", hidden: true });
    this.element = element("li", { class: "block", "data-kind": kind.kind },
      element("div", { class: "block-body panel" }, this.head(), this.fields(block), this.problem),
      this.size);
    this.listenToDrag();
  }

  get name() {
    return `block ${this.place.index + 1}, ${this.kind.title}`;
  }

  head() {
    this.handle = this.makeHandle();
    const title = element("h3", { class: "block-title" }, this.kind.title);
    const help = element("p", { class: "block-help" }, this.kind.help);
    return element("div", { class: "block-head" }, this.handle, element("div", {}, title, help), this.buttons());
  }

  makeHandle() {
    const label = `Move ${this.name}: arrow keys up and down`;
    const handle = button("⠿", null, { class: "block-handle", "aria-label": label, title: "Drag, or press the arrow keys" });
    handle.addEventListener("keydown", (event) => {
      const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!by) return;
      event.preventDefault();
      this.on.move(by);
    });
    return handle;
  }

  buttons() {
    const small = (text, label, act, disabled = false) => button(text, act, {
      class: "btn btn-sm block-button", "aria-label": `${label} ${this.name}`, title: label, disabled,
    });
    const { index, count } = this.place;
    return element("div", { class: "block-buttons" },
      small("↑", "Move up", () => this.on.move(-1), index === 0),
      small("↓", "Move down", () => this.on.move(1), index === count - 1),
      small("✕", "Remove", () => this.on.remove()));
  }

  fields(block) {
    const controls = this.kind.fields.map((field) =>
      fieldControl(field, block[field.name], (value) => this.on.change(field.name, value)));
    return element("div", { class: "block-fields" }, ...controls);
  }

  /** A card is dragged only by its handle, so that text in its fields can be selected. */
  listenToDrag() {
    this.handle.addEventListener("pointerdown", () => { this.element.draggable = true; });
    this.element.addEventListener("dragend", () => { this.element.draggable = false; });
  }

  /** Show the size after the block, and the sentence that says why it does not fit. */
  showPlan(layer, message) {
    this.size.replaceChildren(...sizeOf(layer));
    this.problem.hidden = !message;
    this.problem.textContent = message ?? "";
    this.element.classList.toggle("has-problem", Boolean(message));
  }
}

/** The drawing of what a layer gives, and the same in words. */
export function sizeOf({ shape, parameters }) {
  const weights = parameters ? element("span", { class: "quiet" }, weightsText(parameters)) : null;
  const text = element("span", {}, shapeText(shape));
  return [volume(shape), element("p", { class: "block-shape" }, text, weights ?? "")];
}
