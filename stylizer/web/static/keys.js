/** Keyboard shortcuts of the live picture: those of the window of `stylizer live`, where both have one. */

/** @param {Record<string, () => void>} actions by key */
export function watchKeys(actions) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const typing = event.target.matches?.("input, select, textarea, [role=tab]");
    const action = actions[event.key];
    if (typing || !action) return;
    event.preventDefault();
    action();
  });
}
