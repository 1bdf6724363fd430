// A drawing as text for the address: its bytes, deflated, in the letters of base64url.

async function through(bytes, stream) {
  const body = new Blob([bytes]).stream().pipeThrough(stream);
  return new Uint8Array(await new Response(body).arrayBuffer());
}

function toText(bytes) {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function toBytes(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (one) => one.charCodeAt(0));
}

/** One byte of each place where all channels are equal; else all bytes. */
function withoutCopies(values, channels) {
  const bytes = Uint8Array.from(values, (one) => Math.round(Math.max(0, Math.min(255, one))));
  const equal = bytes.every((one, k) => one === bytes[k - (k % channels)]);
  return equal ? bytes.filter((_, k) => k % channels === 0) : bytes;
}

/** The text of an image, (height, width, channels) numbers of 0...255. */
export async function encode(values, channels) {
  const bytes = withoutCopies(values, channels);
  return toText(await through(bytes, new CompressionStream("deflate-raw")));
}

/** The numbers of an image of a shape, from its text; null if the text is not of this shape. */
export async function decode(text, [height, width, channels]) {
  let bytes;
  try {
    bytes = await through(toBytes(text), new DecompressionStream("deflate-raw"));
  } catch {
    return null;
  }
  if (bytes.length === height * width * channels) return Float32Array.from(bytes);
  if (bytes.length !== height * width) return null;
  return Float32Array.from(
    { length: height * width * channels },
    (_, k) => bytes[Math.floor(k / channels)],
  );
}
