// Reads a safetensors file: the length of its header, the header as JSON, the numbers.

const TYPES = {
  F32: Float32Array,
  F64: Float64Array,
  I32: Int32Array,
  I64: BigInt64Array,
  U8: Uint8Array,
};
const LENGTH_BYTES = 8;

function numbers(buffer, begin, [from, to], dtype) {
  const Type = TYPES[dtype];
  if (!Type) throw new Error(`The numbers have the type ${dtype}, which is not known here.`);
  const start = begin + from;
  const count = (to - from) / Type.BYTES_PER_ELEMENT;
  const aligned = start % Type.BYTES_PER_ELEMENT === 0;
  return aligned ? new Type(buffer, start, count) : new Type(buffer.slice(start, begin + to));
}

/** Decode an ArrayBuffer: {answer: object, tensors: {name: {shape, data}}}. */
export function decode(buffer) {
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const begin = LENGTH_BYTES + length;
  const text = new TextDecoder().decode(new Uint8Array(buffer, LENGTH_BYTES, length));
  const { __metadata__: metadata = {}, ...entries } = JSON.parse(text);
  const tensors = {};
  for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries(entries)) {
    tensors[name] = { shape, data: numbers(buffer, begin, offsets, dtype) };
  }
  return { answer: JSON.parse(metadata.answer ?? "{}"), tensors };
}
