/** Uploads what was chosen, one file after the other, each when the server has room for its job. */

import { upload } from "/static/api.js";

/**
 * @param {string} path
 * @param {File[]} files
 * @param {object} options of all of them
 * @param {object} more
 * @param {import("/static/jobs.js").Jobs} more.jobs
 * @param {(words: string, share: number) => void} more.say how far it is, and the share of the file
 * @param {(job: string) => void} more.onJob called with each job that begins
 * @param {AbortSignal} [more.signal] ends it
 * @returns {Promise<{file: File, words: string}[]>} what was not sent, and why
 */
export async function sendFiles(path, files, options, { jobs, say, onJob, signal }) {
  const troubles = [];
  const ask = (event) => event.preventDefault(); // the browser asks whether to leave the page
  if (files.length > 1) addEventListener("beforeunload", ask);
  for (const [at, file] of files.entries()) {
    const which = files.length > 1 ? `${file.name}, ${at + 1} of ${files.length}` : file.name;
    try {
      await jobs.room(() => say(`${which}, waits until one of your jobs is done`, 0), signal);
      const onProgress = (share) => say(`Uploading ${which}, ${Math.round(100 * share)} %`, share);
      onProgress(0);
      const fields = { content: file, options: JSON.stringify(options) };
      const { job } = await upload(path, fields, { onProgress, signal });
      onJob(job);
      await jobs.refresh();
    } catch (error) {
      troubles.push({ file, words: error.message });
      if (signal?.aborted) break;
    }
  }
  removeEventListener("beforeunload", ask);
  return troubles;
}
