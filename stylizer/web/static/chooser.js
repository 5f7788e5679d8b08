/** Choosing files by button or by dropping them, and telling those that are not fit. */

import { sentence, tooLarge } from "/static/api.js";
import { readDropped } from "/static/dropped.js";

const OTHERS = {
  photo: [["video/", "this is a video; choose it under Video."], ["audio/"], ["text/"]],
  video: [["image/", "this is a photo; choose it under Photo."], ["audio/"], ["text/"]],
}; // what a file's type may begin with that is never fit; of all else the server decides

const NAMED = 5; // files that are not fit; of more it is told how many
const NOTHING = { others: [], words: [] };

/**
 * Take files from a button, and those that are dropped anywhere while their stage is there to see.
 * @param {object} parts
 * @param {HTMLInputElement} parts.input
 * @param {HTMLElement} parts.stage
 * @param {"photo" | "video"} parts.kind
 * @param {(files: File[], dropped: import("/static/dropped.js").Dropped) => void} parts.onChoose
 * @param {(words: string) => void} parts.say
 */
export function watchFiles({ input, stage, kind, onChoose, say }) {
  let last = 0; // what was chosen or dropped last counts, however long it takes to be read
  input.addEventListener("change", () => {
    const files = [...input.files];
    input.value = ""; // so that the same file can be chosen again
    if (!files.length) return;
    last += 1;
    onChoose(files, NOTHING);
  });
  let ours = false; // a picture of this page, drawn along by its visitor
  document.addEventListener("dragstart", () => (ours = true));
  document.addEventListener("dragend", () => (ours = false));
  const isMine = ({ target, dataTransfer }) => {
    const isFile = !ours && dataTransfer.types.includes("Files");
    return isFile && !stage.closest("[hidden]") && !target.closest?.("input");
  };
  document.addEventListener("dragover", (event) => {
    stage.classList.toggle("over", isMine(event));
    if (isMine(event)) event.preventDefault();
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) stage.classList.remove("over"); // it is out of the window
  });
  document.addEventListener("drop", async (event) => {
    stage.classList.remove("over");
    if (!isMine(event)) return;
    event.preventDefault();
    const turn = ++last;
    const dropped = await readDropped(event.dataTransfer, kind, () => say("Reading the folder…"));
    const { files, others, words } = dropped;
    if (turn === last && files.length + others.length + words.length) onChoose(files, dropped);
  });
}

/**
 * Tell files that can be painted from others, before they travel.
 * @param {File[]} files
 * @param {"photo" | "video"} kind
 * @param {object} more
 * @param {number} more.most bytes of one
 * @param {import("/static/dropped.js").Dropped} more.dropped what came with them
 * @returns {{fit: File[], words: string}} and why the others are not, for people
 */
export function sortFiles(files, kind, { most, dropped }) {
  const troubles = files.map((file) => trouble(file, kind, most));
  const strays = dropped.others.map((file) => misfit(file, kind) ?? `this is no ${kind}.`);
  const all = [...files, ...dropped.others];
  const told = [...troubles, ...strays].map((words, at) =>
    words && all.length > 1 ? `${all[at].name}: ${words}` : sentence(words),
  );
  const named = told.filter(Boolean);
  const left = named.splice(NAMED).length;
  if (left) named.push(`${left} more ${left > 1 ? "files are" : "file is"} left out, too.`);
  const words = [...dropped.words, ...named].join(" ");
  return { fit: files.filter((_, at) => !troubles[at]), words };
}

function trouble(file, kind, most) {
  if (!file.size) return "the file is empty.";
  return misfit(file, kind) ?? tooLarge(file, most);
}

/** What a file is whose type is never fit; null of all others. */
function misfit(file, kind) {
  const isGif = kind === "video" && file.type === "image/gif";
  const other = OTHERS[kind].find(([type]) => file.type.startsWith(type));
  return other && !isGif ? (other[1] ?? `this is no ${kind}.`) : null;
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
