// The page computes each number once more from what it was made of, in double precision, and says
// whether that is the engine's float32 value, as far as rounding lets one say.
import { sumOf } from "./terms.js";

const RELATIVE = 1e-6; // of the sizes of all terms: some roundings of float32, 6e-8 each
const EXPONENTIAL = 2e-5; // e to the power of a rounded score is less exact

function sizeOf(terms) {
  return terms.reduce((total, { product }) => total + Math.abs(product), 0);
}

function sum({ bias }, terms) {
  return { value: sumOf(terms, bias), size: sizeOf(terms) + Math.abs(bias ?? 0) };
}

function mean({ formula }, terms) {
  const total = terms.reduce((part, { input }) => part + input, 0);
  return { value: total / (formula?.terms ?? terms.length), size: sizeOf(terms) };
}

function maximum(_answer, terms) {
  return {
    value: Math.max(...terms.filter(({ place }) => place).map(({ input }) => input)),
    size: 0,
  };
}

function softmax({ formula }, terms) {
  const value = terms[formula.index].product / sumOf(terms);
  return { value, size: (value * EXPONENTIAL) / RELATIVE };
}

/** In float32 a probability near 1 is at most so exact; its logarithm is, too. */
function crossEntropy({ formula }) {
  const value = -Math.log(formula.p);
  return { value, size: 1 + value };
}

function normalization({ formula, sum: total }) {
  const { name, x, mean: middle, variance, epsilon, gamma, beta } = formula;
  if (name !== "batch_norm") return { value: total, size: 100 * Math.abs(total) + 1 };
  const factor = gamma / Math.sqrt(variance + epsilon);
  const size = Math.abs(factor) * (Math.abs(x) + Math.abs(middle)) + Math.abs(beta);
  return { value: factor * (x - middle) + beta, size };
}

function functionValue({ formula, sum: total }, terms) {
  const x = terms[0]?.input;
  if (formula?.name === "relu") return { value: Math.max(0, x), size: 0 };
  if (formula?.name === "rescale") {
    const value = x * formula.scale + (formula.offset ?? 0);
    return { value, size: Math.abs(x * formula.scale) + Math.abs(formula.offset ?? 0) };
  }
  return { value: total, size: 20 * Math.abs(total) + 1e-3 };
}

const KINDS = {
  sum_of_products: sum,
  sum,
  copy: sum,
  mean,
  maximum,
  softmax,
  normalization,
  cross_entropy: crossEntropy,
  function: functionValue,
};

/** {value, equal} of the page for an answer of the server; null if there is nothing to compute. */
export function ownValue(answer, terms) {
  const compute = KINDS[answer.kind];
  if (!compute || answer.value == null) return null;
  const { value, size } = compute(answer, terms);
  return { value, equal: Math.abs(value - answer.value) <= RELATIVE * size + 1e-30 };
}
