/** A style of one's own that is chosen: it can be improved, and downloaded. */

import { request } from "/static/api.js";
import { isActive, JobList } from "/static/jobs.js";

const OWN = "own-";

export class OwnStyle {
  #place = element("own-style");
  #improve = element("improve");
  #download = element("own-download");
  #done = new Set(); // jobs that are done, and whose styles are shown

  /**
   * @param {import("/static/gallery.js").Gallery} gallery
   * @param {import("/static/jobs.js").Jobs} jobs
   * @param {() => void} onImproved called when a style has become another one
   */
  constructor(gallery, jobs, onImproved) {
    Object.assign(this, { gallery, jobs, onImproved });
    this.#improve.addEventListener("click", () => this.#send());
    gallery.addEventListener("change", () => this.#update());
    jobs.addEventListener("change", () => this.#heard());
    new JobList(element("style-jobs"), jobs, { kind: "style", onShow: () => {} });
  }

  async #send() {
    const { style } = this.gallery.choice;
    const minutes = Number(element("tune-minutes").value);
    this.#improve.disabled = true;
    try {
      const options = { method: "POST", body: JSON.stringify({ minutes }) };
      await request(`/api/styles/${style}/tune`, options);
      element("style-message").textContent = "";
      await this.jobs.refresh();
    } catch (error) {
      element("style-message").textContent = error.message;
    }
    this.#improve.disabled = false;
  }

  #heard() {
    const done = this.jobs.all.filter((job) => job.kind === "style" && job.state === "done");
    const fresh = done.filter((job) => !this.#done.has(job.id));
    for (const job of fresh) this.#done.add(job.id);
    if (fresh.length) this.onImproved();
    this.#improve.disabled = this.jobs.all.some((job) => job.kind === "style" && isActive(job));
  }

  #update() {
    const { style } = this.gallery.choice;
    const own = style?.startsWith(OWN) ?? false;
    this.#place.hidden = !own;
    this.#download.hidden = !own || !this.gallery.tuned;
    if (own) this.#download.href = `/api/styles/${style}/file`;
  }
}

function element(id) {
  return document.getElementById(id);
}
