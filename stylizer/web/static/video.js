/** The video tab: a file is uploaded, waits its turn, is painted, watched and kept. */

import { checkSize, upload } from "/static/api.js";
import { EMPTY, LocalFile, watchFiles } from "/static/chooser.js";
import { JobList, shownAt } from "/static/jobs.js";

export class Video {
  #player = element("video-player");
  #paint = element("video-paint");
  #local = new LocalFile();
  #file = null;
  #sending = null; // what can stop the upload that is under way
  #shown = null; // the id of the job in the stage
  #list;

  /**
   * @param {import("/static/settings.js").Settings} settings
   * @param {import("/static/jobs.js").Jobs} jobs
   */
  constructor(settings, jobs) {
    this.settings = settings;
    this.jobs = jobs;
    this.limits = {};
    const [input, stage] = [element("video-file"), element("video-stage")];
    watchFiles({ input, stage, onChoose: (file) => this.#choose(file) });
    this.#paint.addEventListener("click", () => this.#send());
    this.#player.addEventListener("error", () => this.#unplayable());
    element("video-abort").addEventListener("click", () => this.#sending?.abort());
    this.#list = new JobList(element("video-jobs"), jobs, {
      kind: "video",
      onShow: (job) => this.#show(job),
      isShown: (job) => job.id === this.#shown,
    });
  }

  #choose(file) {
    if (!file.size) {
      this.#say(EMPTY);
      return;
    }
    this.#file = file;
    this.#shown = null;
    this.#paint.disabled = this.#sending !== null;
    this.#play(this.#local.open(file));
    this.#list.update();
    this.#say(file.name);
  }

  #show(job) {
    element("video-stage").scrollIntoView({ block: "nearest" });
    this.#shown = job.id;
    this.#play(shownAt(job.result));
    this.#list.update();
  }

  #play(url) {
    element("video-hint").hidden = true;
    this.#player.hidden = false;
    this.#player.src = url;
  }

  #unplayable() {
    this.#player.hidden = true;
    element("video-hint").hidden = false;
    const name = this.#file?.name ?? "The video";
    element("video-hint").textContent = `${name}: this browser cannot play it, but it can be painted.`;
  }

  async #send() {
    const file = this.#file;
    this.#sending = new AbortController();
    this.#paint.disabled = true;
    element("video-upload").hidden = false;
    try {
      checkSize(file, this.limits.upload_bytes ?? Infinity);
      const fields = { content: file, options: JSON.stringify(this.settings.video) };
      const { signal } = this.#sending;
      const onProgress = (share) => this.#progress(file, share);
      await upload("/api/videos", fields, { onProgress, signal });
      this.#say(`${file.name} is uploaded. It is in the list below.`);
      await this.jobs.refresh();
    } catch (error) {
      this.#say(error.message);
    }
    this.#sending = null;
    element("video-upload").hidden = true;
    this.#paint.disabled = false;
  }

  #progress(file, share) {
    element("video-bar").value = share;
    const next = file === this.#file ? "" : `. Then ${this.#file.name} can be painted`;
    this.#say(`Uploading ${file.name}, ${Math.round(100 * share)} %${next}`);
  }

  #say(words) {
    element("video-message").textContent = words;
  }
}

function element(id) {
  return document.getElementById(id);
}
