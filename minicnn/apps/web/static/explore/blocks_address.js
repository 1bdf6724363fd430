// A network in an address: "conv2d_20_5-maxpooling2d_2-flatten". The values of a block are in the
// order of its fields, and those at the end that are the usual ones are left out.

const BETWEEN_BLOCKS = "-";
const BETWEEN_VALUES = "_";

function isUsual(field, value) {
  return String(value ?? field.default) === String(field.default);
}

function packedBlock(block, { fields }) {
  const values = fields.map((field) => block[field.name] ?? field.default);
  while (values.length && isUsual(fields[values.length - 1], values.at(-1))) values.pop();
  return [block.kind, ...values].join(BETWEEN_VALUES);
}

/** The value of a field that a text says; the usual one if it says nothing that is possible. */
export function valueOf(field, text) {
  if (field.kind === "choice") return field.choices.includes(text) ? text : field.default;
  const number = Number(text);
  if (text === "" || text == null || !Number.isFinite(number)) return field.default;
  const inside = Math.min(Math.max(number, field.minimum), field.maximum);
  return field.kind === "integer" ? Math.round(inside) : inside;
}

/** A block of a kind with its usual values. */
export function usualBlock({ kind, fields }) {
  return { kind, ...Object.fromEntries(fields.map((field) => [field.name, field.default])) };
}

function unpackedBlock(text, kinds) {
  const [name, ...values] = text.split(BETWEEN_VALUES);
  const kind = kinds.find((one) => one.kind === name);
  if (!kind) return null;
  const given = kind.fields.map((field, i) => [field.name, valueOf(field, values[i])]);
  return { kind: name, ...Object.fromEntries(given) };
}

export function packBlocks(blocks, kinds) {
  const kindOf = (block) => kinds.find((one) => one.kind === block.kind);
  return blocks.map((block) => packedBlock(block, kindOf(block))).join(BETWEEN_BLOCKS);
}

/** The blocks that a text says; what is no block is left out. */
export function unpackBlocks(text, kinds) {
  return text.split(BETWEEN_BLOCKS).map((one) => unpackedBlock(one, kinds)).filter(Boolean);
}

/** A block as a preset has it, with the usual values of all fields that it does not name. */
export function wholeBlock(block, kinds) {
  return { ...usualBlock(kinds.find((one) => one.kind === block.kind)), ...block };
}

/** The blocks that the state of the page says: its own, or those of the first preset. */
export function blocksOf({ blocks }, { kinds, presets }) {
  if (blocks) return unpackBlocks(blocks, kinds);
  return presets[0].blocks.map((one) => wholeBlock(one, kinds));
}
