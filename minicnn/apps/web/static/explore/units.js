// The units of a network's input: pixels are 0, black, to 255, white; what the network is fed for
// them may be other numbers, as when images are divided by 255 before.

const WHITE = 255;

/** Numbers that a network is fed as pixels. */
export function asPixels({ shape, data }, { black, white }) {
  const channels = shape[2];
  const pixel = (value, c) => (WHITE * (value - black[c])) / (white[c] - black[c]);
  return { shape, data: Float32Array.from(data, (value, k) => pixel(value, k % channels)) };
}

/** The smallest and the largest number that a channel is fed. */
export function fedRange({ black, white }, channel) {
  return [Math.min(black[channel], white[channel]), Math.max(black[channel], white[channel])];
}

/** The smallest and the largest number of all channels. */
export function inputRange(network) {
  const ends = [...network.black, ...network.white];
  return { minimum: Math.min(...ends), maximum: Math.max(...ends) };
}
