// The terms of a sum, as the server sends them: what was read, the weight, the product.

const LARGEST = 12; // terms of a long sum that are shown; the others are added up

function rows(tensor) {
  if (!tensor) return [];
  const [count, size = 1] = tensor.shape;
  return Array.from({ length: count }, (_, k) => [
    ...tensor.data.subarray(k * size, (k + 1) * size),
  ]);
}

/** A list of {index, step, place (null: padding), input, weightPlace, weight, product}. */
export function termsOf(tensors) {
  const places = rows(tensors.input_place);
  const weightPlaces = rows(tensors.weight_place);
  const { input, weight, input_step: step } = tensors;
  const product = tensors.product ?? input;
  return Array.from(product?.data ?? [], (value, index) => ({
    index,
    step: step?.data[index] ?? null,
    place: inside(places[index]),
    input: input?.data[index],
    weightPlace: weightPlaces[index] ?? null,
    weight: weight?.data[index],
    product: value,
  }));
}

/** A place without the -1 that fill up short ones; null for one in the padding. */
function inside(place = []) {
  const indices = place.filter((one) => one >= 0);
  return indices.length ? indices : null;
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

/** The terms of a window by the channel that they read: [{channel, terms, sum}]. */
export function byChannel(terms) {
  const found = new Map();
  for (const term of terms) {
    const key = term.weightPlace?.[2] ?? term.place?.[2] ?? 0;
    if (!found.has(key)) found.set(key, []);
    found.get(key).push(term);
  }
  return [...found].map(([key, own]) => {
    const channel = own.find(({ place }) => place)?.place[2] ?? key;
    return { channel, terms: own, sum: sumOf(own) };
  });
}

/** The row and the column of a term in its window: those of its weight, or of what it reads. */
function cellOf({ weightPlace, place }, { y, x }) {
  return weightPlace ? weightPlace.slice(0, 2) : [place[0] - y, place[1] - x];
}

/** The terms of one channel by rows and columns of the window; null where there is none. */
export function grid(terms, window) {
  const placed = terms.filter(({ weightPlace, place }) => weightPlace || place);
  const cells = placed.map((term) => cellOf(term, window));
  const hasWeights = Boolean(terms[0]?.weightPlace);
  const height = hasWeights ? 1 + Math.max(...cells.map(([row]) => row)) : window.height;
  const width = hasWeights ? 1 + Math.max(...cells.map(([, column]) => column)) : window.width;
  const found = Array.from({ length: height }, () => Array(width).fill(null));
  placed.forEach((term, k) => {
    found[cells[k][0]][cells[k][1]] = term;
  });
  return found;
}
