// The terms of a sum, as the server sends them: what was read, the weight, the product.

const LARGEST = 12; // terms of a long sum that are shown; the others are added up

function rows(tensor) {
  if (!tensor) return [];
  const [count, size = 1] = tensor.shape;
  return Array.from({ length: count }, (_, k) => [...tensor.data.subarray(k * size, (k + 1) * size)]);
}

/** A list of {index, place (null: padding), input, weightPlace, weight, product}. */
export function termsOf(tensors) {
  const places = rows(tensors.input_place ?? tensors.place);
  const weightPlaces = rows(tensors.weight_place);
  const { input, weight, gradient } = tensors;
  const product = tensors.product ?? input;
  if (!product) return [];
  return Array.from(product.data, (value, index) => ({
    index,
    place: places[index]?.includes(-1) ? null : places[index] ?? null,
    input: input?.data[index],
    weightPlace: weightPlaces[index] ?? null,
    weight: weight?.data[index] ?? gradient?.data[index],
    product: value,
  }));
}

/** The sum, in double precision as the page adds it. */
export function sumOf(terms, bias = 0) {
  return terms.reduce((sum, { product }) => sum + product, bias ?? 0);
}

/** The sums after each term, beginning with the bias. */
export function runningSums(terms, bias = 0) {
  let sum = bias ?? 0;
  return [sum, ...terms.map(({ product }) => (sum += product))];
}

/** The largest terms, and the others as {count, sum}. */
export function largest(terms, count = LARGEST) {
  const sorted = [...terms].sort((one, other) => Math.abs(other.product) - Math.abs(one.product));
  const others = sorted.slice(count);
  return { shown: sorted.slice(0, count), others: { count: others.length, sum: sumOf(others) } };
}

/**
 * Whether the page's sum is the engine's float32 value, as far as rounding lets one say: each
 * addition of the engine may be off by half a unit in the last place of the sum so far.
 */
export function isEqual(terms, sum, value) {
  const size = terms.reduce((total, { product }) => total + Math.abs(product), Math.abs(value));
  return Math.abs(sum - value) <= 1e-6 * size + 1e-30;
}

/** The channel of the map that a term reads. */
function channelOf({ place, weightPlace }) {
  return place?.[2] ?? weightPlace?.[2] ?? 0;
}

/** The terms of a window by the channel that they read: [{channel, terms, sum}]. */
export function byChannel(terms) {
  const found = new Map();
  for (const term of terms) {
    const channel = channelOf(term);
    if (!found.has(channel)) found.set(channel, []);
    found.get(channel).push(term);
  }
  return [...found].map(([channel, own]) => ({ channel, terms: own, sum: sumOf(own) }));
}

/** Whether terms fill a window of the map: each has its row and its column in it. */
export function hasWindow(answer, terms) {
  return Boolean(answer.window) && terms.length > 1;
}

/** The terms of one channel by rows and columns of the window; null where there is none. */
export function grid(terms, { y, x, height, width }) {
  const cells = Array.from({ length: height }, () => Array(width).fill(null));
  terms.forEach((term, k) => {
    const [row, column] = term.place ? [term.place[0] - y, term.place[1] - x]
      : [Math.floor(k / width), k % width];
    if (cells[row]?.[column] === null) cells[row][column] = term;
  });
  return cells;
}
