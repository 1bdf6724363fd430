// The page of the explorer: it shows the view that the address names.
import { state } from "./address.js";
import { element, say } from "./elements.js";
import { firstNetwork, forget, networkPairs } from "./networks.js";
import { Refusal, isAborted } from "./server.js";

const VIEWS = {
  network: { title: "Network", module: "./network.js", hasNetwork: true },
  compare: { title: "Compare", module: "./compare.js", hasNetwork: true },
  training: { title: "Training", module: "./training.js" },
  build: { title: "Build", module: "./blocks.js" },
};
// What belongs to one view only is left behind on the way to another one.
const OWN = {
  step: null,
  at: null,
  of: null,
  parameter: null,
  trail: null,
  with: null,
  show: null,
};

let shown; // the name of the view
let end = () => {};

function viewName() {
  const { view } = state.get();
  return view in VIEWS ? view : "network";
}

function isPlainClick(event) {
  return event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
}

function tab(name) {
  const link = element("a", { class: "nav-link", "data-view": name }, VIEWS[name].title);
  link.addEventListener("click", (event) => {
    if (!isPlainClick(event)) return; // in a new window, as with any link
    event.preventDefault();
    state.set({ ...OWN, view: name });
  });
  return element("li", { class: "nav-item" }, link);
}

function markTabs() {
  for (const link of document.querySelectorAll("#views a")) {
    link.href = state.link({ ...OWN, view: link.dataset.view });
    if (link.dataset.view === viewName()) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function showProjector() {
  const large = state.get().projector === "1";
  document.documentElement.classList.toggle("projector", large);
  document.getElementById("projector").setAttribute("aria-pressed", large);
}

async function showView() {
  markTabs();
  showProjector();
  const name = viewName();
  if (name === shown) return;
  shown = name;
  end();
  end = () => {};
  const root = document.getElementById("view");
  const { show } = await import(VIEWS[name].module);
  if (shown !== name) return; // another view was chosen meanwhile
  root.replaceChildren();
  root.dataset.view = name;
  document.title = `${VIEWS[name].title} · Explorer · minicnn`;
  end = show(root) ?? (() => {});
}

const chooser = document.getElementById("network-choice");

/** The choice of a network: only for the views that show one. */
async function showChoice() {
  chooser.parentElement.hidden = !VIEWS[viewName()].hasNetwork;
  const wanted = state.get().network ?? (await firstNetwork());
  const isListed = [...chooser.options].some(({ value }) => value === wanted);
  if (!isListed) await fillChoice(wanted); // at first, or a training has made a new one
  chooser.value = wanted;
}

async function fillChoice(wanted) {
  forget();
  const pairs = await networkPairs();
  if (!pairs.some(([name]) => name === wanted)) pairs.push([wanted, wanted]);
  chooser.replaceChildren(...pairs.map(([value, text]) => element("option", { value }, text)));
}

chooser.addEventListener("change", () => {
  state.set({ ...OWN, network: chooser.value, edit: [] });
  say(`Network ${chooser.value}`);
});
// What the server refuses was already said where it was asked for.
addEventListener("unhandledrejection", (event) => {
  const { reason } = event;
  if (reason instanceof Refusal || isAborted(reason)) event.preventDefault();
});
document.getElementById("views").append(...Object.keys(VIEWS).map(tab));
document.getElementById("projector").addEventListener("click", () => {
  state.set({ projector: state.get().projector === "1" ? null : "1" });
});
for (const show of [showView, showChoice]) {
  state.listen(show);
  show();
}
