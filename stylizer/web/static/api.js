/** Requests to the server; every failure becomes an `ApiError` whose message is meant for people. */

export class ApiError extends Error {
  /**
   * @param {string} message words for people
   * @param {string} code the server's short name of the failure, or `unreachable`
   */
  constructor(message, code) {
    super(sentence(message));
    this.name = "ApiError";
    this.code = code;
  }
}

/** The server's words, which begin in lower case, as a sentence. */
export function sentence(words) {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const UNREACHABLE = "The server does not answer. Is it still running?";

/** What a failed answer says, or the best that its status tells. */
function failure(status, text) {
  try {
    const { code, message } = JSON.parse(text).error;
    return new ApiError(message, code);
  } catch {
    if (status === 413) return new ApiError("The file is too large for this server.", "too_large");
    return new ApiError(`The server answered with an error (${status}).`, "unknown");
  }
}

/**
 * Ask for JSON.
 * @param {string} path
 * @param {RequestInit} [options]
 * @returns {Promise<any>} null where there is no content
 */
export async function request(path, options = {}) {
  let response, text;
  try {
    response = await fetch(path, { cache: "no-store", ...options });
    text = await response.text();
  } catch {
    throw new ApiError(UNREACHABLE, "unreachable");
  }
  if (!response.ok) throw failure(response.status, text);
  return text ? JSON.parse(text) : null;
}

/**
 * Begin a new session where the server has forgotten the old one, as when it was started again.
 * @returns {Promise<boolean>} whether the server is there
 * @throws {ApiError} it is, and refuses this page
 */
export async function renewSession() {
  const response = await fetch("/", { cache: "no-store" }).catch(() => null);
  if (response && !response.ok) throw failure(response.status, await response.text());
  return response !== null;
}

/**
 * Upload a form. `fetch` tells nothing of how far an upload is, so this is the older way.
 * @param {string} path
 * @param {Record<string, string | Blob>} fields
 * @param {{onProgress?: (share: number) => void, signal?: AbortSignal}} [options]
 * @returns {Promise<any>} the JSON of the answer
 */
export function upload(path, fields, { onProgress, signal } = {}) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  return new Promise((resolve, reject) => {
    const cancelled = () => reject(new ApiError("The upload was cancelled.", "cancelled"));
    if (signal?.aborted) return cancelled();
    const sending = new XMLHttpRequest();
    sending.open("POST", path);
    sending.upload.onprogress = (event) => onProgress?.(event.loaded / event.total);
    sending.onload = () =>
      sending.status < 300
        ? resolve(JSON.parse(sending.responseText))
        : reject(failure(sending.status, sending.responseText));
    sending.onerror = () => reject(new ApiError(UNREACHABLE, "unreachable"));
    sending.onabort = cancelled;
    signal?.addEventListener("abort", () => sending.abort());
    sending.send(form);
  });
}

/**
 * Judge a file before it travels, in the server's own terms.
 * @param {File} file
 * @param {number} most bytes
 * @returns {string} what is wrong with its size; empty where nothing is
 */
export function tooLarge(file, most) {
  if (file.size <= most) return "";
  const [has, may] = [file.size, most].map((bytes) => (bytes / 2 ** 20).toFixed(1));
  return `the file has ${has} MiB; at most ${may} MiB are allowed.`;
}
