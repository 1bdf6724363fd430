// What the training doctor says, and why a training is not running.
import { element } from "./elements.js";

const FINE = "Nothing is wrong so far.";

export class TrainingDoctor {
  constructor() {
    this.list = element("ul", { class: "findings" });
    this.note = element("p", { class: "training-note", hidden: true });
    this.element = element("section", { class: "panel training-doctor", "aria-labelledby": "doctor-heading" },
      element("h2", { id: "doctor-heading" }, "The training doctor"), this.note, this.list);
  }

  show({ findings, note, state }) {
    this.note.hidden = !note;
    this.note.textContent = note;
    this.note.classList.toggle("has-problem", state === "failed");
    const texts = findings.map((one) => one.text);
    if (texts.join("\n") === this.shown) return;
    this.shown = texts.join("\n");
    const items = texts.length ? texts : [FINE];
    this.list.replaceChildren(...items.map((text) => element("li", { class: texts.length ? "is-bad" : "is-good" }, text)));
  }
}
