/** Turns a camera's picture into a JPEG: in a worker, where the browser has what that needs. */

/** @typedef {{width: number, height: number, mirror: boolean, quality: number}} Look */

export class Encoder {
  #worker = null;
  #waiting = new Map();
  #count = 0;
  #canvas = null;

  constructor() {
    if (!globalThis.OffscreenCanvas || !globalThis.Worker) return;
    this.#worker = new Worker("/static/encoding.js", { type: "module" });
    this.#worker.onmessage = ({ data }) => this.#take(data.number)?.resolve(data.jpeg);
    this.#worker.onerror = () => this.#giveUp();
  }

  /**
   * @param {VideoFrame | ImageBitmap} picture it is closed
   * @param {Look} look
   * @returns {Promise<ArrayBuffer>} a JPEG
   */
  async encode(picture, look) {
    if (!this.#worker) return this.#encodeHere(picture, look);
    return new Promise((resolve, reject) => {
      const number = ++this.#count;
      this.#waiting.set(number, { resolve, reject });
      this.#worker.postMessage({ number, picture, look }, [picture]);
    });
  }

  #take(number) {
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    return waiting;
  }

  /** Go on without the worker, where it does not work in this browser. */
  #giveUp() {
    this.#worker?.terminate();
    this.#worker = null;
    for (const { reject } of this.#waiting.values()) reject(new Error("The picture was lost."));
    this.#waiting.clear();
  }

  async #encodeHere(picture, { width, height, mirror, quality }) {
    this.#canvas ??= document.createElement("canvas");
    [this.#canvas.width, this.#canvas.height] = [width, height];
    // Read at every frame, so it is better off outside the GPU's memory.
    const pen = this.#canvas.getContext("2d", { alpha: false, willReadFrequently: true });
    if (mirror) pen.setTransform(-1, 0, 0, 1, width, 0);
    pen.drawImage(picture, 0, 0, width, height);
    picture.close();
    const blob = await new Promise((resolve) =>
      this.#canvas.toBlob(resolve, "image/jpeg", quality),
    );
    return blob.arrayBuffer();
  }
}
