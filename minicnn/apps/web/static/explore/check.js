// Checks a gradient in front of the reader: the loss a little to both sides of a number.
import { button, element } from "./elements.js";
import { fraction, math, number, row } from "./formulas.js";
import { long, short } from "./numbers.js";

const WORDS =
  "Make the number a little larger, then a little smaller, and see how much the loss changes.";

function line(name, value) {
  return element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, value));
}

function result({
  h,
  loss_plus: plus,
  loss_minus: minus,
  difference,
  gradient,
  relative_error: error,
  text,
}) {
  const above = row(number(plus, { digits: 8 }), "−", number(minus, { digits: 8, inside: true }));
  const formula = math(fraction(above, row("2", "·", number(h))), "=", number(difference));
  return [
    element(
      "table",
      { class: "check-table" },
      element(
        "tbody",
        {},
        line(`loss with + ${short(h)}`, long(plus)),
        line(`loss with − ${short(h)}`, long(minus)),
        line("difference quotient", long(difference)),
        line("gradient", long(gradient)),
        line("relative error", short(error, 2)),
      ),
    ),
    formula,
    element("p", {}, text),
  ];
}

export class Check {
  /** `ask()` returns the server's answer. */
  constructor(ask) {
    this.out = element("div", { class: "check-out", role: "status" });
    this.button = button("Check it", () => this.run(ask));
    this.element = element(
      "div",
      { class: "check" },
      element("h3", { class: "h6" }, "Is this gradient right?"),
      element("p", { class: "hint" }, WORDS),
      this.button,
      this.out,
    );
  }

  /** What was found is about other numbers. */
  clear() {
    this.out.replaceChildren();
  }

  async run(ask) {
    this.button.disabled = true;
    try {
      this.out.replaceChildren(...result(await ask()));
    } finally {
      this.button.disabled = false;
    }
  }
}
