/** Photos, videos and styles that the server works on: asked for while any is under way, and shown as cards. */

import { ApiError, request, sentence } from "/static/api.js";
import { saveFrom } from "/static/save.js";

const PERIOD = 600;
const CALM = 60_000; // between two looks when all is finished: results go, and cards with them
const ACTIVE = ["queued", "running"];

export function isActive(job) {
  return ACTIVE.includes(job.state);
}

/** All jobs of this session. Dispatches `change` when they were read, `error` when that failed. */
export class Jobs extends EventTarget {
  #timer = null;
  #reading = 0;
  #removed = new Set(); // by the visitor
  all = [];

  /** @type {object[]} those whose results the server has removed, newest last */
  gone = [];

  /** @type {number} how many of them may be under way */
  most = Infinity;

  /** @type {number} seconds that results are kept; 0 before that is known */
  keepSeconds = 0;

  /** Read them now, and again and again: often until all are finished. */
  async refresh() {
    const turn = ++this.#reading;
    clearTimeout(this.#timer);
    try {
      const all = await request("/api/jobs");
      if (turn !== this.#reading) return; // a later question is under way
      const kept = new Set([...this.#removed, ...all.map(({ id }) => id)]);
      this.gone.push(...this.all.filter(({ id, result }) => result && !kept.has(id)));
      this.all = all;
      this.dispatchEvent(new Event("change"));
      const period = all.some(isActive) ? PERIOD : CALM;
      if (all.length) this.#timer = setTimeout(() => this.refresh(), period);
    } catch (error) {
      this.dispatchEvent(new CustomEvent("error", { detail: error }));
      this.#timer = setTimeout(() => this.refresh(), 5 * PERIOD);
    }
  }

  /**
   * Wait until one more may be under way.
   * @param {() => void} onWait called when that is not so yet
   * @param {AbortSignal} [signal] ends the waiting
   */
  async room(onWait, signal) {
    while (this.all.filter(isActive).length >= this.most && !signal?.aborted) {
      onWait();
      await new Promise((resolve) => this.addEventListener("change", resolve, { once: true }));
    }
  }

  /** Download all results that are there as one ZIP. */
  async downloadAll() {
    try {
      const all = await request("/api/jobs");
      if (all.some(({ result }) => result)) return saveFrom("/api/results");
      await this.refresh(); // their cards go
      const time = minutes(this.keepSeconds);
      throw new ApiError(`Your results are no longer here: they are kept for ${time}. Paint again.`, "no_result");
    } catch (error) {
      this.dispatchEvent(new CustomEvent("error", { detail: error }));
    }
  }

  find(id) {
    return this.all.find((job) => job.id === id);
  }

  async cancel(id) {
    await this.#act(`/api/jobs/${id}/cancel`, "POST");
  }

  async remove(id) {
    this.#removed.add(id);
    await this.#act(`/api/jobs/${id}`, "DELETE");
  }

  async #act(path, method) {
    try {
      await request(path, { method });
    } catch (error) {
      this.dispatchEvent(new CustomEvent("error", { detail: error }));
    }
    await this.refresh();
  }
}

/** @returns {string} what a job is doing, for people */
export function describe(job) {
  if (job.state === "queued") {
    const place = job.place > 1 ? `place ${job.place} in the queue` : "next in the queue";
    return [`Waiting, ${place}`, job.message].filter(Boolean).join(". ");
  }
  if (job.state === "running") {
    const left = job.seconds_left == null ? "" : `, ${timeLeft(job.seconds_left)} left`;
    const far = `${job.kind === "style" ? "Learning" : "Painting"}, ${Math.floor(100 * job.progress)} %${left}`;
    const slower = job.gives_way ? "Slower: the live picture goes first" : "";
    return [far, sentence(job.message), slower].filter(Boolean).join(". ");
  }
  if (job.state === "done") {
    return ["Done", ...[job.message, ...(job.warnings ?? [])].filter(Boolean).map(sentence)].join(". ");
  }
  if (job.state === "cancelled") return "Cancelled";
  return sentence(job.message || "it failed");
}

/** @returns {string} in which style, and when it was handed in */
function about(job) {
  const at = new Date(1000 * job.created);
  const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return [job.style, time].filter(Boolean).join(", ");
}

function timeLeft(seconds) {
  if (seconds < 60) return `about ${Math.max(1, Math.round(seconds))} s`;
  return `about ${Math.round(seconds / 60)} min`;
}

function minutes(seconds) {
  return `${Math.round(seconds / 60)} minutes`;
}

/** @returns {string} how many jobs of each kind there are, as "2 photos, 1 video" */
function count(jobs) {
  const words = ["photo", "video", "style"].map((kind) => {
    const many = jobs.filter((job) => job.kind === kind).length;
    return many && `${many} ${kind}${many > 1 ? "s" : ""}`;
  });
  return words.filter(Boolean).join(", ");
}

/** Where a result is to be shown: asked for so, it does not count as downloaded. */
export function shownAt(result) {
  return `${result}?show`;
}

/** Cards of one kind of job, newest first, updated in place so that a focus is never lost. */
export class JobList {
  #cards = new Map();
  #note = Object.assign(document.createElement("p"), { className: "message" });
  #all = Object.assign(document.createElement("button"), { type: "button" });
  #buttons = Object.assign(document.createElement("div"), { className: "buttons" });

  /**
   * @param {HTMLElement} place
   * @param {Jobs} jobs
   * @param {object} options
   * @param {"photo" | "video" | "style"} options.kind
   * @param {(job: object) => void} options.onShow
   * @param {(job: object) => boolean} [options.isElsewhere] tells of a job that is in the stage
   *   already and needs no card
   * @param {(job: object) => boolean} [options.isShown] tells of a job that is in the stage and
   *   keeps its card, which is marked
   */
  constructor(place, jobs, { kind, onShow, isElsewhere = () => false, isShown = () => false }) {
    Object.assign(this, { place, jobs, onShow, isShown, kind });
    this.isMine = (job) => job.kind === kind && !isElsewhere(job);
    this.#note.setAttribute("role", "status");
    this.#all.addEventListener("click", () => jobs.downloadAll());
    this.#buttons.append(this.#all);
    place.append(this.#note, this.#buttons);
    jobs.addEventListener("change", () => this.update());
  }

  update() {
    const mine = this.jobs.all.filter(this.isMine);
    for (const [id, card] of this.#cards) {
      if (mine.some((job) => job.id === id)) continue;
      card.remove();
      this.#cards.delete(id);
    }
    for (const job of mine) {
      if (!this.#cards.has(job.id)) this.#cards.set(job.id, this.#card(job));
      this.#fill(this.#cards.get(job.id), job);
    }
    const words = this.#words();
    if (this.#note.textContent !== words) this.#note.textContent = words;
    const results = this.jobs.all.filter(({ result }) => result);
    const label = `Download all (ZIP): ${count(results)}`;
    if (this.#all.textContent !== label) this.#all.textContent = label;
    this.#buttons.hidden = results.length < 2 || this.kind === "style";
    this.place.hidden = !mine.length && !words;
  }

  /** @returns {string} how long results stay, and which have gone */
  #words() {
    const isOurs = ({ kind, result }) => kind === this.kind && result;
    const names = this.jobs.gone.filter(isOurs).map(({ name }) => name);
    const kept = this.jobs.all.some(isOurs) && this.jobs.keepSeconds;
    const rule = `Results stay here for ${minutes(this.jobs.keepSeconds)}.`;
    const gone = `The oldest results are removed: ${names.join(", ")}.`;
    const told = [kept && rule, names.length && gone].filter(Boolean);
    return told.length ? `${told.join(" ")} Download what you want to keep.` : "";
  }

  #card(job) {
    const card = document.createElement("article");
    card.className = "job";
    card.dataset.job = job.id;
    card.innerHTML = `<img class="preview" alt="" hidden><h3></h3><p class="about"></p>
      <p class="state"></p><progress max="1"></progress><div class="buttons">
      <button type="button" class="cancel">Cancel</button><button type="button" class="show">Show</button>
      <a class="button download" download>Download</a><button type="button" class="delete">Remove</button></div>`;
    const find = (name) => card.querySelector(name);
    find("h3").textContent = job.name;
    find(".about").textContent = about(job);
    if (job.kind === "style") find(".cancel").textContent = "Stop, and keep it so far";
    find("progress").setAttribute("aria-label", `Painting ${job.name}`);
    for (const part of card.querySelectorAll("button, a")) {
      part.setAttribute("aria-label", `${part.textContent} ${job.name}`);
    }
    find(".cancel").addEventListener("click", () => this.jobs.cancel(job.id));
    find(".delete").addEventListener("click", () => this.jobs.remove(job.id));
    find(".show").addEventListener("click", () => this.onShow(this.jobs.find(job.id)));
    this.#buttons.after(card);
    return card;
  }

  #fill(card, job) {
    card.dataset.state = job.state;
    card.setAttribute("aria-current", String(this.isShown(job)));
    card.querySelector(".state").textContent = describe(job);
    const preview = card.querySelector(".preview");
    preview.hidden = !job.preview;
    if (job.preview && preview.getAttribute("src") !== job.preview) preview.src = job.preview;
    card.querySelector("progress").value = job.progress;
    card.querySelector("progress").hidden = !isActive(job);
    card.querySelector(".cancel").hidden = !isActive(job);
    card.querySelector(".delete").hidden = isActive(job);
    card.querySelector(".show").hidden = !job.result || job.kind === "style";
    card.querySelector(".download").hidden = !job.result;
    if (job.result) card.querySelector(".download").href = job.result;
  }
}
