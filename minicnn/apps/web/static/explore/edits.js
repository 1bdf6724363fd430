// Changes made by hand: "parameter:conv1/kernel:0,0,0,3=0.5" or "pixel:10,8,0=255".
import { button, element } from "./elements.js";
import { short } from "./numbers.js";

const FORM = /^(?:parameter:(.+)|pixel):([\d,]+)=(.+)$/;

/** {parameter (null: a pixel), at, value} of a text; null if it is none. */
export function parseEdit(text) {
  const found = FORM.exec(text);
  return found && { parameter: found[1] ?? null, at: found[2], value: Number(found[3]) };
}

function key({ parameter, at }) {
  return parameter ? `parameter:${parameter}:${at}` : `pixel:${at}`;
}

/** The list with one more change; a number that was changed before has the new value. */
export function withEdit(edits, change) {
  return [...withoutEdit(edits, change), `${key(change)}=${change.value}`];
}

export function withoutEdit(edits, change) {
  return edits.filter((one) => !one.startsWith(`${key(change)}=`));
}

export function editOf(edits, change) {
  const found = edits.find((one) => one.startsWith(`${key(change)}=`));
  return found ? parseEdit(found).value : null;
}

/** A change in words; a text that is none, as an address may have, is shown as it is. */
export function editText(text) {
  const edit = parseEdit(text);
  if (!edit) return text;
  const { parameter, at, value } = edit;
  const name = parameter ? `${parameter} [${at}]` : `Pixel [${at}]`;
  return `${name} is ${short(value)}`;
}

/** The panel with all changes, what they did, and a button to undo each. */
export class EditsPanel {
  /** `onchange(edits)` with the list that is left. */
  constructor({ onchange }) {
    this.onchange = onchange;
    this.list = element("ul", { class: "edits" });
    this.why = element("div", { class: "why-words", role: "status" });
    const all = button("Undo all", () => onchange([]));
    this.element = element(
      "section",
      { class: "panel edits-panel", "aria-labelledby": "edits-title", hidden: true },
      element("h2", { id: "edits-title", class: "h6" }, "Your changes"),
      this.list,
      all,
      this.why,
    );
  }

  show(edits) {
    this.element.hidden = edits.length === 0;
    if (edits.length === 0) this.why.replaceChildren();
    this.list.replaceChildren(...edits.map((text) => this.line(text, edits)));
  }

  line(text, edits) {
    const words = editText(text);
    const undo = () => this.onchange(edits.filter((one) => one !== text));
    return element(
      "li",
      {},
      element("span", {}, words),
      button("Undo", undo, { "aria-label": `Undo: ${words}` }),
    );
  }

  explain({ sentences }) {
    this.why.replaceChildren(...sentences.map((one) => element("p", {}, one)));
  }
}
