// Steps that the program computes in one go, shown as what they are made of.
import { element } from "./elements.js";

const FUSED = "In one go";

/** Whether steps that are computed in one go stand below each other. */
function isTogether({ steps }) {
  return steps.every((step, k) => step === steps[0] + k);
}

function words(title, text) {
  return element("p", { class: "fused-words" }, element("strong", {}, title), ` ${text}`);
}

function bracket({ steps, text }, rowOf) {
  const rows = steps.map((step) => rowOf(step).element);
  return element("div", { class: "fused" }, words(FUSED, text), ...rows);
}

/** Say it in the last of the rows, if others stand between them. */
function note({ steps, text }, rowOf) {
  const others = steps.slice(0, -1).join(", ");
  rowOf(steps.at(-1)).element.append(words(`${FUSED} with step ${others}.`, text));
}

/** The elements of rows in their order, those that belong together in brackets. */
export function bracketed(rows, fused, rowOf) {
  const firsts = new Map(fused.filter(isTogether).map((one) => [one.steps[0], one]));
  const members = new Set([...firsts.values()].flatMap((one) => one.steps));
  for (const one of fused.filter((group) => !isTogether(group))) note(one, rowOf);
  return rows.flatMap((row) => {
    const { index } = row.step;
    if (firsts.has(index)) return [bracket(firsts.get(index), rowOf)];
    return members.has(index) ? [] : [row.element];
  });
}
