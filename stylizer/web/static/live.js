/** The live tab: camera, socket and canvas in one loop, with snapshot and recording. */

import { Camera } from "/static/camera.js";
import { Meter } from "/static/meter.js";
import { Recorder } from "/static/recorder.js";
import { saveBlob, timeStamp } from "/static/save.js";
import { Stream } from "/static/stream.js";

const QUALITY = 0.85;

export class Live {
  #canvas = document.getElementById("live-canvas");
  #picture = this.#canvas.getContext("2d", { alpha: false });
  #sent = document.createElement("canvas");
  // Read at every frame, so it is better off outside the GPU's memory.
  #pen = this.#sent.getContext("2d", { alpha: false, willReadFrequently: true });
  #stage = document.getElementById("live-stage");
  #start = document.getElementById("live-start");
  #snapshot = document.getElementById("live-snapshot");
  #record = document.getElementById("live-record");
  #choice = document.getElementById("camera");
  #camera = new Camera(document.getElementById("live-camera"));
  #recorder = new Recorder();
  #meter = new Meter();
  #run = null;
  #stream;

  /**
   * @param {import("/static/settings.js").Settings} settings
   * @param {() => void} onRenewed called when the server came back with a new session
   */
  constructor(settings, onRenewed) {
    this.settings = settings;
    this.#stream = new Stream(() => settings.live);
    this.#stream.addEventListener("state", () => this.#connection());
    this.#stream.addEventListener("complaint", ({ detail }) => this.#say(detail.message));
    this.#stream.addEventListener("renewed", onRenewed);
    this.#stream.addEventListener("stats", ({ detail }) => this.#stats(detail));
    this.#camera.addEventListener("end", () => this.stop("The camera was disconnected."));
    this.#start.addEventListener("click", () => (this.#run ? this.stop() : this.start()));
    this.#snapshot.addEventListener("click", () => this.#save());
    this.#record.addEventListener("click", () => this.#toggleRecording());
    this.#choice.addEventListener("change", () => this.#run && this.start());
    this.#watchSettings();
    this.#watchSplit();
    setInterval(() => this.#run && this.#show(), 500);
  }

  async start() {
    const run = (this.#run = {});
    this.#buttons();
    this.#stage.scrollIntoView({ block: "nearest" });
    this.#say("Opening the camera…");
    try {
      await this.#camera.open(this.#choice.value, this.settings.live.short_side);
      if (this.#run !== run) return;
      await this.#camera.list(this.#choice);
    } catch (error) {
      if (this.#run === run) this.stop(error.message);
      return;
    }
    this.#camera.video.hidden = false;
    document.getElementById("live-hint").hidden = true;
    this.#meter.clear();
    if (this.#stream.state === "ready") this.#say("");
    else this.#stream.open();
    this.#loop(run);
  }

  /** @param {string} [words] why, where it was not the user who stopped it */
  async stop(words = "") {
    this.#run = null;
    if (this.#recorder.running) await this.#toggleRecording();
    this.#camera.close();
    this.#stream.close();
    this.#camera.video.hidden = true;
    document.getElementById("live-readout").hidden = true;
    document.getElementById("live-hint").hidden = !this.#canvas.hidden;
    this.#buttons();
    this.#say(words);
  }

  async #loop(run) {
    while (this.#run === run) {
      await this.#stream.ready();
      const captured = await this.#camera.nextFrame();
      if (captured === null || this.#run !== run) return;
      if (this.#stream.state !== "ready") continue;
      try {
        const painted = await createImageBitmap(await this.#stream.send(await this.#capture()));
        if (this.#run !== run) return;
        this.#draw(painted);
        painted.close();
        // Seen at the next refresh of the screen, not when it is drawn.
        requestAnimationFrame((shown) => this.#meter.add(shown, shown - captured));
      } catch (error) {
        if (error.code !== "lost") this.#say(error.message);
      }
    }
  }

  /** Draw the camera's frame at the working size; @returns {Promise<Blob>} it as JPEG */
  #capture() {
    const { video } = this.#camera;
    const [width, height] = [video.videoWidth, video.videoHeight];
    const scale = Math.min(1, this.settings.live.short_side / Math.min(width, height));
    this.#sent.width = 2 * Math.round((width * scale) / 2);
    this.#sent.height = 2 * Math.round((height * scale) / 2);
    if (this.settings.mirror) this.#pen.setTransform(-1, 0, 0, 1, this.#sent.width, 0);
    this.#pen.drawImage(video, 0, 0, this.#sent.width, this.#sent.height);
    return new Promise((resolve) => this.#sent.toBlob(resolve, "image/jpeg", QUALITY));
  }

  #draw(painted) {
    const canvas = this.#canvas;
    const { width, height } = painted;
    if (!this.#recorder.running && (canvas.width !== width || canvas.height !== height)) {
      [canvas.width, canvas.height] = [width, height];
      this.#stage.style.aspectRatio = `${width} / ${height}`;
    }
    this.#picture.drawImage(painted, 0, 0, canvas.width, canvas.height);
    if (this.settings.split > 0) this.#drawOriginal(Math.round(canvas.width * this.settings.split));
    if (canvas.hidden || this.#snapshot.disabled) {
      canvas.hidden = false;
      this.#buttons();
    }
  }

  #drawOriginal(edge) {
    const { width, height } = this.#canvas;
    const share = (this.#sent.width * edge) / width;
    this.#picture.drawImage(this.#sent, 0, 0, share, this.#sent.height, 0, 0, edge, height);
    this.#picture.fillStyle = "#fff";
    this.#picture.fillRect(Math.min(edge, width - 1) - 1, 0, 2, height);
  }

  #save() {
    this.#canvas.toBlob((blob) => saveBlob(blob, `stylizer-${timeStamp()}.png`), "image/png");
    this.#say("Snapshot saved.");
  }

  async #toggleRecording() {
    if (!this.#recorder.running) {
      this.#recorder.start(this.#canvas);
      this.#say("Recording…");
      this.#buttons();
      return;
    }
    const { blob, suffix } = await this.#recorder.stop();
    saveBlob(blob, `stylizer-${timeStamp()}${suffix}`);
    this.#say("Recording saved.");
    this.#buttons();
  }

  #buttons() {
    const painting = this.#run !== null && !this.#canvas.hidden;
    this.#start.textContent = this.#run ? "Stop" : "Start";
    this.#snapshot.disabled = this.#canvas.hidden;
    this.#record.disabled = !painting || !Recorder.type;
    this.#record.textContent = this.#recorder.running ? "Stop recording" : "Record";
    this.#record.classList.toggle("running", this.#recorder.running);
    this.#camera.video.classList.toggle("mirrored", this.settings.mirror);
  }

  #connection() {
    const { state, words } = this.#stream;
    if (state === "refused") this.stop(words);
    else if (this.#run) this.#say(words);
  }

  #watchSettings() {
    let side = this.settings.live.short_side;
    let last = "";
    let timer = null;
    this.settings.addEventListener("change", () => {
      this.#camera.video.classList.toggle("mirrored", this.settings.mirror);
      clearTimeout(timer);
      timer = setTimeout(() => {
        const live = this.settings.live;
        if (JSON.stringify(live) !== last) this.#stream.apply(live);
        last = JSON.stringify(live);
        if (live.short_side !== side) this.#camera.resize((side = live.short_side));
      }, 60); // a slider on the move says much
    });
  }

  /** Let the line between original and painted be dragged in the picture. */
  #watchSplit() {
    this.#canvas.addEventListener("pointermove", (event) => {
      if (!event.buttons || !this.settings.split) return;
      const box = this.#canvas.getBoundingClientRect();
      const scale = Math.min(box.width / this.#canvas.width, box.height / this.#canvas.height);
      const inside = event.clientX - box.left - (box.width - this.#canvas.width * scale) / 2;
      this.settings.split = Math.min(1, Math.max(0.01, inside / (this.#canvas.width * scale)));
    });
  }

  #stats({ size }) {
    document.getElementById("live-size").textContent = `${size[0]} × ${size[1]}`;
  }

  #show() {
    document.getElementById("live-fps").textContent = this.#meter.fps(performance.now()).toFixed(1);
    document.getElementById("live-p50").textContent = this.#meter.latency(0.5).toFixed(0);
    document.getElementById("live-p95").textContent = this.#meter.latency(0.95).toFixed(0);
    document.getElementById("live-readout").hidden = this.#canvas.hidden;
  }

  #say(words) {
    document.getElementById("live-message").textContent = words;
  }
}
