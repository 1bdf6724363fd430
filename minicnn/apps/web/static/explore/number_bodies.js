// What the window of a number shows, by how the number was computed.
import { scaleFor } from "./colors.js";
import { element } from "./elements.js";
import * as formulas from "./formulas.js";
import { Heat } from "./heat.js";
import { range } from "./maps.js";
import { short } from "./numbers.js";
import { RunningSum } from "./running_sum.js";
import { TermTable } from "./term_table.js";
import { grid } from "./terms.js";
import { WeightMaps, areOfOneMap } from "./weight_maps.js";
import { WindowTerms } from "./window_terms.js";

const COLUMNS = { place: "place", input: "value", weight: "× weight", product: "= product" };
const INPUTS = { place: "place", input: "value" };
const SCORES = { place: "class", input: "score z", product: "e to the z − largest z" };
const GRADIENTS = {
  place: "went into",
  input: "gradient there",
  weight: "× factor",
  product: "= product",
};
const USES = {
  place: "used at",
  input: "value there",
  weight: "× gradient there",
  product: "= product",
};
const FORMULAS = { conv2d: "convolution" }; // by the server's names, where ours are others

/** Whether an answer is about a weight: then it has the name of its parameter. */
function isWeight({ parameter }) {
  return typeof parameter === "string";
}

/** The formula in letters for an answer. */
function letters({ kind, formula, parameter, of }) {
  if (of === "gradient") return formulas.inLetters(isWeight({ parameter }) ? "weight" : "gradient");
  const name = FORMULAS[formula?.name] ?? formula?.name ?? kind;
  return formulas.inLetters(name) ?? formulas.inLetters(kind);
}

function columnsOf({ kind, of, parameter }, terms) {
  if (kind === "copy") return INPUTS;
  if (of === "gradient") return isWeight({ parameter }) ? USES : GRADIENTS;
  return terms.some(({ weight }) => weight !== undefined) ? COLUMNS : INPUTS;
}

function bySize(terms) {
  return [...terms].sort((one, other) => Math.abs(other.product) - Math.abs(one.product));
}

function sumBody(answer, terms, listeners) {
  const hasKernel = answer.of !== "gradient" && answer.window && terms[0].weightPlace;
  const shown = hasKernel
    ? new WindowTerms(answer, terms, listeners)
    : new TermTable(terms, columnsOf(answer, terms), listeners);
  const sum = new RunningSum(terms, answer.bias, (index) => shown.mark(terms[index]?.index ?? -1));
  const numbers =
    terms[0].weight === undefined
      ? null
      : formulas.sumWithNumbers({
          bias: answer.bias,
          terms: bySize(terms),
          count: terms.length,
          value: answer.value,
        });
  const maps =
    isWeight(answer) && areOfOneMap(terms)
      ? new WeightMaps(terms, listeners.shapeOf(answer.reads_step), listeners)
      : null;
  return { parts: [maps?.element, shown.element, letters(answer), numbers], sum, maps };
}

/** The window of pooling as one heat map; `chosen`: the index of the largest number. */
function windowHeat(answer, terms, { oninput }) {
  const scale = scaleFor(...range(terms.map(({ input }) => input)));
  const cells = grid(terms, answer.window).map((row) =>
    row.map(
      (term) =>
        term && {
          value: term.input,
          label: `${short(term.input)}, row ${term.place[0]}, column ${term.place[1]}`,
          onpick: () => oninput(term.place),
        },
    ),
  );
  return new Heat(cells, scale, "what it reads");
}

function maximumBody(answer, terms, listeners) {
  const heat = windowHeat(answer, terms, listeners);
  const best = terms[answer.argmax] ?? terms.find(({ input }) => input === answer.value);
  if (best) heat.mark([best.place[0] - answer.window.y, best.place[1] - answer.window.x]);
  const numbers = formulas.maximumWithNumbers(
    terms.map(({ input }) => input),
    answer.value,
  );
  return { parts: [heat.element, letters(answer), numbers] };
}

function meanBody(answer, terms, listeners) {
  const shown = answer.window
    ? windowHeat(answer, terms, listeners)
    : new TermTable(terms, INPUTS, listeners);
  const sum = terms.reduce((total, { input }) => total + input, 0);
  const count = answer.formula?.terms ?? terms.length;
  return {
    parts: [shown.element, letters(answer), formulas.meanWithNumbers(sum, count, answer.value)],
  };
}

function chain(...parts) {
  return element(
    "div",
    { class: "chain" },
    ...parts.flatMap((one, k) => (k ? [element("span", { class: "heat-sign" }, "→"), one] : [one])),
  );
}

function chip(term, { oninput }) {
  return element(
    "button",
    { type: "button", class: "number-chip", onclick: () => oninput(term.place, term.step) },
    short(term.input),
  );
}

function functionBody(answer, terms, listeners) {
  const name = answer.formula?.name ?? "function";
  const inputs = terms.map((term) => chip(term, listeners));
  const box = element("span", { class: "function-name" }, name.replaceAll("_", " "));
  const parts = [
    chain(...inputs, box, element("strong", {}, short(answer.value))),
    letters(answer),
  ];
  if (name === "relu") parts.push(formulas.reluWithNumbers(terms[0].input, answer.value));
  return { parts };
}

function normalizationBody(answer, terms, listeners) {
  const { formula, value } = answer;
  if (formula.name !== "batch_norm") return genericBody(answer, terms, listeners);
  const steps = chain(chip(terms[0], listeners), element("strong", {}, short(value)));
  return { parts: [steps, letters(answer), formulas.normalizationWithNumbers(formula, value)] };
}

function softmaxBody(answer, terms, listeners) {
  const table = new TermTable(terms, SCORES, listeners);
  const { power, sum } = answer.formula;
  return {
    parts: [table.element, letters(answer), formulas.softmaxWithNumbers(power, sum, answer.value)],
  };
}

function crossEntropyBody(answer, terms, listeners) {
  const chosen = terms.find(({ product }) => product) ?? terms[0];
  const steps = chain(chip(chosen, listeners), element("strong", {}, short(answer.value)));
  return {
    parts: [
      steps,
      letters(answer),
      formulas.crossEntropyWithNumbers(answer.formula.p, answer.value),
    ],
  };
}

function genericBody(answer, terms, listeners) {
  if (!terms.length) return { parts: [] };
  return { parts: [new TermTable(terms, columnsOf(answer, terms), listeners).element] };
}

const BODIES = {
  sum_of_products: sumBody,
  sum: sumBody,
  maximum: maximumBody,
  mean: meanBody,
  function: functionBody,
  normalization: normalizationBody,
  softmax: softmaxBody,
  cross_entropy: crossEntropyBody,
};

/** The parts of the window for an answer with its terms: {parts, sum: RunningSum or undefined}. */
export function bodyOf(answer, terms, listeners) {
  if (answer.of === "gradient" && terms.length) return sumBody(answer, terms, listeners);
  const body = terms.length ? (BODIES[answer.kind] ?? genericBody) : genericBody;
  return body(answer, terms, listeners);
}
