/** What was chosen, kept in the browser over a reload. */

const KEY = "stylizer";

/** @returns {Record<string, any>} what was kept; empty where there is nothing, or no permission */
export function remembered() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

/** @param {Record<string, any>} values to be kept beside what is there already */
export function remember(values) {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...remembered(), ...values }));
  } catch {
    // a browser that keeps nothing goes on without
  }
}
