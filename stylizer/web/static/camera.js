/** The browser's camera: opening it, naming what went wrong, and its frames one by one. */

/** @typedef {{picture: VideoFrame | ImageBitmap, width: number, height: number, captured: number}} Shot
 *    a frame, to be closed by who has it, its size in pixels, and when it was captured, ms */

const WORDS = {
  NotAllowedError:
    "The camera was refused. Allow it for this page " +
    "(the camera or lock sign beside the address), then start again.",
  NotFoundError: "No camera was found. Connect one, then start again.",
  NotReadableError: "The camera is in use by another program. Close that, then start again.",
  OverconstrainedError: "That camera is gone. Choose another one, then start again.",
};

const FRESH = 8; // ms that a frame may have waited

export class Camera extends EventTarget {
  #video;
  #stream = null;
  #opening = null; // what the newest call of `open` is known by, until `close`
  #fresh = null; // the newest frame: to be taken, or dropped
  #waiting = null;
  #direct = false;
  #goOn = null; // ends a pause
  #paused = null; // resolves when a pause ends; null where there is none

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
    const opening = (this.#opening = {});
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
      const stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
      if (this.#opening !== opening) return release(stream); // nobody wants it any more
      this.#stream = stream;
    } catch (error) {
      throw new Error(WORDS[error.name] ?? `The camera does not start: ${error.message}`);
    }
    const [track] = this.#stream.getVideoTracks();
    track.addEventListener("ended", () => this.dispatchEvent(new Event("end")));
    this.#video.srcObject = this.#stream;
    await this.#video.play().catch((error) => {
      if (!this.#paused && this.#opening === opening) throw error;
    });
    if (this.#opening !== opening) return;
    if (globalThis.MediaStreamTrackProcessor) this.#read(this.#stream);
    else this.#watch(this.#stream);
  }

  /** Ask the running camera for another size; it may keep its own. */
  resize(side) {
    this.#stream?.getVideoTracks()[0].applyConstraints(wanted(side)).catch(() => {});
  }

  /** Give no frames, and read none, until `resume`; the camera stays open. */
  pause() {
    this.#paused ??= new Promise((resolve) => (this.#goOn = resolve));
    this.#video.pause();
    this.#drop();
  }

  resume() {
    this.#goOn?.();
    this.#goOn = this.#paused = null;
    if (this.#stream) this.#video.play().catch(() => {}); // it may be closed meanwhile
  }

  #drop() {
    this.#fresh?.drop?.();
    this.#fresh = null;
  }

  close() {
    if (this.#stream) release(this.#stream);
    this.#stream = this.#opening = null;
    this.resume();
    this.#drop();
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
   * Wait for a frame that was not given yet: at once where one has only just come. One that has
   * waited is late already, and the next comes soon.
   * @returns {Promise<Shot | null>} null when the camera was closed
   */
  nextFrame() {
    const fresh = this.#fresh;
    this.#fresh = null;
    if (!this.#stream) return Promise.resolve(null);
    if (fresh && performance.now() - fresh.came < FRESH) return Promise.resolve(fresh.take());
    fresh?.drop?.();
    return new Promise((resolve) => (this.#waiting = resolve));
  }

  /** @returns {boolean} whether frames come from the track itself, and the video need not be seen */
  get direct() {
    return this.#direct;
  }

  /** Have a frame taken by who waits for one, or by who comes before the next. */
  #offer(frame) {
    this.#fresh?.drop?.();
    this.#fresh = this.#waiting ? null : { ...frame, came: performance.now() };
    this.#waiting?.(frame.take());
    this.#waiting = null;
  }

  /** Take frames from the track: at once, and without the page being laid out for each. */
  async #read(stream) {
    const [track] = stream.getVideoTracks();
    const reader = new MediaStreamTrackProcessor({ track, maxBufferSize: 1 }).readable.getReader();
    let before = Infinity; // from the camera's clock to ours, by the quickest frame
    this.#direct = true;
    while (this.#stream === stream) {
      await this.#paused;
      const { value: picture, done } = await reader.read();
      if (done) return;
      if (this.#stream !== stream) return picture.close();
      if (this.#paused) {
        picture.close();
        continue;
      }
      const [width, height] = [picture.displayWidth, picture.displayHeight];
      if (width > height !== this.#video.videoWidth > this.#video.videoHeight) {
        picture.close(); // a phone that was turned, whose frames do not tell
        reader.cancel();
        this.#direct = false;
        return this.#watch(stream);
      }
      before = Math.min(before, performance.now() - picture.timestamp / 1000);
      const captured = picture.timestamp / 1000 + before;
      const take = () => ({ picture, width, height, captured });
      this.#offer({ take, drop: () => picture.close() });
    }
  }

  /** Take frames from what the video shows. */
  #watch(stream) {
    const video = this.#video;
    const seen = (now, frame) => {
      if (this.#stream !== stream) return;
      if (this.#paused) return next(); // called again once the video plays
      const captured = frame?.captureTime ?? now;
      const { videoWidth: width, videoHeight: height } = video;
      this.#offer({ take: async () => ({ picture: await grab(video), width, height, captured }) });
      next();
    };
    const next = () =>
      video.requestVideoFrameCallback
        ? video.requestVideoFrameCallback(seen)
        : requestAnimationFrame(seen);
    next();
  }
}

function release(stream) {
  for (const track of stream.getTracks()) track.stop();
}

/** Take the picture out as it is, which costs nothing, or as a copy. */
async function grab(video) {
  try {
    if (globalThis.VideoFrame) return new VideoFrame(video);
  } catch {
    // as of a picture that is turned in a way that frames cannot tell
  }
  return createImageBitmap(video);
}

function wanted(side) {
  return {
    width: { ideal: Math.round((side * 16) / 9) },
    height: { ideal: side },
    frameRate: { ideal: 30 },
  };
}
