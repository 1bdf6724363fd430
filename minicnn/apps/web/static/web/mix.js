// The sliders change the order of the similar pictures while they are moved. The server makes the
// cards, as it does without this script; here they only glide to their new places.
const form = document.getElementById("mix");
const hits = document.getElementById("hits");
const sliders = [...form.querySelectorAll("input[type=range]")];
const PAUSE_MS = 150;
const GLIDE_MS = 350;

for (const button of form.querySelectorAll(".without-script")) button.hidden = true;

function showShares() {
  const sum = sliders.reduce((total, one) => total + Number(one.value), 0);
  for (const slider of sliders) {
    const share = sum ? Number(slider.value) / sum : 0;
    const text = `${Math.round(100 * share)} %`;
    slider.parentElement.querySelector(".slider-share").textContent = text;
    slider.setAttribute("aria-valuetext", `${text} of the score`);
  }
}

function address() {
  return `${form.action}?${new URLSearchParams(new FormData(form))}`;
}

function places() {
  const cards = [...hits.querySelectorAll(".hit")];
  return new Map(cards.map((card) => [card.dataset.picture, card.getBoundingClientRect()]));
}

function glide(before) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  for (const card of hits.querySelectorAll(".hit")) {
    const from = before.get(card.dataset.picture);
    const to = card.getBoundingClientRect();
    const start = from
      ? { transform: `translate(${from.left - to.left}px, ${from.top - to.top}px)` }
      : { opacity: 0 };
    card.animate([start, {}], { duration: GLIDE_MS, easing: "ease-out" });
  }
}

// Links that lead back to this search keep what the sliders say.
function carry() {
  const words = [...new FormData(form)].filter(([name]) => /^(weight-|label$)/.test(name));
  for (const link of document.querySelectorAll(".tabs a, .query-picture a")) {
    const target = new URL(link.href);
    for (const [name, value] of words) target.searchParams.set(name, value);
    link.href = target;
  }
}

// A screen reader says what has changed, and not all cards.
function announce() {
  const first = hits.querySelector(".hit-name")?.textContent ?? "";
  const count = hits.querySelector(".hits-count").textContent;
  document.getElementById("changed").textContent = `${count} The first is ${first}.`;
}

let running; // the latest request, which a newer one replaces
async function search() {
  running?.abort();
  running = new AbortController();
  hits.setAttribute("aria-busy", "true");
  const wanted = address();
  try {
    const response = await fetch(`${wanted}&fragment=hits`, { signal: running.signal });
    if (!response.ok) return location.assign(wanted); // the whole page says what is wrong
    const before = places();
    hits.innerHTML = await response.text();
    glide(before);
    announce();
    carry();
    history.replaceState(null, "", wanted);
    hits.setAttribute("aria-busy", "false");
  } catch (error) {
    if (error.name !== "AbortError") location.assign(wanted);
  }
}

let waiting;
form.addEventListener("input", () => {
  showShares();
  clearTimeout(waiting);
  waiting = setTimeout(search, PAUSE_MS);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  search();
});
