/** How often frames are sent, and how large and fine they are: as line and machine allow. */

const GOAL = 10; // frames a second, below which pictures get coarser or smaller
const QUICK = 250; // ms that a frame that is alone may take on the line
const FASTEST = 25; // ms between two frames
const CALMEST = 40; // the same, where painting takes long: a machine that is full is late besides
const SLOWEST = 2000;
const EARLY = 16; // ms that a frame may be taken before its time: cameras have one every 33
const LATE = 40; // ms behind its time that are caught up with
const CALM = [1.2, 1.5]; // how long a frame may take, by how long one takes that is alone
const SLACK = 15; // ms that it may take besides
const EASY = 45; // ms that it may take in any case: at 24 frames a second nobody sees it
const MEMORY = 0.25; // how much the newest answer counts
const STEP = 0.04; // by which the gap between frames changes at each answer
const EAGER = 2; // times as much, as long as no frame has waited since the look changed
const ALONE = 5000; // ms after which one is sent alone again
const SOON = 1000; // the same after one that was mostly painted: the server may have been warming up
const SPAN = 2500; // ms over which the look is judged
const DEEPEST = 8;
const SMALL = 4; // the level below which a slow server, that paints less by itself, takes no frames
const LEVELS = [
  { scale: 1, quality: 0.85, bytes: 1 },
  { scale: 1, quality: 0.7, bytes: 0.65 },
  { scale: 1, quality: 0.5, bytes: 0.45 },
  { scale: 0.75, quality: 0.5, bytes: 0.28 },
  { scale: 0.5, quality: 0.5, bytes: 0.14 },
  { scale: 0.5, quality: 0.35, bytes: 0.11 },
  { scale: 0.35, quality: 0.35, bytes: 0.06 },
]; // bytes: about, by those of the first

/**
 * Now and then a frame goes alone, and tells how long one takes at least. The others follow each
 * other so closely that they take a little longer than that, and no closer: then line and machine
 * are busy and nothing queues up, as TCP Vegas does it (Brakmo et al. 1994). So as many are on their
 * way as the line is long. Are frames too few like this, they get coarser, then smaller; where the
 * server's painting is what takes long, smaller at once. When all is well they come back step by
 * step, each time later where that was too early. The first frame of another look is not counted:
 * the server gets ready for its size.
 */
export class Pace {
  #level = 0;
  #gap = 40;
  #eager = true;
  #alone = null; // ms
  #probing = true;
  #fresh = true; // no frame of this look has come back yet
  #turn = 0; // counts the looks
  #busy = false; // it is the server's painting that takes the time, and one frame may wait for it
  #took = 0; // ms, of the newest frames
  #probed = 0;
  #again = ALONE; // ms from then until the next one goes alone
  #due = 0; // when the next frame is to be taken
  #judged = 0;
  #answers = 0;
  #painting = 0;
  #well = 0;
  #patience = 8000;
  #risen = -Infinity;

  /** Whether sizes and qualities may change. */
  adapts = true;

  clear() {
    [this.#level, this.#patience, this.#risen] = [0, 8000, -Infinity];
    this.measure();
  }

  /** Measure anew: the server takes another time from now on. */
  measure() {
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
    if (now - this.#probed > this.#again) this.#probing = true;
    const deepest = this.#busy ? 2 : DEEPEST;
    if (onTheWay >= (this.#probing ? 1 : deepest)) return Infinity;
    return Math.max(0, this.#due - EARLY - now);
  }

  /** A frame is taken. @returns {{turn: number, alone: boolean}} what `answered` is to be told */
  take(now) {
    // From when it was due, not from when the camera had one: so gaps need not be multiples of its.
    // One that came late, as when it had to wait for an answer, is followed sooner by the next.
    this.#due = Math.max(this.#due, now - LATE) + this.#gap;
    return { turn: this.#turn, alone: this.#probing };
  }

  /**
   * A frame has come back.
   * @param {{turn: number, alone: boolean}} frame what `take` told
   * @param {{now: number, sent: number, painting: number}} answer times in ms, and for how long of
   *   it the server painted
   * @returns {boolean} whether the look of frames has changed
   */
  answered({ turn, alone }, { now, sent, painting }) {
    if (turn !== this.#turn) return false;
    const took = now - sent;
    if (this.#fresh) {
      this.#fresh = false;
      [this.#judged, this.#probed] = [now, now];
      return false;
    }
    if (alone) {
      const first = this.#alone === null;
      if (first) this.#gap = Math.max(FASTEST, took / 2);
      // What took less shows what is possible; what took longer may have had bad luck.
      this.#alone = first ? took : Math.min(took, (this.#alone + took) / 2);
      this.#again = first && painting > 0.5 * took ? SOON : ALONE;
      this.#took = this.#alone;
      [this.#probing, this.#probed] = [false, now];
      if (first && this.adapts) {
        const share = QUICK / Math.max(1, took - painting);
        if (share < 0.8) return this.#fall(now, this.#cheaper(share));
      }
    } else {
      this.#took += MEMORY * (took - this.#took);
      const more = this.#took - SLACK;
      const fastest = this.#busy ? CALMEST : FASTEST;
      const [calm, full] = CALM.map((times) => Math.max(EASY, times * this.#alone));
      const step = this.#eager || more < calm / 2 ? EAGER * STEP : STEP;
      if (more < calm) this.#gap = Math.max(fastest, this.#gap * (1 - step));
      else this.#eager = false;
      if (this.#gap === fastest) this.#eager = false;
      const queue = more / full;
      if (queue > 1) this.#gap = Math.min(SLOWEST, this.#gap * (1 + STEP * Math.min(3, queue)));
    }
    this.#busy = painting > 0.5 * this.#alone;
    this.#answers++;
    this.#painting += painting;
    if (this.#eager && now - this.#judged < 2 * SPAN) return false; // the rate still rises
    return now - this.#judged > SPAN && this.#answers > 2 && this.#judge(now);
  }

  #judge(now) {
    const interval = (now - this.#judged) / this.#answers;
    const painting = this.#painting / this.#answers;
    [this.#judged, this.#answers, this.#painting] = [now, 0, 0];
    if (1000 / interval >= GOAL) return this.#rise(now);
    this.#well = 0;
    if (painting < 0.5 * interval) return this.#fall(now, this.#cheaper(1000 / GOAL / interval));
    return 1000 / interval < GOAL / 2 && this.#level < SMALL && this.#fall(now, 3);
  }

  /** @returns {number} the first level whose frames have at most that share of the present bytes */
  #cheaper(share) {
    const most = share * LEVELS[this.#level].bytes;
    const level = LEVELS.findIndex(({ bytes }) => bytes <= most);
    return level < 0 ? LEVELS.length - 1 : level;
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
    this.#turn++;
    this.#alone = null;
    this.#probing = this.#fresh = this.#eager = true;
    this.#gap = 40;
    [this.#judged, this.#answers, this.#painting, this.#well] = [now, 0, 0, 0];
  }
}
