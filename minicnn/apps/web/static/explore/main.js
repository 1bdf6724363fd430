// The page of the explorer: it shows the view that the address names.
import { state } from "./address.js";
import { choice, element, say } from "./elements.js";
import { firstNetwork, networkPairs } from "./networks.js";
import { Refusal, isAborted } from "./server.js";

const VIEWS = {
  network: { title: "Network", module: "./network.js" },
  compare: { title: "Compare", module: "./compare.js" },
  training: { title: "Training", module: "./training.js" },
  build: { title: "Build", module: "./blocks.js" },
};
// What belongs to one view only is left behind on the way to another one.
const OWN = { step: null, at: null, of: null, parameter: null, trail: null, with: null, show: null };

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

async function showNetworks() {
  const first = await firstNetwork();
  const chosen = () => state.get().network ?? first;
  const select = choice(await networkPairs(), chosen(), (network) => {
    state.set({ ...OWN, network, edit: [] });
    say(`Network ${network}`);
  }, { id: "network-choice" });
  document.getElementById("network-choice").replaceWith(select);
  state.listen(() => { select.value = chosen(); });
}

// What the server refuses was already said where it was asked for.
addEventListener("unhandledrejection", (event) => {
  const { reason } = event;
  if (reason instanceof Refusal || isAborted(reason)) event.preventDefault();
});
document.getElementById("views").append(...Object.keys(VIEWS).map(tab));
document.getElementById("projector").addEventListener("click", () => {
  state.set({ projector: state.get().projector === "1" ? null : "1" });
});
state.listen(showView);
showView();
showNetworks();
