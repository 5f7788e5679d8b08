/** What stands in the form beside the picture: strength, size and the like, and which of it is shown. */

const NUMBERS = ["strength", "coherence", "split", "share", "iterations"];

export class Settings extends EventTarget {
  #form = document.getElementById("look");
  #tab = "live";

  /** @param {import("/static/gallery.js").Gallery} gallery */
  constructor(gallery) {
    super();
    this.gallery = gallery;
    this.#form.addEventListener("submit", (event) => event.preventDefault());
    this.#form.addEventListener("input", () => this.#changed());
    gallery.addEventListener("change", () => this.#changed());
    this.#changed();
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
    return {
      styles: this.gallery.styles,
      strength: share("strength"),
      keep_color: element("keep-color").checked,
      faces: element("faces").value,
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
    return { ...this.#look, coherence: share("coherence"), short_side: side("video-side") };
  }

  /** @returns {number} how much of the live picture, from the left, shows the original: 0 to 1 */
  get split() {
    return share("split");
  }

  set split(value) {
    element("split").value = Math.round(100 * value);
    this.#changed();
  }

  get mirror() {
    return element("mirror").checked;
  }

  #changed() {
    element("iterations-field").hidden = this.#tab !== "photo" || element("method").value !== "gatys";
    for (const name of NUMBERS) {
      const input = element(name);
      const words = input.value + (input.dataset.unit && ` ${input.dataset.unit}`);
      this.#form.querySelector(`output[for=${name}]`).textContent = words;
      input.setAttribute("aria-valuetext", words);
    }
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
