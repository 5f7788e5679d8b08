/** How often frames are sent, and how large and fine they are: as line and machine allow. */

const GOAL = 12; // frames a second, below which pictures get coarser or smaller
const FASTEST = 25; // ms between two frames
const SLOWEST = 2000;
const CALM = [1.15, 1.35]; // how long a frame may take, by how long one takes that is alone
const STEP = 0.04; // by which the gap between frames changes at each answer
const ALONE = 5000; // ms after which one is sent alone again
const SPAN = 1500; // ms over which the look is judged
const DEEPEST = 8;
const LEVELS = [
  { scale: 1, quality: 0.85 },
  { scale: 1, quality: 0.7 },
  { scale: 1, quality: 0.5 },
  { scale: 0.75, quality: 0.5 },
  { scale: 0.5, quality: 0.5 },
  { scale: 0.5, quality: 0.35 },
  { scale: 0.35, quality: 0.35 },
];

/**
 * Now and then a frame goes alone, and tells how long one takes at least. The others follow each
 * other so closely that they take a little longer than that, and no closer: then line and machine
 * are busy and nothing queues up, as TCP Vegas does it (Brakmo et al. 1994). So as many are on their
 * way as the line is long. Are frames too few like this, they get coarser, then smaller; where the
 * server's painting is what takes long, smaller at once. When all is well they come back step by
 * step, each time later where that was too early.
 */
export class Pace {
  #level = 0;
  #gap = 40;
  #alone = null; // ms
  #probing = true;
  #probed = 0;
  #sent = 0;
  #judged = 0;
  #answers = 0;
  #painting = 0;
  #well = 0;
  #patience = 4000;
  #risen = -Infinity;

  /** Whether sizes and qualities may change. */
  adapts = true;

  clear() {
    [this.#level, this.#patience, this.#risen] = [0, 4000, -Infinity];
    this.#anew(performance.now());
  }

  /** @returns {{scale: number, quality: number}} of the next frame */
  get look() {
    return LEVELS[this.adapts ? this.#level : 0];
  }

  /**
   * @param {number} now ms
   * @param {number} onTheWay how many frames are
   * @returns {number} ms to wait before the next one is taken; Infinity: until one has come back
   */
  wait(now, onTheWay) {
    if (now - this.#probed > ALONE) this.#probing = true;
    if (onTheWay >= (this.#probing ? 1 : DEEPEST)) return Infinity;
    return Math.max(0, this.#sent + this.#gap - now);
  }

  /** A frame is taken. */
  take(now) {
    this.#sent = now;
  }

  /**
   * A frame has come back.
   * @param {{now: number, sent: number, painting: number}} answer times in ms, and for how long of
   *   it the server painted
   * @returns {boolean} whether the look of frames has changed
   */
  answered({ now, sent, painting }) {
    const took = now - sent;
    if (this.#probing) {
      if (this.#alone === null) this.#gap = Math.max(FASTEST, took / 2);
      this.#alone = took;
      [this.#probing, this.#probed] = [false, now];
    } else if (took < CALM[0] * this.#alone) {
      this.#gap = Math.max(FASTEST, this.#gap * (1 - STEP));
    } else if (took > CALM[1] * this.#alone) {
      this.#gap = Math.min(SLOWEST, this.#gap * (1 + STEP));
    }
    this.#alone = Math.min(this.#alone, took);
    this.#answers++;
    this.#painting += painting;
    return now - this.#judged > SPAN && this.#answers > 2 && this.#judge(now);
  }

  #judge(now) {
    const interval = (now - this.#judged) / this.#answers;
    const painting = this.#painting / this.#answers;
    [this.#judged, this.#answers, this.#painting] = [now, 0, 0];
    if (1000 / interval >= GOAL) return this.#rise(now);
    this.#well = 0;
    if (painting < 0.5 * interval) return this.#fall(now, 1);
    return 1000 / interval < GOAL / 2 && this.#fall(now, 3);
  }

  #fall(now, least) {
    if (this.#level === LEVELS.length - 1) return false;
    if (now - this.#risen < 3 * SPAN) this.#patience = Math.min(60_000, 2 * this.#patience);
    this.#level = Math.max(this.#level + 1, least);
    this.#anew(now);
    return true;
  }

  #rise(now) {
    this.#well ||= now;
    if (!this.#level || now - this.#well < this.#patience) return false;
    this.#level--;
    this.#risen = now;
    this.#anew(now);
    return true;
  }

  /** Begin to measure: frames of another look take another time. */
  #anew(now) {
    this.#alone = null;
    this.#probing = true;
    this.#gap = 40;
    [this.#judged, this.#answers, this.#painting, this.#well] = [now, 0, 0, 0];
  }
}
