// The networks and the sources of images that there are.
import { getJson } from "./server.js";

let listed;

/** {networks, sources}; they are asked for once, or again after `forget`. */
function all() {
  listed ??= getJson("networks");
  return listed;
}

export function forget() {
  listed = undefined;
}

export async function networks() {
  return (await all()).networks;
}

/** Where images can be chosen from: "mnist", and "folder" if there is one. */
export async function imageSources() {
  return (await all()).sources;
}

/** The name of the network that is shown when none was chosen. */
export async function firstNetwork() {
  return (await networks())[0].name;
}

/** [name, title] of each network, for a choice. */
export async function networkPairs() {
  return (await networks()).map(({ name, title }) => [name, title || name]);
}
