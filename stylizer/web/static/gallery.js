/** The styles to choose from: those of the server, and those that the user uploads. */

import { ApiError, request, tooLarge, upload } from "/static/api.js";
import { remembered } from "/static/memory.js";

const OWN = "own-";
const PARTS = ["person", "background", "face"];

/** Dispatches `change`, and `upload` when the visitor has brought a style. */
export class Gallery extends EventTarget {
  #tiles = document.getElementById("styles");
  #add = this.#tiles.querySelector(".add");
  #file = document.getElementById("style-file");
  #blend = document.getElementById("blend");
  #parts = Object.fromEntries(
    PARTS.map((part) => [part, document.getElementById(`${part}-style`)]),
  );
  #share = document.getElementById("share");
  #message = document.getElementById("style-message");
  #mostBytes = Infinity;
  #missing = []; // why parts cannot be found
  #first = remembered(); // what to choose when the styles are there

  constructor() {
    super();
    this.#tiles.addEventListener("change", (event) => {
      if (event.target.name === "style") this.#changed();
    });
    this.#file.addEventListener("change", () => this.#upload());
    this.#blend.addEventListener("change", () => this.#changed());
    for (const list of this.#partLists) list.addEventListener("change", () => this.#changed());
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

  /** @returns {Record<string, string | null>} ids of the styles that parts have of their own */
  get parts() {
    const entries = Object.entries(this.#parts);
    return Object.fromEntries(
      entries.map(([part, list]) => [part, (!list.disabled && list.value) || null]),
    );
  }

  get #partLists() {
    return Object.values(this.#parts);
  }

  /**
   * What is chosen, to be chosen again.
   * @returns {{style?: string, blend: string, parts: Record<string, string | null>}}
   */
  get choice() {
    return { style: this.styles[0]?.id, blend: this.#blend.value, parts: this.parts };
  }

  set choice({ style, blend, parts = {} }) {
    const radio = [...this.#tiles.querySelectorAll("input[name=style]")].find(
      (one) => one.value === style,
    );
    if (radio) radio.checked = true;
    this.#select(this.#blend, blend);
    this.#selectParts(parts);
    this.#changed();
  }

  #selectParts(parts) {
    for (const part of PARTS) {
      const list = this.#parts[part];
      this.#select(list, list.disabled ? "" : parts[part]);
    }
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
    const parts = { ...this.#first.parts, ...present(this.parts) };
    this.#first = {};
    for (const tile of this.#tiles.querySelectorAll(".tile:not(.add)")) tile.remove();
    for (const list of [this.#blend, ...this.#partLists]) list.replaceChildren(list.options[0]);
    for (const style of info.styles) this.#append(style);
    const radios = [...this.#tiles.querySelectorAll("input[name=style]")];
    const kept = radios.find((radio) => radio.value === chosen) ?? radios.at(0);
    if (kept) kept.checked = true;
    this.#select(this.#blend, blended);
    this.#offerParts(info.parts);
    this.#selectParts(parts);
    this.#changed();
  }

  /**
   * Leave those parts to choose for that the server finds, and say why the others are not.
   * @param {Record<string, string | null>} reasons by part; null where it is found
   */
  #offerParts(reasons) {
    for (const [part, list] of Object.entries(this.#parts)) list.disabled = Boolean(reasons[part]);
    this.#missing = [...new Set(Object.values(reasons).filter(Boolean))];
  }

  #explainParts() {
    const { person, background } = this.parts;
    const covered = person && background ? ["These two are the whole picture: the style above is not seen."] : [];
    const note = document.getElementById("parts-note");
    note.textContent = [...covered, ...this.#missing].join(" ");
    note.hidden = !note.textContent;
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
    for (const list of [this.#blend, ...this.#partLists]) list.add(new Option(style.title, style.id));
    return radio;
  }

  #removal(style, tile) {
    const button = Object.assign(document.createElement("button"), {
      type: "button", className: "remove", textContent: "×",
    });
    button.setAttribute("aria-label", `Remove ${style.title}`);
    button.addEventListener("click", async (event) => {
      event.preventDefault();
      let trouble = "";
      const removing = request(`/api/styles/${style.id}`, { method: "DELETE" });
      await removing.catch((error) => (trouble = error.message));
      const wasChosen = tile.querySelector("input").checked;
      tile.remove();
      for (const list of [this.#blend, ...this.#partLists]) {
        [...list.options].find((option) => option.value === style.id)?.remove();
      }
      const first = this.#tiles.querySelector("input[name=style]");
      if (wasChosen && first) first.checked = true;
      first?.focus();
      this.#changed();
      this.#say(trouble);
    });
    return button;
  }

  async #upload() {
    const [file] = this.#file.files;
    this.#file.value = "";
    if (!file) return;
    this.#say(`Uploading ${file.name}…`);
    try {
      const words = tooLarge(file, this.#mostBytes);
      if (words) throw new ApiError(words, "too_large");
      const style = await upload("/api/styles", { file });
      const radio = this.#append(style);
      radio.checked = true;
      radio.focus();
      this.dispatchEvent(new Event("upload"));
      this.#changed();
      this.#say(style.note ?? "");
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#say(error.message);
    }
  }

  #say(words) {
    this.#message.textContent = words;
  }

  #changed() {
    this.#say("");
    this.#explainParts();
    document.getElementById("share-field").hidden = this.styles.length < 2;
    this.dispatchEvent(new Event("change"));
  }
}

/** Leave out what is null. */
function present(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value));
}
