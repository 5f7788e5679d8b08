/** Rate and latency over the last seconds. */

const SPAN = 4000;

export class Meter {
  #frames = [];

  /** @param {number} shown when a frame was shown, ms @param {number} latency from capture on, ms */
  add(shown, latency) {
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
  }
}
