// Elements of a page are made with these few functions; text never becomes HTML.

const MATHML = "http://www.w3.org/1998/Math/MathML";
const SVG = "http://www.w3.org/2000/svg";

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((one) => one != null && one !== false));
  return node;
}

/** Make an element: element("p", {class: "quiet", onclick: f}, "text", another). */
export function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

export function mathml(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(MATHML, tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

export function button(text, onclick, attributes = {}) {
  const usual = { type: "button", class: "btn btn-outline-secondary btn-sm", onclick };
  return element("button", { ...usual, ...attributes }, text);
}

/** A label and the control that it names. */
export function field(text, control, className = "field") {
  return element("label", { class: className }, element("span", {}, text), control);
}

/** A choice among [value, text] pairs. */
export function choice(pairs, chosen, onchange, attributes = {}) {
  const options = pairs.map(([value, text]) =>
    element("option", { value, selected: String(value) === String(chosen) }, text),
  );
  const usual = { class: "form-select form-select-sm" };
  const listen = (event) => onchange(event.target.value);
  return element("select", { ...usual, ...attributes, onchange: listen }, ...options);
}

/** Set properties of style; the Content-Security-Policy forbids style attributes. */
export function style(node, properties) {
  for (const [name, value] of Object.entries(properties)) node.style.setProperty(name, value);
  return node;
}

/** Let screen readers say something. */
export function say(text) {
  document.getElementById("said").textContent = text;
}
