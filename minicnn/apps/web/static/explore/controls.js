// The answer of the network, the true class, and whether values or gradients are shown.
import { Bars, best } from "./bars.js";
import { button, choice, element, field } from "./elements.js";
import { percent } from "./numbers.js";

const NO_LABEL_HINT = "Choose the true class to see the loss and its gradients.";
const GRADIENT_HINT =
  "How the loss changes when a number grows: it rises where the map is orange and falls where it is blue. Training moves the weights against the gradient.";

export class AnswerPanel {
  /** `onpick(class index)` when a probability is chosen. */
  constructor({ title = "Prediction", id = "answer", onpick }) {
    this.sentence = element("p", { class: "says" });
    this.bars = new Bars({ onpick });
    this.element = element(
      "section",
      { class: "panel", "aria-labelledby": `${id}-title` },
      element("h2", { id: `${id}-title`, class: "h6" }, title),
      this.sentence,
      this.bars.element,
    );
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
    this.label = choice(pairs, "", (label) => onlabel(label === "" ? null : label), {
      id: "true-class",
    });
    this.values = button("Values", () => onshow("value"));
    this.gradients = button("Gradients", () => onshow("gradient"));
    this.hint = element("p", { class: "hint" });
    const maps = element(
      "div",
      { class: "btn-row", role: "group", "aria-label": "What the maps show" },
      element("span", { class: "quiet" }, "Show"),
      this.values,
      this.gradients,
    );
    this.element = element(
      "section",
      { class: "panel backward", "aria-label": "Forward and backward" },
      field("True class", this.label),
      maps,
      this.hint,
    );
  }

  show({ label = "", show = "value" }) {
    this.label.value = label;
    this.values.setAttribute("aria-pressed", show !== "gradient");
    this.gradients.setAttribute("aria-pressed", show === "gradient");
    this.gradients.disabled = label === "";
    const hint = show === "gradient" ? GRADIENT_HINT : "";
    this.hint.textContent = label === "" ? NO_LABEL_HINT : hint;
  }
}
