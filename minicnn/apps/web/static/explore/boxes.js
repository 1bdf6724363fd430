// Where the places of terms are, as rectangles that can be framed in the maps.

const MARKED = 200; // places of a vector that are marked

/** The smallest rectangle with two places: {y, x, bottom, right}. */
function around(box, [y, x]) {
  if (!box) return { y, x, bottom: y, right: x };
  return {
    y: Math.min(box.y, y),
    x: Math.min(box.x, x),
    bottom: Math.max(box.bottom, y),
    right: Math.max(box.right, x),
  };
}

/** The rectangles around places, one for each map: [{step, channel, y, x, height, width}]. */
function boxesOfMaps(terms) {
  const found = new Map();
  for (const { step, place } of terms) {
    const key = `${step}:${place[2]}`;
    found.set(key, { step, channel: place[2], ...around(found.get(key), place) });
  }
  return [...found.values()].map(({ bottom, right, ...box }) => ({
    ...box,
    height: bottom - box.y + 1,
    width: right - box.x + 1,
  }));
}

/** Rectangles around the places of terms in maps; places of vectors are given one by one. */
export function boxesOf(terms) {
  const placed = terms.filter(({ place }) => place);
  const ofVectors = placed.filter(({ place }) => place.length < 3).slice(0, MARKED);
  return [...ofVectors, ...boxesOfMaps(placed.filter(({ place }) => place.length === 3))];
}
