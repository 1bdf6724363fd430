// Makes a drawing into an input of a network; digits are prepared as those of MNIST were.
//
// There each digit fills a box of 20 x 20 pixels, and its center of mass is the center of the
// 28 x 28 image (LeCun, Cortes, Burges: The MNIST database of handwritten digits).

const BOX = 20 / 28;
const INK = 20; // of 255: what is darker is ground
const LARGEST_DIGIT = 40; // pixels; larger networks see pictures, and no digits

export function isForDigits([height, width, channels]) {
  return channels === 1 && height === width && height <= LARGEST_DIGIT;
}

function scratch(width, height) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.fillRect(0, 0, width, height);
  return context;
}

function bytesOf(context) {
  return context.getImageData(0, 0, context.canvas.width, context.canvas.height).data;
}

/** The smallest rectangle with all ink of a canvas: {x, y, width, height}, or null. */
export function inkBox(canvas) {
  const { width, height } = canvas;
  const bytes = canvas.getContext("2d").getImageData(0, 0, width, height).data;
  const box = { left: width, right: -1, top: height, bottom: -1 };
  for (let at = 0; at < width * height; at++) {
    if (bytes[4 * at] <= INK) continue;
    const [x, y] = [at % width, Math.floor(at / width)];
    box.left = Math.min(box.left, x);
    box.right = Math.max(box.right, x);
    box.top = Math.min(box.top, y);
    box.bottom = y;
  }
  if (box.right < 0) return null;
  return {
    x: box.left,
    y: box.top,
    width: box.right - box.left + 1,
    height: box.bottom - box.top + 1,
  };
}

/** The center of mass of the red channel, in pixels: [x, y]. */
export function centerOfMass(bytes, width) {
  let [mass, sumX, sumY] = [0, 0, 0];
  for (let k = 0; k < bytes.length / 4; k++) {
    mass += bytes[4 * k];
    sumX += bytes[4 * k] * ((k % width) + 0.5);
    sumY += bytes[4 * k] * (Math.floor(k / width) + 0.5);
  }
  return mass ? [sumX / mass, sumY / mass] : [width / 2, bytes.length / 8 / width];
}

function drawBox(canvas, box, size, shift) {
  const context = scratch(size, size);
  const factor = (BOX * size) / Math.max(box.width, box.height);
  const [width, height] = [box.width * factor, box.height * factor];
  const left = (size - width) / 2 + shift[0];
  const top = (size - height) / 2 + shift[1];
  context.drawImage(canvas, box.x, box.y, box.width, box.height, left, top, width, height);
  return bytesOf(context);
}

/** The drawing in a box in the middle, as MNIST has it: RGBA bytes of size x size pixels. */
function centered(canvas, size) {
  const box = inkBox(canvas);
  if (!box) return new Uint8ClampedArray(4 * size * size);
  const [x, y] = centerOfMass(drawBox(canvas, box, size, [0, 0]), size);
  return drawBox(canvas, box, size, [size / 2 - x, size / 2 - y]);
}

function asItIs(canvas, width, height) {
  const context = scratch(width, height);
  context.drawImage(canvas, 0, 0, width, height);
  return bytesOf(context);
}

/**
 * The numbers of 0...255 that a network of this input shape gets for what is on a canvas.
 * `center`: prepare it as a digit of MNIST, if the network is for digits.
 */
export function inputFrom(canvas, shape, center) {
  const [height, width, channels] = shape;
  const digit = center && isForDigits(shape);
  const bytes = digit ? centered(canvas, width) : asItIs(canvas, width, height);
  return Float32Array.from(
    { length: height * width * channels },
    (_, k) => bytes[4 * Math.floor(k / channels) + (channels === 3 ? k % 3 : 0)],
  );
}
