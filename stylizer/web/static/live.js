/** The live tab: camera, socket and canvas in one loop, with snapshot and recording. */

import { Camera } from "/static/camera.js";
import { Encoder } from "/static/encoder.js";
import { Meter } from "/static/meter.js";
import { Pace } from "/static/pace.js";
import { Recorder } from "/static/recorder.js";
import { saveBlob, timeStamp } from "/static/save.js";
import { Stream } from "/static/stream.js";

const LONG = 60_000; // ms unseen after which the camera is let go

export class Live {
  #canvas = document.getElementById("live-canvas");
  #picture = this.#canvas.getContext("2d", { alpha: false });
  #panel = document.getElementById("panel-live");
  #stage = document.getElementById("live-stage");
  #start = document.getElementById("live-start");
  #snapshot = document.getElementById("live-snapshot");
  #record = document.getElementById("live-record");
  #choice = document.getElementById("camera");
  #flip = document.getElementById("live-flip");
  #full = document.getElementById("live-full");
  #recordingSince = 0;
  #camera = new Camera(document.getElementById("live-camera"));
  #recorder = new Recorder();
  #meter = new Meter();
  #encoder = new Encoder();
  #pace = new Pace();
  #painting = 0; // ms that the last frame took on the server
  #quicker = false; // whether a smaller network paints
  #original = null; // the frame that the painted one shows, where it is shown beside
  #wake = null; // called when a frame has come back
  #taken = 0; // frames so far
  #drawn = 0; // the last of them that was drawn
  #run = null;
  #unseen = null; // the timer that lets the camera go, while nothing is seen of the picture
  #released = false; // whether it has done so
  #stream;

