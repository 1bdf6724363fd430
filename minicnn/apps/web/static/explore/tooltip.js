// The small text beside the pointer that says a value and its place.
import { element, style } from "./elements.js";

const GAP = 14; // pixels to the pointer

let shown;

function node() {
  shown ??= element("div", { class: "tooltip-box", "aria-hidden": "true" });
  if (!shown.isConnected) document.body.append(shown);
  return shown;
}

/** Show a value, and where it is, near a point of the window. */
export function showTooltip(value, place, x, y) {
  const box = node();
  box.replaceChildren(element("strong", {}, value), element("span", {}, place));
  box.hidden = false;
  const left = Math.min(x + GAP, innerWidth - box.offsetWidth - 4);
  const top = y + GAP + box.offsetHeight > innerHeight ? y - GAP - box.offsetHeight : y + GAP;
  style(box, { left: `${Math.max(4, left)}px`, top: `${top}px` });
}

export function hideTooltip() {
  if (shown) shown.hidden = true;
}
