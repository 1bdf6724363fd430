// The terms of a long sum as a table: the largest ones, and the others in one line.
import { element, style } from "./elements.js";
import { placeText, short } from "./numbers.js";
import { largest } from "./terms.js";

function link(text, onclick) {
  return onclick ? element("button", { type: "button", class: "link", onclick }, text) : text;
}

export class TermTable {
  /**
   * `words`: the heads of the columns that are shown, of place, input, weight and product;
   * `oninput(place, step)` and `onweight(place)` make places and weights links;
   * `nameOf(place, step)`: a place in words.
   */
  constructor(terms, words, { oninput, onweight, nameOf = placeText }) {
    const { shown, others } = largest(terms);
    Object.assign(this, { words, oninput, onweight, nameOf });
    this.largestProduct = Math.max(...shown.map(({ product }) => Math.abs(product)), 1e-30);
    this.rows = new Map();
    this.element = element(
      "div",
      { class: "table-scroll", tabindex: "0", role: "group", "aria-label": "The terms" },
      element(
        "table",
        { class: "terms" },
        this.head(),
        element("tbody", {}, ...shown.map((term) => this.row(term)), this.rest(others)),
      ),
    );
  }

  head() {
    const heads = Object.values(this.words).map((word) => element("th", { scope: "col" }, word));
    return element("thead", {}, element("tr", {}, ...heads));
  }

  row(term) {
    const cells = {
      place: this.place,
      input: this.input,
      weight: this.weight,
      product: this.product,
    };
    const node = element(
      "tr",
      {},
      ...Object.keys(this.words).map((name) => cells[name].call(this, term)),
    );
    this.rows.set(term.index, node);
    return node;
  }

  place({ place, step }) {
    if (!place) return element("td", {}, "padding");
    const choose = this.oninput && (() => this.oninput(place, step));
    return element("td", {}, link(this.nameOf(place, step), choose));
  }

  input({ input }) {
    return element("td", {}, short(input));
  }

  weight({ weight, weightPlace }) {
    const choose = weightPlace && this.onweight && (() => this.onweight(weightPlace));
    return element("td", {}, link(short(weight), choose));
  }

  product({ product }) {
    const bar = element("span", { class: product < 0 ? "term-bar is-negative" : "term-bar" });
    style(bar, { width: `${(100 * Math.abs(product)) / this.largestProduct}%` });
    return element("td", { class: "term-product" }, short(product), bar);
  }

  rest({ count, sum }) {
    if (!count) return null;
    const columns = Object.keys(this.words).length - 1;
    return element(
      "tr",
      { class: "others" },
      element("td", { colspan: columns }, `the other ${count} together`),
      element("td", {}, short(sum)),
    );
  }

  mark(index) {
    this.marked?.classList.remove("is-now");
    this.marked = this.rows.get(index);
    this.marked?.classList.add("is-now");
  }
}
