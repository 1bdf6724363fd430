// The input that the address names, and the address of an input.
import { isForDigits } from "./digits.js";
import { imageSources } from "./networks.js";
import { decode, encode } from "./pixels.js";
import { getBinary } from "./server.js";

const LONGEST = 12_000; // letters of a drawing that may stand in an address
const FIRST_DIGIT = "mnist:18"; // a 3 that may be an 8: its gradients are not small

/** What a network gets when nothing was chosen: a digit, or an image of the folder. */
async function usualInput(network, shape) {
  if (isForDigits(shape) || !(await imageSources()).includes("folder"))
    return { image: FIRST_DIGIT };
  const parameters = { network, source: "folder", start: 0, count: 1 };
  const { answer } = await getBinary("images", { parameters });
  return { image: answer.images[0].image };
}

/** The input that an address names for a network: {image} or {values}. */
export async function inputOf({ image, pixels }, { name, input_shape: shape }) {
  const values = pixels ? await decode(pixels, shape) : null;
  if (values) return { values };
  return image ? { image } : usualInput(name, shape);
}

/** What the address says of an input of numbers of 0...255; null if it is too long for one. */
export async function addressOf(values, shape) {
  const pixels = await encode(values, shape[2]);
  return pixels.length <= LONGEST ? { pixels, image: null } : null;
}

/** What in an address makes a pass; two addresses with the same key have the same numbers. */
export function passKey({ image, pixels, label, edit }) {
  return JSON.stringify([image, pixels, label, edit]);
}
