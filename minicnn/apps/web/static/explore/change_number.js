// Change a weight, a bias or a pixel: a field and a slider.
import { state } from "./address.js";
import { editOf, withEdit, withoutEdit } from "./edits.js";
import { button, element, field } from "./elements.js";
import { short } from "./numbers.js";

const STEPS = 255; // of the slider
const DIGITS = 6;

/** From where to where the slider of a weight goes. */
export function rangeAround(value) {
  const reach = Math.max(1, 3 * Math.abs(value));
  return [-reach, reach];
}

export class ChangeNumber {
  /** `subject`: {parameter (null: a pixel), at}; `value`: that it has now; the slider's ends. */
  constructor(subject, value, [min, max]) {
    this.subject = subject;
    const range = { min, max, step: (max - min) / STEPS };
    this.isNew = true; // the first change of a movement is an entry of the history
    this.slider = this.input("range", "form-range", {
      ...range,
      "aria-label": "New value, with a slider",
    });
    this.number = this.input("number", "form-control form-control-sm", { step: "any" });
    const undo = button("Undo", () => state.set({ edit: withoutEdit(state.get().edit, subject) }));
    this.undo = undo;
    this.element = element(
      "div",
      { class: "change" },
      element("div", { class: "change-tools" }, field("New value", this.number), this.slider, undo),
    );
    this.show(value);
  }

  input(type, className, attributes) {
    return element("input", {
      type,
      class: className,
      ...attributes,
      oninput: (event) => this.change(Number(event.target.value), event.target.value),
      onchange: () => {
        this.isNew = true;
      },
    });
  }

  change(value, text) {
    if (text === "" || !Number.isFinite(value)) return;
    const edit = withEdit(state.get().edit, {
      ...this.subject,
      value: Number(value.toPrecision(DIGITS)),
    });
    state.set({ edit }, { replace: !this.isNew });
    this.isNew = false;
  }

  /** Show the value that it has now, unless somebody is writing it. */
  show(value) {
    const changed = editOf(state.get().edit, this.subject);
    this.undo.hidden = changed === null;
    const text = Number((changed ?? value).toPrecision(DIGITS));
    for (const one of [this.slider, this.number])
      if (document.activeElement !== one) one.value = text;
    this.slider.setAttribute("aria-valuetext", short(text));
  }
}
