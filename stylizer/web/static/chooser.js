/** Choosing a file by button or by dropping it on the stage. */

export const EMPTY = "The file is empty.";

/**
 * @param {{input: HTMLInputElement, stage: HTMLElement, onChoose: (file: File) => void}} parts
 */
export function watchFiles({ input, stage, onChoose }) {
  input.addEventListener("change", () => {
    const [file] = input.files;
    input.value = ""; // so that the same file can be chosen again
    if (file) onChoose(file);
  });
  stage.addEventListener("dragover", (event) => {
    event.preventDefault();
    stage.classList.add("over");
  });
  stage.addEventListener("dragleave", () => stage.classList.remove("over"));
  stage.addEventListener("drop", (event) => {
    event.preventDefault();
    stage.classList.remove("over");
    const [file] = event.dataTransfer.files;
    if (file) onChoose(file);
  });
}

/** Gives a chosen file an address, and takes back the one before. */
export class LocalFile {
  #url = null;

  /** @param {File} file @returns {string} */
  open(file) {
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#url = URL.createObjectURL(file);
    return this.#url;
  }

  get url() {
    return this.#url;
  }
}
