// The view of one network on one image.
import { element } from "./elements.js";

export function show(root) {
  root.append(element("p", {}, "The network."));
  return () => {};
}
