/** Rate and latency over the last seconds. */

const SPAN = 4000;

// A pause: no frame for as long as this, ms, and for as many times the usual.
const PAUSE = 1000;
const USUAL = 5;

export class Meter {
  #frames = [];
  #since = -Infinity;

  /**
   * After a pause it begins anew, with what is captured from then on: frames that waited for its
   * end tell nothing of those that follow.
   *
   * @param {number} shown when a frame was shown, ms @param {number} latency from capture on, ms
   */
  add(shown, latency) {
    if (shown - latency < this.#since) return;
    const last = this.#frames.at(-1)?.shown ?? shown;
    const count = this.#frames.length;
    const usual = count > 3 ? (last - this.#frames[0].shown) / (count - 1) : Infinity;
    if (shown - last > Math.max(PAUSE, USUAL * usual)) {
      this.clear();
      this.#since = shown;
      return;
    }
    this.#frames.push({ shown, latency });
    while (this.#frames[0].shown < shown - SPAN) this.#frames.shift();
  }

  /** @returns {number} frames a second up to now */
  fps(now) {
    if (this.#frames.length < 2) return 0;
    return (1000 * (this.#frames.length - 1)) / (now - this.#frames[0].shown);
  }

  /** @param {number} share 0.5 for the median @returns {number} ms */
  latency(share) {
    const sorted = this.#frames.map((frame) => frame.latency).sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  }

  clear() {
    this.#frames = [];
    this.#since = -Infinity;
  }
}
