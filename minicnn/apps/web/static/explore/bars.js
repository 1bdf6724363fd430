// The probabilities of the classes as labelled bars; with changes made by hand, before and after.
import { element, style } from "./elements.js";
import { percent } from "./numbers.js";

const ALL = 12; // so many classes keep their order; of more, the most probable are shown
const SHOWN = 8;
const MOVED = 0.005; // from here on it is shown where a bar ended before

/** The classes that are shown, [name, probability, index]: all of few, the first of many. */
export function shownClasses(classes) {
  const indexed = classes.map(([name, probability], index) => [name, probability, index]);
  if (classes.length <= ALL) return indexed;
  return indexed.sort((one, other) => other[1] - one[1]).slice(0, SHOWN);
}

/** The class with the largest probability: [name, probability]. */
export function best(classes) {
  return classes.reduce((one, other) => (other[1] > one[1] ? other : one));
}

export class Bars {
  /** `onpick(index)` is called when a probability is chosen. */
  constructor({ onpick }) {
    this.onpick = onpick;
    this.element = element("div", { class: "bars" });
    this.rows = [];
  }

  /** Show probabilities; `before` are those without the changes. */
  show(classes, { before = null, label = null } = {}) {
    const shown = shownClasses(classes);
    while (this.rows.length < shown.length) this.addRow();
    const winner = best(classes)[1];
    this.rows.forEach((row, k) => {
      row.button.hidden = k >= shown.length;
      if (k < shown.length) this.fillRow(row, shown[k], winner, before, label);
    });
  }

  addRow() {
    const [name, after, value] = ["name", "after", "value"].map((one) =>
      element("span", { class: `bar-${one}` }),
    );
    const old = element("span", { class: "bar-before", hidden: true });
    const track = element("span", { class: "bar-track" }, after, old);
    const note = element("span", { class: "visually-hidden" }); // for screen readers
    const row = { name, after, value, old, note };
    const onclick = () => this.onpick(row.index);
    row.button = element(
      "button",
      { type: "button", class: "bar", onclick },
      name,
      track,
      value,
      note,
    );
    this.element.append(row.button);
    this.rows.push(row);
  }

  fillRow(row, [name, probability, index], winner, before, label) {
    row.index = index;
    row.name.textContent = name;
    row.value.textContent = percent(probability);
    row.button.classList.toggle("is-best", probability === winner);
    row.button.classList.toggle("is-true", label != null && Number(label) === index);
    style(row.after, { width: `${100 * probability}%` });
    row.old.hidden = !before || Math.abs(before[index][1] - probability) < MOVED;
    if (before) style(row.old, { left: `${100 * before[index][1]}%` });
    row.note.textContent = before ? `, before the changes ${percent(before[index][1])}` : "";
  }
}
