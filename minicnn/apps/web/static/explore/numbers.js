// Numbers as text.

/** A number with about four digits that count: 0.5322, −12.35, 1.2·10⁻⁷. */
export function short(value, digits = 4) {
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return sign(value.toExponential(Math.min(digits - 1, 2)));
  const text = value.toPrecision(digits);
  return sign(text.includes(".") ? text.replace(/\.?0+$/, "") : text);
}

/** All digits of a float32. */
export function long(value) {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  const text = size >= 1e6 || (size < 1e-4 && size) ? value.toExponential(7) : value.toPrecision(8);
  return sign(text.includes("e") ? text : text.replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, ""));
}

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** The minus sign of typography, and powers of ten: 1.2e-7 is 1.2·10⁻⁷. */
function sign(text) {
  const [digits, exponent] = text.replace("-", "−").split("e");
  if (exponent === undefined) return digits;
  const power = exponent.replace(/\d/g, (digit) => SUPERSCRIPTS[digit]).replace("-", "⁻").replace("+", "");
  return `${digits}·10${power}`;
}

export function percent(probability) {
  const value = 100 * probability;
  if (value > 0 && value < 0.1) return "< 0.1 %";
  return `${value.toFixed(value >= 99.95 || value < 10 ? 1 : 0)} %`;
}

/** "10,8,3" as indices, and back. */
export function placeOf(text) {
  return text.split(",").map(Number);
}

/** A place in words; what is counted from 0 in the address is so here, too. */
export function placeText(place) {
  if (place.length === 1) return `number ${place[0]}`;
  const [y, x, c] = place;
  return `row ${y}, column ${x}, channel ${c}`;
}
