/** What is dropped: files, and those that folders hold, as far down as they go. */

const MOST = 100; // photos or videos that are taken out of folders
const LOOKED_AT = 5000; // files and folders in them, whatever they are
const HIDDEN = /^(\..*|~\$.*|(eh)?thumbs\.db|desktop\.ini|__macosx)$/i; // nobody means these
const TYPES = { photo: /^image\//, video: /^(video\/|image\/gif$)/ };
const NAMES = {
  photo: /\.(jpe?g|png|webp|heic|heif|avif|tiff?|bmp)$/i,
  video: /\.(mp4|m4v|mov|mkv|webm|avi|gif)$/i,
}; // where the browser knows no type

/**
 * @typedef {object} Dropped
 * @property {File[]} files that were dropped by themselves, and photos or videos in folders
 * @property {File[]} others that are in folders, too
 * @property {string[]} words what is to be said of folders, for people
 */

/**
 * Read what is dropped. To be called while the event is: later its data is gone.
 * @param {DataTransfer} transfer
 * @param {"photo" | "video"} kind that is looked for in folders
 * @param {() => void} onFolder called at once if there is one, since reading it may take a while
 * @returns {Promise<Dropped>}
 */
export async function readDropped(transfer, kind, onFolder) {
  const items = [...transfer.items].filter((item) => item.kind === "file");
  if (!items.every((item) => item.webkitGetAsEntry)) return readFiles([...transfer.files]);
  const pairs = items.map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  if (pairs.some(({ entry }) => entry?.isDirectory)) onFolder();
  const walk = new Walk(kind);
  for (const { entry, file } of pairs) {
    if (entry?.isDirectory) await walk.into(entry);
    else if (file && (pairs.length === 1 || !HIDDEN.test(file.name))) walk.files.push(file);
  }
  return { files: walk.files, others: walk.others, words: walk.words };
}

/** Leave out folders, which this browser gives as files that cannot be read. */
async function readFiles(files) {
  const readable = await Promise.all(files.map((file) => file.type || isReadable(file)));
  const folders = files.filter((_, at) => !readable[at]);
  const words = folders.map(
    ({ name }) => `${name}: this browser cannot read folders. Open it, and drop the files in it.`,
  );
  return { files: files.filter((_, at) => readable[at]), others: [], words };
}

function isReadable(file) {
  return file.slice(0, 1).arrayBuffer().then(() => true, () => false);
}

/** A walk through folders, which ends where enough is found. */
class Walk {
  #taken = 0;
  #seen = 0;
  #ended = false; // before all was seen
  #folders = []; // that were dropped
  #unread = []; // words
  files = [];
  others = [];

  constructor(kind) {
    this.kind = kind;
  }

  /** Take what fits out of a folder that was dropped. */
  async into(folder) {
    this.#folders.push(folder.name);
    await this.#enter(folder);
  }

  /** What is to be said of it all. */
  get words() {
    const [names, many] = [this.#folders.join(", "), `${this.kind}s`];
    const words = [...this.#unread];
    if (this.#ended && this.#taken) {
      words.push(`The first ${this.#taken} ${many} of ${names} are taken; drop the others afterwards.`);
    } else if (this.#ended) {
      words.push(`The first ${LOOKED_AT} files of ${names} are no ${many}; drop the folder that holds some.`);
    } else if (this.#folders.length && !this.#taken && !this.others.length && !words.length) {
      words.push(`There are no ${many} in ${names}.`);
    }
    return words;
  }

  async #enter(folder) {
    const entries = await this.#list(folder);
    for (const entry of entries.filter(({ name }) => !HIDDEN.test(name)).sort(byName)) {
      this.#ended ||= this.#seen >= LOOKED_AT;
      if (this.#ended) return;
      this.#seen += 1;
      if (entry.isDirectory) await this.#enter(entry);
      else await this.#look(entry);
    }
  }

  /** What is in a folder, or the first thousands of it. */
  async #list(folder) {
    const reader = folder.createReader();
    const all = [];
    try {
      while (all.length <= LOOKED_AT) {
        const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
        if (!some.length) break;
        all.push(...some);
      }
    } catch {
      this.#unread.push(`${folder.name}: the folder cannot be read.`);
    }
    return all;
  }

  async #look(entry) {
    const file = await new Promise((resolve) => entry.file(resolve, () => resolve(null)));
    if (!file) {
      this.#unread.push(`${entry.name}: the file cannot be read.`);
    } else if (!(TYPES[this.kind].test(file.type) || NAMES[this.kind].test(file.name))) {
      this.others.push(file);
    } else if (this.#taken < MOST) {
      this.#taken += 1;
      this.files.push(file);
    } else {
      this.#ended = true;
    }
  }
}

function byName(one, other) {
  return one.name.localeCompare(other.name, undefined, { numeric: true });
}
