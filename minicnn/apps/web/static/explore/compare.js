// The view of two networks, or of two epochs of one run, on the same input.
import { state } from "./address.js";
import { AnswerPanel } from "./controls.js";
import { onSchemeChange } from "./colors.js";
import { button, choice, element, field } from "./elements.js";
import { Inputs } from "./inputs.js";
import { firstNetwork, networkPairs, networks } from "./networks.js";
import { newest } from "./newest.js";
import { PairRow } from "./pair_row.js";
import { Session } from "./session.js";

const CHANNELS = 12; // of each step, as there is half the room
const ONE_ONLY =
  "There is only one network here. To compare, start `minicnn explore` with two networks or with a run folder.";
const OTHER_IMAGES =
  "These two networks take images of different shapes, so they cannot be compared.";

/** The network to compare with when none was chosen: the next one that takes the same images. */
async function usualOther(name) {
  const all = await networks();
  const shape = String(all.find((one) => one.name === name)?.input_shape);
  return all.find((one) => one.name !== name && String(one.input_shape) === shape)?.name;
}

/** Steps that both networks have at the same number, with the same operation and shape. */
export function commonSteps(first, second) {
  return first.steps.filter((step, k) => {
    const other = second.steps[k];
    return (
      other && other.operation === step.operation && String(other.shape) === String(step.shape)
    );
  });
}

class CompareView {
  constructor(root) {
    this.root = root;
    this.follow = newest(() => this.followNow());
    this.ends = [
      state.listen(() => this.follow()),
      onSchemeChange(() => this.rows?.forEach((row) => row.repaint())),
    ];
    this.follow();
  }

  async followNow() {
    const wanted = state.get();
    const name = wanted.network ?? (await firstNetwork());
    const other = wanted.with ?? (await usualOther(name));
    if (!other) return this.root.replaceChildren(element("p", { class: "panel" }, ONE_ONLY));
    if (this.names !== `${name}|${other}`) await this.open(name, other);
    if (this.isEnded || !this.inputs) return;
    this.showChoice(wanted.show === "difference");
    await this.inputs.follow({ ...wanted, edit: [] });
    if (this.isEnded) return;
    this.showPasses();
  }

  async open(name, other) {
    this.close();
    this.names = `${name}|${other}`;
    this.sessions = [name, other].map((one) => new Session(one));
    await Promise.all(this.sessions.map((session) => session.open()));
    if (this.isEnded) return;
    const [first, second] = this.sessions.map((session) => session.network);
    if (String(first.input_shape) !== String(second.input_shape)) return this.refuse(name, other);
    for (const session of this.sessions) {
      session.channels = CHANNELS;
      session.addEventListener("pass", () => this.showPasses());
    }
    this.inputs = new Inputs(this.sessions);
    await this.build(first, second);
  }

  async chooser(name, other) {
    const pairs = (await networkPairs()).filter(([one]) => one !== name);
    return field(
      "Compare with",
      choice(pairs, other, (chosen) => state.set({ with: chosen })),
    );
  }

  async refuse(name, other) {
    this.inputs = null;
    this.root.replaceChildren(
      element(
        "div",
        { class: "panel" },
        element("p", {}, OTHER_IMAGES),
        await this.chooser(name, other),
      ),
    );
  }

  async build(first, second) {
    const titles = [first.title ?? first.name, second.title ?? second.name];
    const steps = commonSteps(first, second);
    this.rows = steps.map(
      (step) => new PairRow(step, titles, { onpick: (...given) => this.pick(...given) }),
    );
    this.answers = titles.map(
      (title, which) =>
        new AnswerPanel({
          title,
          id: `answer-${which}`,
          onpick: (k) => this.pick(which, this.sessions[which].network.output, [k]),
        }),
    );
    const left = first.steps.length - steps.length;
    this.root.replaceChildren(
      element(
        "div",
        { class: "network-view" },
        element("div", { class: "side" }, this.inputs.panel.element),
        element(
          "div",
          { class: "steps compare" },
          await this.tools(first.name, second.name),
          element("div", { class: "pair-sides" }, ...this.answers.map((one) => one.element)),
          ...this.rows.map((row) => row.element),
          left
            ? element(
                "p",
                { class: "quiet" },
                `Steps that differ between the networks and are not shown: ${left}.`,
              )
            : null,
        ),
      ),
    );
  }

  async tools(name, other) {
    this.both = button("Both", () => state.set({ show: null }));
    this.differences = button("Second minus first", () => state.set({ show: "difference" }));
    return element(
      "div",
      { class: "panel compare-tools" },
      element("h2", { class: "h6" }, "Two networks, one input"),
      await this.chooser(name, other),
      element(
        "div",
        { class: "btn-row", role: "group", "aria-label": "What the right side shows" },
        this.both,
        this.differences,
      ),
      element(
        "p",
        { class: "hint" },
        "Both sides have the same colors. Frames mark the three numbers that differ most.",
      ),
    );
  }

  showChoice(asDifference) {
    this.both.setAttribute("aria-pressed", !asDifference);
    this.differences.setAttribute("aria-pressed", asDifference);
  }

  /** A number that was chosen is explained in the view of its network. */
  pick(which, step, place) {
    state.set({
      view: "network",
      network: this.sessions[which].name,
      with: null,
      show: null,
      step,
      at: place.join(","),
    });
  }

  showPasses() {
    const [first, second] = this.sessions.map((session) => session.pass);
    if (!first || !second) return;
    const asDifference = state.get().show === "difference";
    this.answers.forEach((answer, which) => {
      const { classes, label } = this.sessions[which].pass;
      answer.show(classes, { label });
    });
    for (const row of this.rows) {
      const name = `step.${row.step.index}`;
      row.show(first.tensors[name], second.tensors[name], asDifference);
    }
  }

  close() {
    for (const part of [...(this.sessions ?? []), this.inputs]) part?.end();
  }

  end() {
    this.isEnded = true;
    this.ends.forEach((end) => end());
    this.close();
  }
}

export function show(root) {
  const view = new CompareView(root);
  return () => view.end();
}
