/** The styles to choose from: those of the server, and those that the user uploads. */

import { ApiError, checkSize, request, upload } from "/static/api.js";
import { remembered } from "/static/memory.js";

const OWN = "own-";

/** Dispatches `change`, and `upload` when the visitor has brought a style. */
export class Gallery extends EventTarget {
  #tiles = document.getElementById("styles");
  #add = this.#tiles.querySelector(".add");
  #file = document.getElementById("style-file");
  #blend = document.getElementById("blend");
  #faces = document.getElementById("face-style");
  #share = document.getElementById("share");
  #message = document.getElementById("style-message");
  #mostBytes = Infinity;
  #first = remembered(); // what to choose when the styles are there

  constructor() {
    super();
    this.#tiles.addEventListener("change", (event) => {
      if (event.target.name === "style") this.#changed();
    });
    this.#file.addEventListener("change", () => this.#upload());
    this.#blend.addEventListener("change", () => this.#changed());
    this.#faces.addEventListener("change", () => this.#changed());
    this.#share.addEventListener("input", () => this.#changed());
  }

  /** The chosen styles with their weights, the heavier part not always first. */
  get styles() {
    const first = this.#tiles.querySelector("input[name=style]:checked")?.value;
    const second = this.#blend.value;
    if (!first) return [];
    if (!second || second === first) return [{ id: first, weight: 1 }];
    const share = this.#share.valueAsNumber / 100;
    return [{ id: first, weight: 1 - share }, { id: second, weight: share }];
  }

  /** @returns {string | null} the id of the style that faces have of their own */
  get faces() {
    return this.#faces.value || null;
  }

  /** What is chosen, to be chosen again. @returns {{style?: string, blend: string, faces: string}} */
  get choice() {
    return { style: this.styles[0]?.id, blend: this.#blend.value, faces: this.#faces.value };
  }

  set choice({ style, blend, faces }) {
    const radio = [...this.#tiles.querySelectorAll("input[name=style]")].find(
      (one) => one.value === style,
    );
    if (radio) radio.checked = true;
    this.#select(this.#blend, blend);
    this.#select(this.#faces, faces);
    this.#changed();
  }

  #select(list, id) {
    list.value = id ?? "";
    if (list.selectedIndex < 0) list.value = "";
  }

  /** @returns {boolean} whether the network was tuned to the chosen style */
  get tuned() {
    const radio = this.#tiles.querySelector("input[name=style]:checked");
    return radio?.closest(".tile").dataset.tuned === "true";
  }

  /** Choose the style that many places further on. */
  step(by) {
    const radios = [...this.#tiles.querySelectorAll("input[name=style]")];
    const at = radios.findIndex((radio) => radio.checked);
    this.choose((at + by + radios.length) % radios.length);
  }

  /** Choose a style by its place. */
  choose(place) {
    const radio = this.#tiles.querySelectorAll("input[name=style]")[place];
    if (!radio) return;
    radio.checked = true;
    radio.closest(".tile").scrollIntoView({ block: "nearest", inline: "nearest" });
    this.#changed();
  }

  /**
   * Show what the server offers now, keeping the choice where it is still there.
   * @param {{styles: object[], limits: object}} info
   */
  show(info) {
    this.#mostBytes = info.limits.style_bytes ?? info.limits.upload_bytes ?? Infinity;
    const chosen = this.styles[0]?.id ?? this.#first.style;
    const blended = this.#blend.value || this.#first.blend;
    const faces = this.#faces.value || this.#first.faces;
    this.#first = {};
    for (const tile of this.#tiles.querySelectorAll(".tile:not(.add)")) tile.remove();
    for (const list of [this.#blend, this.#faces]) list.replaceChildren(list.options[0]);
    for (const style of info.styles) this.#append(style);
    const radios = [...this.#tiles.querySelectorAll("input[name=style]")];
    const kept = radios.find((radio) => radio.value === chosen) ?? radios.at(0);
    if (kept) kept.checked = true;
    this.#select(this.#blend, blended);
    this.#select(this.#faces, faces);
    this.#changed();
  }

  #append(style) {
    const tile = document.createElement("label");
    tile.className = "tile";
    const radio = Object.assign(document.createElement("input"), {
      type: "radio", name: "style", value: style.id,
    });
    const sample = Object.assign(document.createElement("img"), {
      className: "thumb", src: style.sample ?? `/api/styles/${style.id}/sample`, alt: "",
      loading: "lazy", width: 96, height: 96,
    });
    const title = Object.assign(document.createElement("span"), {
      className: "title", textContent: style.title,
    });
    tile.title = [style.title, style.artist, style.year].filter(Boolean).join(", ");
    tile.append(radio, sample, title);
    tile.dataset.tuned = String(style.tuned === true);
    if (style.id.startsWith(OWN)) {
      tile.append(this.#removal(style, tile));
      this.#add.after(tile);
    } else {
      this.#tiles.append(tile);
    }
    for (const list of [this.#blend, this.#faces]) list.add(new Option(style.title, style.id));
    return radio;
  }

  #removal(style, tile) {
    const button = Object.assign(document.createElement("button"), {
      type: "button", className: "remove", textContent: "×",
    });
    button.setAttribute("aria-label", `Remove ${style.title}`);
    button.addEventListener("click", async (event) => {
      event.preventDefault();
      const removing = request(`/api/styles/${style.id}`, { method: "DELETE" });
      await removing.catch((error) => this.#say(error.message));
      const wasChosen = tile.querySelector("input").checked;
      tile.remove();
      for (const list of [this.#blend, this.#faces]) {
        [...list.options].find((option) => option.value === style.id)?.remove();
      }
      const first = this.#tiles.querySelector("input[name=style]");
      if (wasChosen && first) first.checked = true;
      first?.focus();
      this.#changed();
    });
    return button;
  }

  async #upload() {
    const [file] = this.#file.files;
    this.#file.value = "";
    if (!file) return;
    this.#say(`Uploading ${file.name}…`);
    try {
      checkSize(file, this.#mostBytes);
      const style = await upload("/api/styles", { file });
      const radio = this.#append(style);
      radio.checked = true;
      radio.focus();
      this.dispatchEvent(new Event("upload"));
      this.#say(style.note ?? "");
      this.#changed();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#say(error.message);
    }
  }

  #say(words) {
    this.#message.textContent = words;
  }

  #changed() {
    document.getElementById("share-field").hidden = this.styles.length < 2;
    this.dispatchEvent(new Event("change"));
  }
}
