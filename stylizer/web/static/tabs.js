/** Tabs as the ARIA practices describe them: arrows move, the address's hash says which is open. */

export class Tabs extends EventTarget {
  /** @param {HTMLElement} list the element of role `tablist` */
  constructor(list) {
    super();
    this.tabs = [...list.querySelectorAll("[role=tab]")];
    list.addEventListener("keydown", (event) => this.#move(event));
    for (const tab of this.tabs) {
      tab.addEventListener("click", () => (location.hash = nameOf(tab)));
    }
    addEventListener("hashchange", () => this.#open());
    this.#open();
  }

  /** @returns {string} `live`, `photo` or `video` */
  get current() {
    const name = location.hash.slice(1);
    return this.tabs.some((tab) => nameOf(tab) === name) ? name : nameOf(this.tabs[0]);
  }

  #open() {
    for (const tab of this.tabs) {
      const open = nameOf(tab) === this.current;
      tab.setAttribute("aria-selected", String(open));
      tab.tabIndex = open ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = !open;
    }
    this.dispatchEvent(new Event("change"));
  }

  #move(event) {
    const last = this.tabs.length - 1;
    const at = this.tabs.findIndex((tab) => nameOf(tab) === this.current);
    const to = { ArrowLeft: at ? at - 1 : last, ArrowRight: at < last ? at + 1 : 0, Home: 0, End: last };
    if (!(event.key in to)) return;
    event.preventDefault();
    const tab = this.tabs[to[event.key]];
    tab.focus();
    location.hash = nameOf(tab);
  }
}

function nameOf(tab) {
  return tab.id.replace("tab-", "");
}
