// The blocks of a network in their order, which can be changed by dragging and by keys.
import { element, say } from "./elements.js";
import { BlockCard } from "./blocks_card.js";

const MARK = "is-drop-target";

export class BlockList {
  /** `onchange(blocks)` is called with the new blocks after each change. */
  constructor(kinds, onchange) {
    Object.assign(this, { kinds, onchange, blocks: [], cards: [] });
    this.element = element("ol", { class: "blocks", "aria-label": "Blocks, from the image to the output" });
    this.listenToDrops();
  }

  show(blocks) {
    this.blocks = blocks;
    this.cards = blocks.map((block, index) => this.card(block, index));
    this.element.replaceChildren(...this.cards.map((card) => card.element));
  }

  card(block, index) {
    const kind = this.kinds.find((one) => one.kind === block.kind);
    return new BlockCard(block, kind, { index, count: this.blocks.length }, {
      change: (name, value) => this.change(index, { ...block, [name]: value }),
      move: (by) => this.move(index, index + by),
      remove: () => this.remove(index),
    });
  }

  /** Replace a block without making its card anew, as somebody may be typing in it. */
  change(index, block) {
    this.blocks = this.blocks.with(index, block);
    const card = this.cards[index];
    card.on.change = (name, value) => this.change(index, { ...block, [name]: value });
    this.onchange(this.blocks);
  }

  add(block, index = this.blocks.length) {
    this.show(this.blocks.toSpliced(index, 0, block));
    this.onchange(this.blocks);
    say(`Added ${this.cards[index].name} of ${this.blocks.length}`);
    this.cards[index].element.scrollIntoView({ block: "nearest" });
  }

  remove(index) {
    const { name } = this.cards[index];
    this.show(this.blocks.toSpliced(index, 1));
    this.onchange(this.blocks);
    say(`Removed ${name}`);
    this.cards[Math.min(index, this.cards.length - 1)]?.handle.focus();
  }

  move(from, to) {
    if (to < 0 || to >= this.blocks.length || from === to) return;
    const moved = this.blocks[from];
    this.show(this.blocks.toSpliced(from, 1).toSpliced(to, 0, moved));
    this.onchange(this.blocks);
    this.cards[to].handle.focus();
    say(`${this.cards[to].kind.title} is block ${to + 1} of ${this.blocks.length} now`);
  }

  listenToDrops() {
    const { element: list } = this;
    list.addEventListener("dragstart", (event) => this.startDrag(event));
    list.addEventListener("dragover", (event) => this.dragOver(event));
    list.addEventListener("dragleave", () => this.unmark());
    list.addEventListener("drop", (event) => this.drop(event));
  }

  startDrag(event) {
    this.dragged = this.indexAt(event);
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", String(this.dragged));
  }

  dragOver(event) {
    const index = this.indexAt(event);
    if (this.dragged == null || index < 0) return;
    event.preventDefault();
    this.unmark();
    this.cards[index].element.classList.add(MARK);
  }

  drop(event) {
    const index = this.indexAt(event);
    this.unmark();
    if (this.dragged == null || index < 0) return;
    event.preventDefault();
    this.move(this.dragged, index);
    this.dragged = null;
  }

  unmark() {
    for (const card of this.cards) card.element.classList.remove(MARK);
  }

  indexAt(event) {
    const block = event.target.closest?.(".block");
    return this.cards.findIndex((card) => card.element === block);
  }

  /** Show the sizes of a plan, and its problems at the blocks that they are about. */
  showPlan({ layers, problems }) {
    this.cards.forEach((card, index) => {
      card.showPlan(layers[index], problems.find((one) => one.block === index)?.message);
    });
  }
}
