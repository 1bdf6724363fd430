// Tasks that come faster than they can be done, as while somebody draws.

/**
 * Run one task at a time; of those that come meanwhile only the newest is done. The function that
 * is returned gives a promise that ends when nothing is left to do.
 */
export function newest(task) {
  let running = null;
  let waiting = null;

  async function work() {
    try {
      while (waiting) {
        const next = waiting;
        waiting = null;
        await task(...next);
      }
    } finally {
      running = null;
    }
  }

  return (...given) => {
    waiting = given;
    running ??= work();
    return running;
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
