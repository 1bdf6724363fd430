// The terms of a window over a map: for each input channel the numbers that were read, the
// kernel and the products; the channels that count most are open.
import { scaleFor } from "./colors.js";
import { element } from "./elements.js";
import { Heat } from "./heat.js";
import { range } from "./maps.js";
import { short } from "./numbers.js";
import { byChannel, grid } from "./terms.js";

const OPEN = 2; // channels
const CLOSED = 64; // channels that have a line of their own; of more, the largest ones

function scaleOf(values) {
  const [minimum, maximum] = range(values.filter((one) => one !== undefined));
  return scaleFor(minimum, maximum);
}

export class WindowTerms {
  /** `oninput(place)` and `onweight(place)` when a number of the window or of the kernel is chosen. */
  constructor(answer, terms, { oninput, onweight }) {
    Object.assign(this, { answer, terms, oninput, onweight });
    const column = (name) => scaleOf(terms.map((term) => term[name]));
    this.scales = { input: column("input"), weight: column("weight"), product: column("product") };
    this.blocks = byChannel(terms);
    this.where = new Map(); // from the index of a term to its heat maps and its cell
    this.element = element(
      "div",
      { class: "window-terms" },
      ...this.ordered().map((block, k) =>
        this.block(block, k < OPEN || this.blocks.length <= OPEN + 1),
      ),
    );
  }

  /** The channels, those with the largest sums first. */
  ordered() {
    const sorted = [...this.blocks].sort((one, other) => Math.abs(other.sum) - Math.abs(one.sum));
    return sorted.slice(0, CLOSED);
  }

  block({ channel, terms, sum }, open) {
    const body = element("div", { class: "window-row" });
    const fill = () => {
      if (!body.hasChildNodes()) body.append(...this.heats(channel, terms));
    };
    if (open) fill();
    const summary = element(
      "summary",
      {},
      `From map ${channel}: `,
      element("strong", {}, short(sum)),
    );
    const node = element("details", { class: "window-block", open, ontoggle: fill }, summary, body);
    return node;
  }

  heats(channel, terms) {
    const cells = grid(terms, this.answer.window);
    const make = (name, title, cell) =>
      new Heat(
        cells.map((row) => row.map((term) => term && cell(term, term[name]))),
        this.scales[name],
        title,
      );
    const input = make(
      "input",
      "what it reads",
      (term, value) =>
        term.place && {
          value,
          label: `${short(value)}, row ${term.place[0]}, column ${term.place[1]}`,
          onpick: () => this.oninput(term.place),
        },
    );
    const heats = [input];
    if (terms[0].weight !== undefined) heats.push(...this.weighted(make));
    this.remember(cells, heats);
    const signs = ["×", "="];
    return heats.flatMap((heat, k) =>
      k
        ? [
            element("span", { class: "heat-sign", "aria-hidden": "true" }, signs[k - 1]),
            heat.element,
          ]
        : [heat.element],
    );
  }

  weighted(make) {
    const weight = make("weight", "the kernel", (term, value) => ({
      value,
      label: `weight ${short(value)}`,
      onpick: () => this.onweight(term.weightPlace),
    }));
    const product = make("product", "the products", (term, value) => ({
      value,
      label: `${short(term.input)} times ${short(term.weight)} is ${short(value)}`,
      onpick: () => term.place && this.oninput(term.place),
    }));
    return [weight, product];
  }

  remember(cells, heats) {
    cells.forEach((row, y) =>
      row.forEach((term, x) => {
        if (term) this.where.set(term.index, { heats, place: [y, x] });
      }),
    );
  }

  /** Mark the term that is being added; -1: none. */
  mark(index) {
    for (const heat of this.marked?.heats ?? []) heat.mark(null);
    this.marked = this.where.get(index);
    for (const heat of this.marked?.heats ?? []) heat.mark(this.marked.place);
  }
}
