// Numbers as text.

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const [LARGE, SMALL] = [1e6, 1e-4]; // beyond these a power of ten is written

/** A number with about four digits that count: 0.5322, −12.35, 1.2·10⁻⁷. */
export function short(value, digits = 4) {
  return written(value, digits, Math.min(digits - 1, 2));
}

/** A number in four letters, for a small cell: −.31, 1.7, −12, ≈0. */
export function tiny(value) {
  const size = Math.abs(value);
  if (value === 0 || !Number.isFinite(value)) return String(Math.abs(value));
  if (size < 0.005) return "≈0";
  const text = size < 0.995 ? size.toFixed(2).slice(1) : size.toPrecision(2);
  return `${value < 0 ? "−" : ""}${size < 100 ? text.replace(/\.0$/, "") : short(size, 2)}`;
}

/** All digits of a float32. */
export function long(value) {
  return written(value, 8, 7);
}

function written(value, digits, digitsBeforePower) {
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return "0";
  const size = Math.abs(value);
  const withPower = size >= LARGE || size < SMALL;
  const text = withPower ? value.toExponential(digitsBeforePower) : value.toPrecision(digits);
  const [number, exponent] = text.split("e");
  const plain = number
    .replace("-", "−")
    .replace(/(\.\d*?)0+$/, "$1")
    .replace(/\.$/, "");
  return exponent === undefined ? plain : `${plain}·10${power(exponent)}`;
}

function power(exponent) {
  const digits = exponent.replace(/\d/g, (digit) => SUPERSCRIPTS[digit]);
  return digits.replace("-", "⁻").replace("+", "");
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
