// What the page shows is said by its address, so that a link shows it to others.
// The state is an object of texts; `edit` is a list: {view: "network", step: "1", edit: ["..."]}.

const LISTS = ["edit"];
const target = new EventTarget();

/** The state that a query string says. */
export function parse(query) {
  const found = { edit: [] };
  for (const [name, value] of new URLSearchParams(query)) {
    if (LISTS.includes(name)) found[name].push(value);
    else found[name] = value;
  }
  return found;
}

/** The query string of a state; what is empty is left out. */
export function format(state) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(state)) {
    for (const one of [value].flat()) if (one != null && one !== "") query.append(name, one);
  }
  // Commas and colons may stand in a query, and can be read better as they are.
  return query.toString().replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%2F", "/");
}

function changed() {
  target.dispatchEvent(new Event("change"));
}

export const state = {
  get() {
    return parse(location.search);
  },

  /** The address of this page with some changes; null removes a name. */
  link(changes) {
    return `?${format({ ...this.get(), ...changes })}`;
  },

  /** Change the address. `replace` makes no new entry in the history: for what changes all the time. */
  set(changes, { replace = false } = {}) {
    const link = this.link(changes);
    if (link === `?${format(this.get())}`) return;
    if (replace) history.replaceState(null, "", link);
    else history.pushState(null, "", link);
    changed();
  },

  /** Call a function at each change, also of "back"; returns the function that ends this. */
  listen(listener) {
    target.addEventListener("change", listener);
    return () => target.removeEventListener("change", listener);
  },
};

addEventListener("popstate", changed);