  /**
   * @param {import("/static/settings.js").Settings} settings
   * @param {() => void} onRenewed called when the server came back with a new session
   */
  constructor(settings, onRenewed) {
    this.settings = settings;
    this.#stream = new Stream(() => this.#wanted);
    this.#stream.addEventListener("state", () => this.#connection());
    this.#stream.addEventListener("complaint", ({ detail }) => this.#say(detail.message));
    this.#stream.addEventListener("renewed", onRenewed);
    this.#stream.addEventListener("stats", ({ detail }) => this.#stats(detail));
    settings.gallery.addEventListener("upload", () => this.#stream.reconnect());
    this.#camera.addEventListener("end", () => this.stop("The camera was disconnected."));
    this.#start.addEventListener("click", () => (this.#run ? this.stop() : this.start()));
    this.#snapshot.addEventListener("click", () => this.#save());
    this.#record.addEventListener("click", () => this.#toggleRecording());
    this.#choice.addEventListener("change", () => this.#run && this.start());
    this.#flip.addEventListener("click", () => this.#otherCamera());
    this.#full.addEventListener("click", () => this.fullScreen());
    addEventListener("beforeunload", (event) => {
      if (this.#recorder.running) event.preventDefault(); // the browser asks first
    });
    document.addEventListener("visibilitychange", () => this.watch());
    this.#watchSettings();
    this.#watchSplit();
    setInterval(() => this.#run && !this.#unseen && this.#show(), 500);
  }

  async start() {
    const run = (this.#run = {});
    this.#seen();
    this.#buttons();
    this.#stage.scrollIntoView({ block: "nearest" });
    this.#say("Opening the camera…");
    try {
      await this.#camera.open(this.#choice.value, this.settings.live.short_side);
      if (this.#run !== run) return;
      await this.#camera.list(this.#choice);
      this.#flip.hidden = this.#choice.options.length < 2;
    } catch (error) {
      if (this.#run === run) this.stop(error.message);
      return;
    }
    this.#camera.video.hidden = false;
    document.getElementById("live-hint").hidden = true;
    this.#meter.clear();
    this.#pace.clear();
    if (this.#stream.state === "ready") this.#say("");
    else this.#stream.open();
    this.#loop(run);
    this.watch();
  }

  /** @param {string} [words] why, where it was not the user who stopped it */
  async stop(words = "") {
    this.#run = null;
    this.#seen();
    this.#wake?.();
    if (this.#recorder.running) await this.#toggleRecording();
    this.#camera.close();
    this.#stream.close();
    this.#camera.video.hidden = true;
    document.getElementById("live-readout").hidden = true;
    document.getElementById("live-hint").hidden = !this.#canvas.hidden;
    this.#buttons();
    this.#say(words);
  }

  /** What the server is told: the settings, and how fine its pictures are to be for this line. */
  get #wanted() {
    const quality = Math.round(100 * this.#pace.look.quality);
    return { ...this.settings.live, quality, adapts: this.settings.adapts };
  }

  async #loop(run) {
    while (this.#run === run) {
      await this.#stream.ready();
      await this.#turn(run);
      const shot = await this.#camera.nextFrame().catch(() => "lost"); // by the browser
      if (shot === "lost") continue;
      if (!shot) return;
      if (this.#run !== run || this.#stream.state !== "ready") {
        shot.picture.close();
        continue;
      }
      const { captured } = shot;
      const frame = this.#pace.take(performance.now());
      try {
        const look = this.#look(shot);
        const original = this.settings.split > 0 ? await copy(shot.picture, look) : null;
        const jpeg = await this.#encoder.encode(shot.picture, look);
        const sent = performance.now();
        this.#await(run, { captured, original, frame, sent }, this.#stream.send(jpeg));
      } catch (error) {
        this.#say(error.message);
      }
    }
  }

  /** Wait until the next frame is to be taken. */
  async #turn(run) {
    for (;;) {
      const wait = this.#pace.wait(performance.now(), this.#stream.onTheWay);
      if (wait < 2 || this.#run !== run || this.#stream.state !== "ready") return;
      await new Promise((resolve) => {
        this.#wake = resolve;
        if (wait < Infinity) setTimeout(resolve, wait);
      });
    }
  }

  /** Show a frame when it comes back. */
  async #await(run, { captured, original, frame, sent }, coming) {
    const place = ++this.#taken;
    try {
      const data = await coming;
      const now = performance.now();
      const answer = { now, sent, painting: this.#painting };
      if (this.#pace.answered(frame, answer)) this.#stream.apply(this.#wanted);
      this.#wake?.();
      const painted = await createImageBitmap(new Blob([data]));
      if (this.#run === run && place > this.#drawn) {
        this.#drawn = place; // they are decoded side by side, and one may overtake another
        this.#original?.close();
        this.#original = original;
        this.#draw(painted);
        // Seen at the next refresh of the screen, not when it is drawn.
        requestAnimationFrame((shown) => this.#meter.add(shown, shown - captured));
      }
      painted.close();
    } catch (error) {
      this.#wake?.();
      if (error.code !== "lost") this.#say(error.message);
    }
  }

  /** How the next frame is to be encoded. */
  #look({ width, height }) {
    const { scale, quality } = this.#pace.look;
    const side = Math.max(32, this.settings.live.short_side * scale);
    const share = Math.min(1, side / Math.min(width, height));
    const even = (length) => 2 * Math.max(1, Math.round((length * share) / 2));
    return { width: even(width), height: even(height), mirror: this.#mirror, quality };
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
    this.#camera.video.hidden = this.#camera.direct; // under the canvas it would cost time
    if (canvas.hidden || this.#snapshot.disabled) {
      canvas.hidden = false;
      this.#buttons();
    }
  }

  #drawOriginal(edge) {
    const { width, height } = this.#canvas;
    const pen = this.#picture;
    if (this.#original) {
      pen.save();
      pen.beginPath();
      pen.rect(0, 0, edge, height);
      pen.clip();
      if (this.#mirror) pen.setTransform(-1, 0, 0, 1, width, 0);
      pen.drawImage(this.#original, 0, 0, width, height);
      pen.restore();
    }
    pen.fillStyle = "#fff";
    pen.fillRect(Math.min(edge, width - 1) - 1, 0, 2, height);
  }

  #save() {
    this.#canvas.toBlob((blob) => saveBlob(blob, `stylizer-${timeStamp()}.png`), "image/png");
    this.#say("Snapshot saved.");
  }

  async #toggleRecording() {
    if (!this.#recorder.running) {
      this.#recorder.start(this.#canvas);
      this.#recordingSince = performance.now();
      this.#say("Recording…");
      this.#buttons();
      return;
    }
    const { blob, suffix } = await this.#recorder.stop();
    saveBlob(blob, `stylizer-${timeStamp()}${suffix}`);
    this.#say("Recording saved.");
    this.#buttons();
    this.watch();
  }

  #otherCamera() {
    const { options, selectedIndex } = this.#choice;
    this.#choice.selectedIndex = (selectedIndex + 1) % options.length;
    if (this.#run) this.start();
  }

  /** Fill the screen with the picture, or no more. */
  fullScreen() {
    const stage = this.#stage;
    if (document.fullscreenElement) document.exitFullscreen();
    else if (stage.requestFullscreen) stage.requestFullscreen().catch(() => this.#fill());
    else this.#fill(); // phones that give it to videos alone
  }

  #fill() {
    this.#stage.classList.toggle("filling");
  }

  /**
   * Have nothing painted while the picture is not seen, behind another page or another tab of this
   * one, unless it is recorded; go on when it is. After a while the camera is let go, and opened anew.
   */
  watch() {
    const hidden = document.hidden || this.#panel.hidden;
    if (!hidden && this.#unseen) this.#goOn();
    else if (hidden && !this.#unseen && this.#run && !this.#recorder.running) {
      this.#camera.pause();
      this.#unseen = setTimeout(() => this.#letGo(), LONG);
    }
  }

  /** Let the camera go, and the place on the server. */
  #letGo() {
    this.#run = {}; // ends the loop
    this.#released = true;
    this.#wake?.();
    this.#camera.close();
    this.#stream.close();
  }

  #goOn() {
    if (this.#released) return this.start();
    this.#seen();
    this.#meter.clear();
    this.#pace.measure();
    this.#camera.resume();
  }

  #seen() {
    clearTimeout(this.#unseen);
    [this.#unseen, this.#released] = [null, false];
  }

  /** Press a button, as by its key. */
  press(name) {
    const button = document.getElementById(`live-${name}`);
    if (!button.disabled && !this.#unseen) button.click();
  }

  get #mirror() {
    return this.settings.mirror && !this.#camera.looksAway;
  }

  #buttons() {
    const painting = this.#run !== null && !this.#canvas.hidden;
    this.#start.textContent = this.#run ? "Stop" : "Start";
    this.#snapshot.disabled = this.#canvas.hidden;
    this.#record.disabled = !painting || !Recorder.type;
    this.#record.textContent = this.#recorder.running ? "Stop recording" : "Record";
    this.#record.classList.toggle("running", this.#recorder.running);
    this.#camera.video.classList.toggle("mirrored", this.#mirror);
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
      this.#camera.video.classList.toggle("mirrored", this.#mirror);
      clearTimeout(timer);
      timer = setTimeout(() => {
        const live = this.settings.live;
        this.#pace.adapts = this.settings.adapts;
        const now = JSON.stringify([live, this.settings.adapts]);
        if (now !== last) this.#stream.apply(this.#wanted);
        last = now;
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

  #stats({ size, painted, paint_ms: painting, quicker }) {
    this.#painting = painting;
    const [whole, part] = [size, painted].map((sides) => sides.join(" × "));
    const how = painted[0] < size[0] ? `${whole}, painted at ${part}` : whole;
    write("live-size", quicker ? `${how}, by the smaller network` : how);
    if (quicker === this.#quicker) return;
    this.#say(quicker ? "That was too slow: a smaller network paints for now." : "");
    this.#pace.measure();
    this.#quicker = quicker;
  }

  #show() {
    if (this.#recorder.running) {
      const seconds = Math.floor((performance.now() - this.#recordingSince) / 1000);
      this.#say(`Recording, ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`);
    }
    write("live-fps", this.#meter.fps(performance.now()).toFixed(1));
    write("live-p50", this.#meter.latency(0.5).toFixed(0));
    write("live-p95", this.#meter.latency(0.95).toFixed(0));
    document.getElementById("live-readout").hidden = this.#canvas.hidden;
  }

  #say(words) {
    write("live-message", words);
  }
}

/** Show words; where they are there already, the page need not be laid out anew. */
function write(id, words) {
  const element = document.getElementById(id);
  if (element.textContent !== words) element.textContent = words;
}

/** Copy the camera's picture, to show it beside the painted one. */
function copy(picture, { width, height }) {
  return createImageBitmap(picture, { resizeWidth: width, resizeHeight: height });
}
