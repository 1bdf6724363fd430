// Brings a row into sight, although rows above it become larger when they are drawn.

const TRIES = 12;
const PAUSE_MS = 120;
const ENDS = ["wheel", "pointerdown", "keydown"]; // the person goes somewhere else

/** Scroll until the element stays in the middle of the window, or somebody else scrolls. */
export function keepInSight(element) {
  const stopping = new AbortController();
  for (const name of ENDS) addEventListener(name, () => stopping.abort(), stopping);
  const next = (left) => {
    if (stopping.signal.aborted || !element.isConnected) return;
    element.scrollIntoView({ block: "center" });
    if (left) setTimeout(() => next(left - 1), PAUSE_MS);
    else stopping.abort();
  };
  next(TRIES);
}
