/** Records a canvas into a video file, in the browser. */

const TYPES = ["video/mp4;codecs=avc1.42E01F", "video/webm;codecs=vp8", "video/webm", "video/mp4"];

export class Recorder {
  #recorder = null;
  #parts = [];

  /** @returns {string | undefined} a type that this browser can write */
  static get type() {
    return globalThis.MediaRecorder && TYPES.find((type) => MediaRecorder.isTypeSupported(type));
  }

  get running() {
    return this.#recorder !== null;
  }

  /** @param {HTMLCanvasElement} canvas whose size must stay until `stop` */
  start(canvas) {
    this.#parts = [];
    this.#recorder = new MediaRecorder(canvas.captureStream(30), {
      mimeType: Recorder.type, videoBitsPerSecond: 6_000_000,
    });
    this.#recorder.ondataavailable = (event) => event.data.size && this.#parts.push(event.data);
    this.#recorder.start(1000);
  }

  /** @returns {Promise<{blob: Blob, suffix: string}>} */
  async stop() {
    const recorder = this.#recorder;
    this.#recorder = null;
    const stopped = new Promise((resolve) => (recorder.onstop = resolve));
    recorder.stop();
    await stopped;
    for (const track of recorder.stream.getTracks()) track.stop();
    const type = recorder.mimeType.split(";")[0];
    return { blob: new Blob(this.#parts, { type }), suffix: type.endsWith("mp4") ? ".mp4" : ".webm" };
  }
}
