// What stands above and beside a number in its window: its name, the way to it, the comparison.
import { state } from "./address.js";
import { button, element } from "./elements.js";
import { long, placeOf, placeText, short } from "./numbers.js";
import { backTo, parseTrail } from "./trail.js";

/** What the address asks for: {step, at, of} or {parameter, at}; null: nothing. */
export function subjectIn({ step, at = "", of = "value", parameter }) {
  if (parameter) return { parameter, at, step: null, of: "gradient" };
  return step == null ? null : { step: Number(step), at, parameter: null, of };
}

/** Whether a parameter is added to a sum; all others are factors. */
function isBias(parameter) {
  return parameter.split("/").at(-1) === "bias";
}

/** The name of a number: "Convolution · conv1, row 12, column 9, channel 5". */
export function titleOf({ step, at = "", of, parameter }, { steps }) {
  if (parameter) return `${isBias(parameter) ? "Bias" : "Weight"} ${parameter} [${at}]`;
  if (step === steps.length) return "Loss";
  const { layer, title } = step < 0 ? { title: "Input" } : steps[step];
  const name = [title.split(",")[0], layer].filter(Boolean).join(" · ");
  const place = at === "" ? "" : `, ${placeText(placeOf(at))}`;
  return `${of === "gradient" ? "Gradient: " : ""}${name}${place}`;
}

/** The numbers that were looked at on the way, as links back. */
function breadcrumb(network) {
  const trail = parseTrail(state.get().trail);
  if (!trail.length) return "";
  const links = trail.map((one, k) => {
    const title = titleOf(subjectIn({ ...one, of: state.get().of }), network);
    const back = () => state.set(backTo(state.get(), k));
    return element("li", {}, button(title, back, { class: "link" }));
  });
  const label = "Path to this number";
  return element("nav", { "aria-label": label }, element("ol", { class: "trail" }, ...links));
}

/** The same number as value or as gradient. */
function switcher({ step, of, parameter }, { steps }, hasLabel) {
  if (parameter || step === steps.length || !hasLabel) return "";
  const choose = (text, name) => {
    const onclick = () => state.set({ of: name === "value" ? null : name });
    return button(text, onclick, { "aria-pressed": String(of === name) });
  };
  const attributes = {
    class: "btn-row switcher",
    role: "group",
    "aria-label": "Value or gradient",
  };
  return element(
    "div",
    attributes,
    choose("Its value", "value"),
    choose("Its gradient", "gradient"),
  );
}

function gradientOf(subject, value) {
  if (!subject.parameter || value == null) return "";
  const shown = element("strong", {}, short(value, 6));
  return element("p", { class: "number-gradient" }, "gradient of the loss with respect to it: ", shown);
}

/** All that stands above the explanation. */
export function headOf(subject, { value, weight }, { network, pass }) {
  const shown = subject.parameter ? weight : value;
  return [
    breadcrumb(network),
    element("h2", { class: "number-title", tabindex: "-1" }, titleOf(subject, network)),
    element("p", { class: "number-value" }, shown == null ? "" : short(shown, 6)),
    gradientOf(subject, value),
    switcher(subject, network, pass.label != null),
  ];
}

/** What the page computes beside the engine's value. */
export function comparison(own, value) {
  if (!own) return "";
  const verdict = own.equal ? "✓ equal, as far as float32 can tell" : "They differ.";
  return element(
    "p",
    { class: own.equal ? "comparison is-equal" : "comparison" },
    element("span", {}, `computed on this page ${long(own.value)}`),
    element("span", {}, `engine's value ${long(value)}`),
    element("strong", {}, verdict),
  );
}
