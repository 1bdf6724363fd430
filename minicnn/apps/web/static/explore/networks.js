// The networks that can be chosen.
import { getJson } from "./server.js";

let listed;

/** All networks; they are asked for once, or again after `forget`. */
export function networks() {
  listed ??= getJson("networks").then((answer) => answer.networks);
  return listed;
}

export function forget() {
  listed = undefined;
}

/** The name of the network that is shown when none was chosen. */
export async function firstNetwork() {
  return (await networks())[0].name;
}

/** [name, title] of each network, for a choice. */
export async function networkPairs() {
  return (await networks()).map(({ name, title }) => [name, title || name]);
}
