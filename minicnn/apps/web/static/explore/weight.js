// The gradient of the loss by one weight: the places that it is summed from.
import { placeOf, short } from "./numbers.js";
import { Refusal } from "./server.js";

const NO_LABEL = "Choose the true class above the maps to see the gradient of the loss with respect to it.";

function indexOf(place, shape) {
  return shape.reduce((index, length, axis) => index * length + place[axis], 0);
}

/** A weight without a gradient, as there is no true class. */
async function valueOnly(session, parameter, at) {
  const { tensors } = await session.ask("parameter", { parameter });
  const { shape, data } = tensors.values;
  const weight = data[indexOf(placeOf(at), shape)];
  return {
    answer: { weight, value: null, text: `It is ${short(weight)}. ${NO_LABEL}` },
    tensors: {},
  };
}

/** What the server says of a weight, in the form of the answer for a number. */
export async function weightAnswer(session, parameter, at) {
  try {
    const { answer, tensors } = await session.ask(
      "weight",
      { parameter, at },
      { quiet: ["no_label"] },
    );
    const { place, gradient, input, product, at_step: step } = tensors;
    const terms = { input_place: place, input, weight: gradient, product, input_step: step };
    return { answer: { ...answer, of: "gradient", reads_step: answer.step }, tensors: terms };
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== "no_label") throw error;
    return valueOnly(session, parameter, at);
  }
}
