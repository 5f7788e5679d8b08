/** Files that the browser makes, or loads as a download. */

/**
 * Offer a blob as a download.
 * @param {Blob} blob
 * @param {string} name
 */
export function saveBlob(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser may still be reading
}

/**
 * Begin a download; the server names the file.
 * @param {string} address
 */
export function saveFrom(address) {
  Object.assign(document.createElement("a"), { href: address, download: "" }).click();
}

/** @returns {string} the time now as part of a file name */
export function timeStamp() {
  return new Date().toISOString().slice(0, 19).replace("T", "-").replaceAll(":", "");
}
