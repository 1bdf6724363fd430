// Formulas in MathML, first in letters and then with the numbers of what was chosen.
import { element, mathml } from "./elements.js";
import { short } from "./numbers.js";

const FIRST = 2; // terms of a sum that are written out

export const letter = (text) => mathml("mi", {}, text);
export const sign = (text) => mathml("mo", {}, text);
export const row = (...parts) => mathml("mrow", {}, ...parts.map(part));
export const fraction = (above, below) => mathml("mfrac", {}, part(above), part(below));
const power = (base, exponent) => mathml("msup", {}, part(base), part(exponent));
const root = (inside) => mathml("msqrt", {}, part(inside));

/** A letter with indices below: sub("x", "i", "j"). */
export function sub(name, ...indices) {
  const below = indices.flatMap((one, k) => (k ? [sign(","), index(one)] : [index(one)]));
  return mathml("msub", {}, letter(name), mathml("mrow", {}, ...below));
}

/** A number; negative ones are in brackets where they stand after a sign. */
export function number(value, { inside = false, digits = 4 } = {}) {
  const text = mathml("mn", {}, short(value, digits));
  return inside && value < 0 ? mathml("mrow", {}, sign("("), text, sign(")")) : text;
}

/** "i+u" as letters and signs. */
const index = (text) => mathml("mrow", {}, ...text.match(/[\p{L}\d]+|\S/gu).map(part));

const sumOver = (name) => mathml("munder", {}, sign("∑"), part(name));

function part(one) {
  if (one instanceof Node) return one;
  if (typeof one === "number") return number(one);
  return /^[\p{L}\d]+$/u.test(one) ? letter(one) : sign(one);
}

/** A formula as a line of its own; wide ones can be scrolled, also with the arrow keys. */
export function math(...parts) {
  return element(
    "div",
    { class: "formula", tabindex: "0", role: "group", "aria-label": "Formula" },
    mathml("math", { display: "block" }, row(...parts)),
  );
}

/** e to the power of a score minus the largest one. */
const shifted = (k) => power("e", row(sub("z", k), "−", sub("z", "max")));

const LETTERS = {
  convolution: () => [
    sub("y", "i", "j", "k"),
    "=",
    sub("b", "k"),
    "+",
    sumOver("c"),
    sumOver("u"),
    sumOver("v"),
    sub("w", "u", "v", "c", "k"),
    "·",
    sub("x", "i+u", "j+v", "c"),
  ],
  dense: () => [
    sub("y", "k"),
    "=",
    sub("b", "k"),
    "+",
    sumOver("i"),
    sub("w", "i", "k"),
    "·",
    sub("x", "i"),
  ],
  maximum: () => ["y", "=", letter("max"), "(", sub("x", "1"), ",", sub("x", "2"), ",", "…", ")"],
  mean: () => ["y", "=", fraction("1", "n"), sumOver("i"), sub("x", "i")],
  relu: () => ["y", "=", letter("max"), "(", "0", ",", "x", ")"],
  normalization: () => [
    "y",
    "=",
    "γ",
    "·",
    fraction(row("x", "−", "μ"), root(row(power("σ", "2"), "+", "ε"))),
    "+",
    "β",
  ],
  softmax: () => [sub("p", "k"), "=", fraction(shifted("k"), row(sumOver("i"), shifted("i")))],
  cross_entropy: () => ["L", "=", "−", letter("ln"), sub("p", "t")],
  weight: () => [
    fraction(row("∂", "L"), row("∂", "w")),
    "=",
    sumOver("i"),
    sub("x", "i"),
    "·",
    fraction(row("∂", "L"), row("∂", sub("y", "i"))),
  ],
  gradient: () => [
    fraction(row("∂", "L"), row("∂", "x")),
    "=",
    sumOver("i"),
    fraction(row("∂", "L"), row("∂", sub("y", "i"))),
    "·",
    fraction(row("∂", sub("y", "i")), row("∂", "x")),
  ],
};

/** The formula in letters; null if there is none for this name. */
export function inLetters(name) {
  return name in LETTERS ? math(...LETTERS[name]()) : null;
}

function product({ input, weight }) {
  return [number(input), sign("·"), number(weight, { inside: true })];
}

/** The sum with numbers: the bias, the terms given, dots for what is left out, and the result. */
export function sumWithNumbers({ bias, terms, count, value }) {
  const parts = terms
    .slice(0, FIRST)
    .flatMap((term, k) => [...(k ? [sign("+")] : []), ...product(term)]);
  if (count > FIRST) parts.push(sign("+"), sign("…"));
  if (bias) parts.unshift(number(bias), sign("+"));
  return math(...parts, "=", number(value));
}

export function maximumWithNumbers(values, value) {
  const list = values.slice(0, 9).flatMap((one, k) => [...(k ? [sign(",")] : []), number(one)]);
  if (values.length > 9) list.push(sign(","), sign("…"));
  return math(letter("max"), "(", ...list, ")", "=", number(value));
}

export function meanWithNumbers(sum, count, value) {
  return math(fraction(number(sum), number(count)), "=", number(value));
}

export function reluWithNumbers(input, value) {
  return math(letter("max"), "(", "0", ",", number(input), ")", "=", number(value));
}

export function normalizationWithNumbers({ x, mean, variance, epsilon, gamma, beta }, value) {
  const above = row(number(x), "−", number(mean, { inside: true }));
  const below = root(row(number(variance), "+", number(epsilon)));
  return math(
    number(gamma),
    "·",
    fraction(above, below),
    "+",
    number(beta, { inside: true }),
    "=",
    number(value),
  );
}

export function softmaxWithNumbers(above, sum, value) {
  return math(fraction(number(above), number(sum)), "=", number(value));
}

export function crossEntropyWithNumbers(probability, value) {
  return math("−", letter("ln"), number(probability), "=", number(value));
}
