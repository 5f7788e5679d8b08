/** Keyboard shortcuts of the live picture: those of the window of `stylizer live`, where both have one. */

const TYPED = "textarea, select, input:not([type=radio], [type=checkbox], [type=range], [type=file])";

/** Tell whether what has the focus uses a key itself; arrows and the like are no shortcuts. */
function takes(target, key) {
  return target.matches?.(TYPED) || (target.type === "range" && /^[0-9]$/.test(key));
}

/** @param {Record<string, () => void>} actions by key */
export function watchKeys(actions) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const action = actions[event.key];
    if (!action || takes(event.target, event.key)) return;
    event.preventDefault();
    action();
  });
}
