/** Choosing files by button or by dropping them on the stage, and telling those that are not fit. */

import { sentence, tooLarge } from "/static/api.js";

const OTHERS = {
  photo: [["video/", "this is a video; choose it under Video."], ["audio/"], ["text/"]],
  video: [["image/", "this is a photo; choose it under Photo."], ["audio/"], ["text/"]],
}; // what a file's type may begin with that is never fit; of all else the server decides

/**
 * @param {{input: HTMLInputElement, stage: HTMLElement, onChoose: (files: File[]) => void}} parts
 */
export function watchFiles({ input, stage, onChoose }) {
  const choose = (files) => files.length && onChoose(files);
  input.addEventListener("change", () => {
    const files = [...input.files];
    input.value = ""; // so that the same file can be chosen again
    choose(files);
  });
  stage.addEventListener("dragover", (event) => {
    event.preventDefault();
    stage.classList.add("over");
  });
  stage.addEventListener("dragleave", () => stage.classList.remove("over"));
  stage.addEventListener("drop", (event) => {
    event.preventDefault();
    stage.classList.remove("over");
    choose([...event.dataTransfer.files]);
  });
}

/**
 * Tell files that can be painted from others, before they travel.
 * @param {File[]} files
 * @param {"photo" | "video"} kind
 * @param {number} most bytes of one
 * @returns {{fit: File[], words: string}} and why the others are not, for people
 */
export function sortFiles(files, kind, most) {
  const troubles = files.map((file) => trouble(file, kind, most));
  const told = troubles.map((words, at) =>
    words && files.length > 1 ? `${files[at].name}: ${words}` : sentence(words),
  );
  return { fit: files.filter((_, at) => !troubles[at]), words: told.filter(Boolean).join(" ") };
}

function trouble(file, kind, most) {
  if (!file.size) return "the file is empty.";
  const isGif = kind === "video" && file.type === "image/gif";
  const other = OTHERS[kind].find(([type]) => file.type.startsWith(type));
  if (other && !isGif) return other[1] ?? `this is no ${kind}.`;
  return tooLarge(file, most);
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
