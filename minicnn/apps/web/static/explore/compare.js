// The view of two networks on the same image.
import { element } from "./elements.js";

export function show(root) {
  root.append(element("p", {}, "Two networks."));
  return () => {};
}
