// What the window of a number shows, by how the number was computed.
import { scaleFor } from "./colors.js";
import { element } from "./elements.js";
import * as formulas from "./formulas.js";
import { Heat } from "./heat.js";
import { range } from "./maps.js";
import { short } from "./numbers.js";
import { RunningSum } from "./running_sum.js";
import { TermTable } from "./term_table.js";
import { grid, hasWindow } from "./terms.js";
import { WindowTerms } from "./window_terms.js";

const COLUMNS = { place: "place", input: "value", weight: "× weight", product: "= product" };
const GRADIENT_COLUMNS = { place: "went into", input: "gradient there", weight: "× factor", product: "= product" };
const FORMULAS = { depthwise_conv2d: "convolution", conv2d: "convolution", dense: "dense" };

/** The formula in letters for an answer. */
function letters({ kind, formula, of }) {
  if (of === "gradient") return formulas.inLetters("gradient");
  const name = FORMULAS[formula?.name] ?? formula?.name ?? kind;
  return formulas.inLetters(name) ?? formulas.inLetters(kind);
}

function sumBody(answer, terms, listeners) {
  const table = answer.of === "gradient" || !hasWindow(answer, terms) || !terms[0].weightPlace;
  const words = answer.of === "gradient" ? GRADIENT_COLUMNS : COLUMNS;
  const shown = table ? new TermTable(terms, words, listeners) : new WindowTerms(answer, terms, listeners);
  const sum = new RunningSum(terms, answer.bias, (index) => shown.mark(terms[index]?.index ?? -1));
  const biggest = [...terms].sort((one, other) => Math.abs(other.product) - Math.abs(one.product));
  const numbers = terms[0]?.weight === undefined ? null : formulas.sumWithNumbers({
    bias: answer.bias, terms: biggest, count: terms.length, value: answer.value,
  });
  return { parts: [sum.element, shown.element, letters(answer), numbers], sum };
}

/** The window of pooling as one heat map; `chosen`: the index of the largest number. */
function windowHeat(answer, terms, { oninput }) {
  const scale = scaleFor(...range(terms.map(({ input }) => input)));
  const cells = grid(terms, answer.window).map((row) => row.map((term) => term && {
    value: term.input, label: `${short(term.input)}, row ${term.place[0]}, column ${term.place[1]}`,
    onpick: () => oninput(term.place),
  }));
  return new Heat(cells, scale, "what it reads");
}

function maximumBody(answer, terms, listeners) {
  const heat = windowHeat(answer, terms, listeners);
  const best = terms[answer.argmax] ?? terms.find(({ input }) => input === answer.value);
  if (best) heat.mark([best.place[0] - answer.window.y, best.place[1] - answer.window.x]);
  const numbers = formulas.maximumWithNumbers(terms.map(({ input }) => input), answer.value);
  return { parts: [heat.element, letters(answer), numbers] };
}

function meanBody(answer, terms, listeners) {
  const shown = answer.window ? windowHeat(answer, terms, listeners) : new TermTable(terms, COLUMNS, listeners);
  const sum = terms.reduce((total, { input }) => total + input, 0);
  const count = answer.formula?.count ?? terms.length;
  return { parts: [shown.element, letters(answer), formulas.meanWithNumbers(sum, count, answer.value)] };
}

function chain(...parts) {
  return element("div", { class: "chain" }, ...parts.flatMap((one, k) => (k ? [element("span", { class: "heat-sign" }, "→"), one] : [one])));
}

function chip(term, { oninput }) {
  return element("button", { type: "button", class: "number-chip", onclick: () => oninput(term.place) }, short(term.input));
}

function functionBody(answer, terms, listeners) {
  const name = answer.formula?.name ?? "f";
  const parts = [chain(chip(terms[0], listeners), element("span", { class: "function-name" }, name),
    element("strong", {}, short(answer.value))), letters(answer)];
  if (name === "relu") parts.push(formulas.reluWithNumbers(terms[0].input, answer.value));
  return { parts };
}

function normalizationBody(answer, terms, listeners) {
  const { formula } = answer;
  const x = formula.x ?? terms[0].input;
  const numbers = formulas.normalizationWithNumbers({ ...formula, x }, answer.value);
  return { parts: [chain(chip(terms[0], listeners), element("strong", {}, short(answer.value))), letters(answer), numbers] };
}

function softmaxBody(answer, terms, listeners) {
  const words = { place: "class", input: "score" };
  const table = new TermTable(terms.map(({ weight, ...rest }) => rest), words, listeners);
  const { formula } = answer;
  const numbers = formula?.sum ? formulas.softmaxWithNumbers(formula.score, formula.sum, answer.value) : null;
  return { parts: [table.element, letters(answer), numbers] };
}

function crossEntropyBody(answer, terms, listeners) {
  const probability = answer.formula?.probability ?? terms[0]?.input;
  return { parts: [chain(chip(terms[0], listeners), element("strong", {}, short(answer.value))),
    letters(answer), formulas.crossEntropyWithNumbers(probability, answer.value)] };
}

function genericBody(answer, terms, listeners) {
  return { parts: terms.length ? [new TermTable(terms, COLUMNS, listeners).element] : [] };
}

const BODIES = {
  sum_of_products: sumBody, sum: sumBody, maximum: maximumBody, mean: meanBody,
  function: functionBody, normalization: normalizationBody, softmax: softmaxBody,
  cross_entropy: crossEntropyBody,
};

/** The parts of the window for an answer with its terms: {parts, sum: RunningSum or undefined}. */
export function bodyOf(answer, terms, listeners) {
  if (answer.of === "gradient" && terms.length) return sumBody(answer, terms, listeners);
  const body = terms.length ? BODIES[answer.kind] ?? genericBody : genericBody;
  return body(answer, terms, listeners);
}
