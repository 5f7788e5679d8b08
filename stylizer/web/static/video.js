/** The video tab: a file is uploaded, waits its turn, is painted, watched and kept. */

import { LocalFile, sortFiles, watchFiles } from "/static/chooser.js";
import { JobList, shownAt } from "/static/jobs.js";
import { sendFiles } from "/static/sending.js";

export class Video {
  #player = element("video-player");
  #paint = element("video-paint");
  #local = new LocalFile();
  #files = []; // that are chosen; the first is shown
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
    const onChoose = (files, dropped) => this.#choose(files, dropped);
    watchFiles({ input, stage, kind: "video", onChoose, say: (words) => this.#say(words) });
    this.#paint.addEventListener("click", () => this.#send());
    this.#player.addEventListener("error", () => this.#unplayable());
    element("video-abort").addEventListener("click", () => this.#sending?.abort());
    this.#list = new JobList(element("video-jobs"), jobs, {
      kind: "video",
      onShow: (job) => this.#show(job),
      isShown: (job) => job.id === this.#shown,
    });
  }

  #choose(files, dropped) {
    const most = this.limits.upload_bytes ?? Infinity;
    const { fit, words } = sortFiles(files, "video", { most, dropped });
    if (!fit.length) return this.#say(words);
    this.#files = fit;
    this.#shown = null;
    this.#paint.disabled = this.#sending !== null;
    this.#paint.textContent = fit.length > 1 ? `Paint ${fit.length} videos` : "Paint";
    this.#play(this.#local.open(fit[0]));
    this.#list.update();
    const many = fit.length > 1;
    const chosen = many || words ? `${this.#chosen} ${many ? "are" : "is"} chosen.` : this.#chosen;
    this.#say(`${chosen} ${words}`.trim());
  }

  /** What is chosen, in words. */
  get #chosen() {
    return this.#files.length > 1 ? `${this.#files.length} videos` : this.#files[0].name;
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
    const name = this.#files[0]?.name ?? "The video";
    element("video-hint").textContent = `${name}: this browser cannot play it, but it can be painted.`;
  }

  async #send() {
    const files = this.#files;
    const what = this.#chosen;
    this.#sending = new AbortController();
    this.#paint.disabled = true;
    element("video-upload").hidden = false;
    const troubles = await sendFiles("/api/videos", files, this.settings.video, {
      jobs: this.jobs,
      say: (words, share) => this.#progress(files, words, share),
      onJob: () => {},
      signal: this.#sending.signal,
    });
    const several = files.length > 1;
    const words = troubles.map(({ file, words }) => (several ? `${file.name}: ${words}` : words));
    const done = several ? "are uploaded. They are" : "is uploaded. It is";
    this.#say(words.join(" ") || `${what} ${done} in the list below.`);
    this.#sending = null;
    element("video-upload").hidden = true;
    this.#paint.disabled = false;
  }

  #progress(files, words, share) {
    element("video-bar").value = share;
    const next = files === this.#files ? "" : `. Then ${this.#chosen} can be painted`;
    this.#say(`${words}${next}`);
  }

  #say(words) {
    element("video-message").textContent = words;
  }
}

function element(id) {
  return document.getElementById(id);
}
