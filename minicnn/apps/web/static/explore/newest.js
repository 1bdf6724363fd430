// Tasks that come faster than they can be done, as while somebody draws.

/** Run one task at a time; of those that come meanwhile only the newest is done. */
export function newest(task) {
  let running = false;
  let waiting = null;
  return async (...given) => {
    waiting = given;
    if (running) return;
    running = true;
    try {
      while (waiting) {
        const next = waiting;
        waiting = null;
        await task(...next);
      }
    } finally {
      running = false;
    }
  };
}

/** Call a function when it has not been asked for during `ms`. */
export function afterPause(task, ms) {
  let timer;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => task(...given), ms);
  };
}
