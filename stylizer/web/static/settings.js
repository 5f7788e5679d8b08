/** What stands in the form beside the picture: strength, size and the like, and which of it is shown. */

import { remember, remembered } from "/static/memory.js";

const NUMBERS = ["strength", "coherence", "split", "share", "iterations"];
const OTHERS = /^(camera|blend|tune-minutes|(person|background|face)-style)$/; // kept elsewhere
const UNDONE = 50; // changes that can be undone
const CALM = 700; // ms without a change after which the next is another one

export class Settings extends EventTarget {
  #form = document.getElementById("look");
  #tab = "live";
  #first = this.#values;
  #before = []; // what was chosen before, the last at the end
  #now = null;
  #changedAt = 0;

  /** @param {import("/static/gallery.js").Gallery} gallery */
  constructor(gallery) {
    super();
    this.gallery = gallery;
    this.#form.addEventListener("submit", (event) => event.preventDefault());
    this.#form.addEventListener("input", () => this.#changed());
    gallery.addEventListener("change", () => this.#changed());
    this.#values = remembered().settings ?? {};
    element("undo").addEventListener("click", () => this.undo());
    element("reset").addEventListener("click", () => this.#set({ ...this.#now, form: this.#first }));
    this.#changed();
  }

  /** What stands in the form, by the names of its controls. */
  get #values() {
    const controls = [...document.getElementById("look").querySelectorAll("input, select")];
    const kept = controls.filter(
      ({ id, type }) => id && !["file", "radio"].includes(type) && !OTHERS.test(id),
    );
    return Object.fromEntries(
      kept.map((one) => [one.id, one.type === "checkbox" ? one.checked : one.value]),
    );
  }

  set #values(values) {
    for (const [id, value] of Object.entries(values)) {
      const control = element(id);
      if (!control) continue;
      const before = control.value;
      if (control.type === "checkbox") control.checked = value === true;
      else control.value = value;
      if (control.value === "" && value !== "") control.value = before; // no such choice any more
    }
  }

  /** Take back the last change of style or settings. */
  undo() {
    const last = this.#before.pop();
    if (last) this.#set(last);
  }

  #set(state) {
    this.#now = null; // not a change that could be undone in its turn
    this.#values = state.form;
    if (state.styles) this.gallery.choice = state.styles;
    else this.#changed();
  }

  /** Keep what is chosen now; what was chosen before can be had back. */
  #keep() {
    const styles = this.gallery.choice;
    if (!styles.style) return; // the styles are not there yet
    const state = { form: this.#values, styles };
    const text = JSON.stringify(state);
    const calm = performance.now() - this.#changedAt > CALM;
    if (this.#now && text !== JSON.stringify(this.#now)) {
      if (calm) this.#before = [...this.#before, this.#now].slice(-UNDONE);
      this.#changedAt = performance.now();
    }
    this.#now = state;
    element("undo").disabled = !this.#before.length;
    remember({ ...styles, settings: state.form });
  }

  /** Show the controls of a tab. */
  set tab(name) {
    this.#tab = name;
    for (const part of this.#form.querySelectorAll("[data-tabs]")) {
      part.hidden = !part.dataset.tabs.split(" ").includes(name);
    }
    this.#changed();
  }

  /** Leave only the methods that the server has. */
  set methods(names) {
    for (const option of [...element("method").options]) {
      if (!names.includes(option.value)) option.remove();
    }
  }

  get #look() {
    const { parts } = this.gallery;
    return {
      styles: this.gallery.styles,
      strength: share("strength"),
      keep_color: element("keep-color").checked,
      faces: element("faces").value,
      person_style: parts.person,
      background_style: parts.background,
      face_style: parts.face,
    };
  }

  /** @returns {object} what the live socket takes */
  get live() {
    return { ...this.#look, coherence: share("coherence"), short_side: side("live-side") };
  }

  /** @returns {object} the options of a photo */
  get photo() {
    const method = element("method").value;
    const options = { ...this.#look, method, short_side: side("photo-side") };
    return method === "gatys" ? { ...options, iterations: element("iterations").valueAsNumber } : options;
  }

  /** @returns {object} the options of a video */
  get video() {
    const keyframes = element("keyframes").checked ? 2 : 1;
    const finer = element("finer").checked && !element("finer").disabled;
    const size = side("video-side");
    return { ...this.#look, coherence: share("coherence"), short_side: size, keyframes, finer };
  }

  /** @returns {number} how much of the live picture, from the left, shows the original: 0 to 1 */
  get split() {
    return share("split");
  }

  set split(value) {
    element("split").value = Math.round(100 * value);
    this.#changed();
  }

  /** @returns {boolean} whether the live picture may get smaller where line or machine are slow */
  get adapts() {
    return element("adapts").checked;
  }

  get mirror() {
    return element("mirror").checked;
  }

  /** Say what finer strokes take, or why they cannot be had. */
  #offerFiner() {
    const why = share("coherence") ? "" : ": not without steadiness";
    element("finer").disabled = why !== "";
    element("finer-words").textContent = `Finer strokes${why || ", 2 to 3 times the time"}`;
  }

  #changed() {
    element("iterations-field").hidden = this.#tab !== "photo" || element("method").value !== "gatys";
    for (const name of NUMBERS) {
      const input = element(name);
      const words = input.value + (input.dataset.unit && ` ${input.dataset.unit}`);
      this.#form.querySelector(`output[for=${name}]`).textContent = words;
      input.setAttribute("aria-valuetext", words);
    }
    this.#offerFiner();
    this.#keep();
    this.dispatchEvent(new Event("change"));
  }
}

function element(id) {
  return document.getElementById(id);
}

function share(id) {
  return element(id).valueAsNumber / 100;
}

/** A size in pixels, or null for "as it is". */
function side(id) {
  return element(id).value ? Number(element(id).value) : null;
}
