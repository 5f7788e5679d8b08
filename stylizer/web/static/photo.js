/** The photo tab: a picture is chosen, painted on the server, watched, compared and kept. */

import { LocalFile, sortFiles, watchFiles } from "/static/chooser.js";
import { describe, isActive, JobList, shownAt } from "/static/jobs.js";
import { LossCurve } from "/static/losses.js";
import { sendFiles } from "/static/sending.js";

export class Photo {
  #picture = element("photo-picture");
  #paint = element("photo-paint");
  #original = element("photo-original");
  #download = element("photo-download");
  #curve = new LossCurve(element("photo-losses"));
  #local = new LocalFile();
  #files = []; // that are chosen; the first is shown
  #shown = null; // the id of the job in the stage
  #iterations = new Map(); // by job: how many were asked for
  #ofFile = new Set(); // jobs whose content is the chosen file
  #list;

  /**
   * @param {import("/static/settings.js").Settings} settings
   * @param {import("/static/jobs.js").Jobs} jobs
   */
  constructor(settings, jobs) {
    this.settings = settings;
    this.jobs = jobs;
    this.limits = {};
    const [input, stage] = [element("photo-file"), element("photo-stage")];
    const onChoose = (files, dropped) => this.#choose(files, dropped);
    watchFiles({ input, stage, kind: "photo", onChoose, say: (words) => this.#say(words) });
    this.#paint.addEventListener("click", () => this.#send());
    this.#original.addEventListener("click", () => this.#compare());
    element("photo-cancel").addEventListener("click", () => jobs.cancel(this.#shown));
    this.#picture.addEventListener("error", () => this.#unshowable());
    jobs.addEventListener("change", () => this.#update());
    this.#list = new JobList(element("photo-jobs"), jobs, {
      kind: "photo",
      onShow: (job) => this.#show(job),
      isElsewhere: (job) => job.id === this.#shown,
    });
  }

  #choose(files, dropped) {
    const most = this.limits.upload_bytes ?? Infinity;
    const { fit, words } = sortFiles(files, "photo", { most, dropped });
    if (!fit.length) return this.#say(words);
    const several = fit.length > 1 ? `${fit.length} photos` : "";
    this.#files = fit;
    this.#ofFile.clear();
    this.#shown = null;
    this.#display(this.#local.open(fit[0]), `Your photo ${fit[0].name}`);
    this.#paint.disabled = false;
    this.#paint.textContent = `Paint ${several}`.trim();
    this.#finished(null);
    this.#list.update();
    this.#say([several && `${several} are chosen.`, words].filter(Boolean).join(" "));
  }

  async #send() {
    const [files, options] = [this.#files, this.settings.photo];
    const several = files.length > 1; // each has its card, and none the stage
    const isChosen = () => files === this.#files; // others may be, before the answer is there
    this.#paint.disabled = true;
    if (several) this.#shown = null;
    element("photo-stage").scrollIntoView({ block: "nearest" });
    const say = (words) => isChosen() && !(several && this.#shown) && this.#say(words);
    const onJob = (job) => {
      this.#iterations.set(job, options.iterations);
      if (!several && isChosen()) this.#follow(job);
    };
    const troubles = await sendFiles("/api/photos", files, options, { jobs: this.jobs, say, onJob });
    const names = several || !isChosen();
    const words = troubles.map(({ file, words }) => (names ? `${file.name}: ${words}` : words));
    if (words.length) this.#say(words.join(" "));
    else if (several) say(`${files.length} photos are in the list below.`);
    if (isChosen()) this.#paint.disabled = false;
  }

  /** Show the job that paints the chosen file. */
  #follow(job) {
    this.#shown = job;
    this.#ofFile.add(job);
    this.#display(this.#local.url, `Your photo ${this.#files[0].name}`);
    this.#finished(null);
  }

  #show(job) {
    element("photo-stage").scrollIntoView({ block: "nearest" });
    this.#shown = job.id;
    this.#update();
    this.#list.update();
  }

  #update() {
    const job = this.jobs.find(this.#shown) ?? (this.#shown || this.#files.length ? null : this.#latest());
    if (!job) return;
    this.#shown = job.id;
    this.#say(describe(job));
    element("photo-progress").hidden = !isActive(job);
    element("photo-bar").value = job.progress;
    this.#curve.show(job.losses ?? [], this.#iterations.get(job.id) ?? 0);
    if (isActive(job) && job.preview) {
      this.#display(`${job.preview}&at=${job.progress}`, `${job.name}, being painted`);
    }
    if (job.result && this.#download.getAttribute("href") !== job.result) {
      this.#display(shownAt(job.result), `${job.name}, painted`);
      this.#finished(job);
    }
  }

  /** What this session painted last, as after the page was loaded anew. */
  #latest() {
    return this.jobs.all.findLast((job) => job.kind === "photo" && (isActive(job) || job.result));
  }

  #compare() {
    const show = this.#original.getAttribute("aria-pressed") === "false";
    this.#original.setAttribute("aria-pressed", String(show));
    if (show) this.#display(this.#local.url, "The original");
    else this.#display(shownAt(this.#download.getAttribute("href")), "The painted photo");
  }

  /** Offer the result of a job, or nothing. */
  #finished(job) {
    element("photo-progress").hidden = true;
    this.#curve.show(job?.losses ?? [], 0);
    this.#download.hidden = !job;
    if (job) this.#download.href = job.result;
    else this.#download.removeAttribute("href");
    this.#original.hidden = !job || !this.#ofFile.has(job.id);
    this.#original.setAttribute("aria-pressed", "false");
  }

  #display(url, words) {
    element("photo-hint").hidden = true;
    this.#picture.hidden = false;
    this.#picture.src = url;
    this.#picture.alt = words;
  }

  #unshowable() {
    this.#picture.hidden = true;
    this.#say("This browser cannot show that picture.");
  }

  #say(words) {
    const place = element("photo-message");
    if (place.textContent !== words) place.textContent = words;
  }
}

function element(id) {
  return document.getElementById(id);
}
