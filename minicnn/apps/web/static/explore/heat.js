// A small grid of numbers with colors: one channel of a window, a kernel, or their products.
// The arrow keys walk over it; a number can be chosen if there is something to show for it.
import { cssColor } from "./colors.js";
import { element, style } from "./elements.js";
import { tiny } from "./numbers.js";

const WITH_NUMBERS = 7; // columns up to which there is room for numbers

/** Three grids beside each other fit into the window of a number. */
function cellSize(width) {
  return width <= 3
    ? "2.1rem"
    : width <= 5
      ? "1.6rem"
      : width <= WITH_NUMBERS
        ? "1.9rem"
        : "0.8rem";
}

export class Heat {
  /**
   * `cells`: rows of {value, label, onpick} or null (no number there: padding or a gap);
   * `scale`: as from scaleFor.
   */
  constructor(cells, scale, title) {
    this.cells = cells;
    const width = cells[0].length;
    this.buttons = cells.map((row, y) => row.map((cell, x) => this.cell(cell, scale, y, x)));
    this.grid = element(
      "div",
      { class: "heat", role: "group", "aria-label": title },
      ...this.buttons.flat(),
    );
    style(this.grid, { "--columns": width, "--cell": cellSize(width) });
    this.grid.classList.toggle("without-numbers", width > WITH_NUMBERS);
    this.grid.addEventListener("keydown", (event) => this.key(event));
    this.element = element(
      "figure",
      { class: "heat-figure" },
      this.grid,
      element("figcaption", {}, title),
    );
    this.first()?.setAttribute("tabindex", "0");
  }

  first() {
    return this.buttons.flat().find((one) => one.tagName === "BUTTON");
  }

  cell(cell, scale, y, x) {
    if (!cell) return element("span", { class: "heat-cell is-padding", title: "padding: 0" }, "0");
    const attributes = {
      class: "heat-cell",
      type: "button",
      tabindex: "-1",
      "data-y": y,
      "data-x": x,
      "data-text": tiny(cell.value),
      "aria-label": cell.label,
      title: cell.label,
      onclick: cell.onpick,
    };
    const node = element("button", attributes);
    const { background, ink } = cssColor(scale, cell.value);
    return style(node, { background, color: ink });
  }

  key(event) {
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    const move = moves[event.key];
    if (!move || event.target.dataset.y === undefined) return;
    event.preventDefault();
    const next =
      this.buttons[Number(event.target.dataset.y) + move[0]]?.[
        Number(event.target.dataset.x) + move[1]
      ];
    if (next?.tagName !== "BUTTON") return;
    event.target.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
  }

  /** Mark the cell that is being added; null: none. */
  mark(place) {
    this.marked?.classList.remove("is-now");
    this.marked = place && this.buttons[place[0]]?.[place[1]];
    this.marked?.classList.add("is-now");
  }
}
