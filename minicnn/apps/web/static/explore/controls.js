// The answer of the network, the true class, and whether values or gradients are shown.
import { Bars, best } from "./bars.js";
import { button, choice, element, field } from "./elements.js";
import { percent } from "./numbers.js";

const GRADIENT_HINT = "The gradient of the loss by a number says how much the loss grows if this number grows. Orange numbers make the answer worse when they grow, blue ones better.";

export class AnswerPanel {
  /** `onpick(class index)` when a probability is chosen. */
  constructor({ title = "What the network says", id = "answer", onpick }) {
    this.sentence = element("p", { class: "answer" });
    this.bars = new Bars({ onpick });
    this.element = element("section", { class: "panel", "aria-labelledby": `${id}-title` },
      element("h2", { id: `${id}-title`, class: "h6" }, title),
      this.sentence, this.bars.element);
  }

  show(classes, options) {
    const [name, probability] = best(classes);
    this.sentence.replaceChildren(element("strong", {}, name), ` ${percent(probability)}`);
    this.bars.show(classes, options);
  }
}

export class BackwardPanel {
  /** `onlabel(index or null)` and `onshow("value" or "gradient")`. */
  constructor(classNames, { onlabel, onshow }) {
    const pairs = [["", "not chosen"], ...classNames.map((name, index) => [index, name])];
    this.label = choice(pairs, "", (label) => onlabel(label === "" ? null : label), { id: "true-class" });
    this.values = button("Values", () => onshow("value"));
    this.gradients = button("Gradients", () => onshow("gradient"));
    this.hint = element("p", { class: "hint" });
    this.element = element("section", { class: "panel", "aria-labelledby": "backward-title" },
      element("h2", { id: "backward-title", class: "h6" }, "Forward and backward"),
      field("True class", this.label),
      element("div", { class: "btn-row", role: "group", "aria-label": "What the maps show" }, this.values, this.gradients),
      this.hint);
  }

  show({ label = "", show = "value" }) {
    this.label.value = label;
    this.values.setAttribute("aria-pressed", show !== "gradient");
    this.gradients.setAttribute("aria-pressed", show === "gradient");
    this.gradients.disabled = label === "";
    this.hint.textContent = label === ""
      ? "Choose the true class to see the loss and its gradients." : GRADIENT_HINT;
  }
}
