// The gradient of the loss by one weight: the places that it is summed from.

/** What the server says of a weight, in the form of the answer for a number. */
export async function weightAnswer(session, parameter, at) {
  const { answer, tensors } = await session.ask("weight", { parameter, at });
  const { place, input, gradient, product } = tensors;
  const { shape, data } = place ?? { shape: [0, 1], data: [] };
  const places = Array.from({ length: shape[0] }, (_, k) => [...data.subarray(k * shape[1], (k + 1) * shape[1])]);
  const terms = place ? { input_place: place, input, weight: gradient, product } : {};
  return {
    answer: { kind: "sum_of_products", ...answer, of: "gradient", reads_step: answer.step, places },
    tensors: terms,
  };
}
