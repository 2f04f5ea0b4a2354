// Work that is done again and again while somebody looks, and sooner when they look again.

const LONGEST = 10_000;

/**
 * Asks every so many milliseconds between `start` and `stop`. `work` returns a promise; what it
 * rejects with goes to `failed`, and the wait grows until it succeeds again.
 */
export function poll(work, every, failed) {
  let timer = null;
  let isOn = false;
  let isBusy = false;
  let wait = every;

  async function round() {
    clearTimeout(timer);
    if (!isOn || isBusy || document.hidden) return;
    isBusy = true;
    try {
      await work();
      wait = every;
    } catch (error) {
      wait = Math.min(Math.max(wait * 1.6, 1_000), Math.max(LONGEST, every));
      failed(error);
    } finally {
      isBusy = false;
      if (isOn) timer = setTimeout(round, wait);
    }
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) round();
  });

  return {
    start() {
      isOn = true;
      wait = every;
      round();
    },
    stop() {
      isOn = false;
      clearTimeout(timer);
    },
    now: round,
  };
}
