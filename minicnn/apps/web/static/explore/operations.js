// What the operations of a network do, in one sentence each, for people who see them first here.

const SENTENCES = {
  input:
    "The image as the network gets it. Point at a cell to see its number, and click it to see more.",
  rescale: "The pixels become small numbers, with which a network learns better.",
  conv2d:
    "Each number is a sum: a small window of the maps above, each value times a weight. " +
    "The weights of a map are its kernel, which slides over the whole image.",
  max_pool2d:
    "Only the largest number of each small window is kept, so the maps become smaller.",
  average_pool2d: "Each small window becomes its mean, so the maps become smaller.",
  global_average_pool2d: "Each map becomes one number, its mean.",
  global_max_pool2d: "Each map becomes one number, its largest one.",
  relu: "Negative numbers become 0, and the others stay as they are.",
  reshape: "The same numbers in one row; nothing is computed.",
  dense: "Each number is a sum of all numbers above, each times a weight of its own.",
  softmax: "The scores become probabilities: none is negative, and together they are 1.",
  sigmoid: "Each number is mapped to a value between 0 and 1.",
  tanh: "Each number is mapped to a value between −1 and 1.",
  batch_norm_inference:
    "Each map is shifted and scaled to about mean 0 and variance 1. Learned weights then scale and shift it again.",
  add: "Two branches of the network are added, number by number.",
  concatenate: "The maps of several branches are put together.",
  zero_pad2d: "Zeros are put around each map.",
  loss: "How wrong the answer is: minus the logarithm of the true class's probability. Training makes it smaller.",
};

/** The sentence of an operation; empty for rare ones. */
export function sentenceOf(operation) {
  return SENTENCES[operation] ?? "";
}
