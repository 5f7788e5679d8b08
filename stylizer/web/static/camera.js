/** The browser's camera: opening it, naming what went wrong, and its frames one by one. */

const WORDS = {
  NotAllowedError:
    "The camera was refused. Allow it for this page " +
    "(the camera or lock sign beside the address), then start again.",
  NotFoundError: "No camera was found. Connect one, then start again.",
  NotReadableError: "The camera is in use by another program. Close that, then start again.",
  OverconstrainedError: "That camera is gone. Choose another one, then start again.",
};

export class Camera extends EventTarget {
  #video;
  #stream = null;
  #fresh = null;
  #waiting = null;

  /** @param {HTMLVideoElement} video what plays the camera's picture */
  constructor(video) {
    super();
    this.#video = video;
  }

  get video() {
    return this.#video;
  }

  get running() {
    return this.#stream !== null;
  }

  /** @returns {boolean} whether it looks away from who holds it: its picture is no mirror's */
  get looksAway() {
    const facing = this.#stream?.getVideoTracks()[0].getSettings().facingMode;
    return facing === "environment" || /back|rear|environment/i.test(this.#label);
  }

  get #label() {
    return this.#stream?.getVideoTracks()[0].label ?? "";
  }

  /**
   * Open a camera. Dispatches `end` when it is unplugged later.
   * @param {string} choice `user` (front), `environment` (back), or a device's id
   * @param {number} side the short side that is wanted, pixels
   * @throws {Error} with words for people
   */
  async open(choice, side) {
    this.close();
    if (!navigator.mediaDevices) {
      throw new Error(
        "Browsers give a camera only to pages on https or on localhost. " +
          "Open this page on the machine that serves it (http://localhost), or serve it over https.",
      );
    }
    const which = ["user", "environment"].includes(choice)
      ? { facingMode: choice }
      : { deviceId: { exact: choice } };
    try {
      const video = { ...which, ...wanted(side) };
      this.#stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
    } catch (error) {
      throw new Error(WORDS[error.name] ?? `The camera does not start: ${error.message}`);
    }
    const [track] = this.#stream.getVideoTracks();
    track.addEventListener("ended", () => this.dispatchEvent(new Event("end")));
    this.#video.srcObject = this.#stream;
    await this.#video.play();
    this.#watch(this.#stream);
  }

  /** Ask the running camera for another size; it may keep its own. */
  resize(side) {
    this.#stream?.getVideoTracks()[0].applyConstraints(wanted(side)).catch(() => {});
  }

  close() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.#fresh = null;
    this.#video.srcObject = null;
    this.#waiting?.(null);
    this.#waiting = null;
  }

  /** Put the cameras' names, known once one was allowed, into a select. */
  async list(select) {
    const devices = await navigator.mediaDevices.enumerateDevices();
    const cameras = devices.filter((device) => device.kind === "videoinput" && device.label);
    if (!cameras.length) return;
    select.replaceChildren(...cameras.map((camera) => new Option(camera.label, camera.deviceId)));
    select.value = this.#stream?.getVideoTracks()[0].getSettings().deviceId ?? cameras[0].deviceId;
  }

  /**
   * Wait for a frame that was not given yet: at once where one came meanwhile.
   * @returns {Promise<number | null>} when it was captured, ms; null when the camera was closed
   */
  nextFrame() {
    const captured = this.#fresh;
    this.#fresh = null;
    if (captured !== null || !this.#stream) return Promise.resolve(captured);
    return new Promise((resolve) => (this.#waiting = resolve));
  }

  #watch(stream) {
    const seen = (now, frame) => {
      if (this.#stream !== stream) return;
      const captured = frame?.captureTime ?? now;
      if (this.#waiting) this.#waiting(captured);
      else this.#fresh = captured;
      this.#waiting = null;
      next();
    };
    const next = () =>
      this.#video.requestVideoFrameCallback
        ? this.#video.requestVideoFrameCallback(seen)
        : requestAnimationFrame(seen);
    next();
  }
}

function wanted(side) {
  return {
    width: { ideal: Math.round((side * 16) / 9) },
    height: { ideal: side },
    frameRate: { ideal: 30 },
  };
}
