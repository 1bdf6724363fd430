// The terms of a long sum as a table: the largest ones, and the others in one line.
import { element, style } from "./elements.js";
import { placeText, short } from "./numbers.js";
import { largest } from "./terms.js";

function link(text, onclick) {
  return onclick ? element("button", { type: "button", class: "link", onclick }, text) : text;
}

/**
 * `words`: the heads of the columns {place, input, weight, product};
 * `oninput(place, step)` and `onweight(place)` make the numbers buttons.
 */
export class TermTable {
  constructor(terms, words, { oninput, onweight }) {
    const { shown, others } = largest(terms);
    this.largestProduct = Math.max(...shown.map(({ product }) => Math.abs(product)), 1e-30);
    this.hasWeights = terms.some(({ weight }) => weight !== undefined);
    this.rows = new Map();
    this.element = element("div", { class: "table-scroll", tabindex: "0", role: "group", "aria-label": "The terms of the sum" },
      element("table", { class: "terms" }, this.head(words),
        element("tbody", {}, ...shown.map((term) => this.row(term, oninput, onweight)), this.rest(others))));
  }

  head({ place, input, weight, product }) {
    const names = this.hasWeights ? [place, input, weight, product] : [place, input];
    const heads = names.map((name) => element("th", { scope: "col" }, name));
    return element("thead", {}, element("tr", {}, ...heads));
  }

  row(term, oninput, onweight) {
    const { step, place, input, weight, weightPlace, product } = term;
    const where = place ? placeText(place) : "padding";
    const choose = place && oninput ? () => oninput(place, step) : null;
    const cells = [element("td", {}, where), element("td", {}, link(short(input ?? product), choose))];
    if (this.hasWeights) {
      const chooseWeight = weightPlace && onweight ? () => onweight(weightPlace) : null;
      cells.push(element("td", {}, link(short(weight), chooseWeight)), this.product(product));
    }
    const node = element("tr", {}, ...cells);
    this.rows.set(term.index, node);
    return node;
  }

  product(value) {
    const bar = element("span", { class: value < 0 ? "term-bar is-negative" : "term-bar" });
    style(bar, { width: `${(100 * Math.abs(value)) / this.largestProduct}%` });
    return element("td", { class: "term-product" }, short(value), bar);
  }

  rest({ count, sum }) {
    if (!count) return null;
    const columns = this.hasWeights ? 3 : 1;
    return element("tr", { class: "others" },
      element("td", { colspan: columns }, `the other ${count} together`), element("td", {}, short(sum)));
  }

  mark(index) {
    this.marked?.classList.remove("is-now");
    this.marked = this.rows.get(index);
    this.marked?.classList.add("is-now");
  }
}
