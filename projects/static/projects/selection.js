// Which images are ticked, remembered over the pages of a project in this tab.

import { counted } from "../site/i18n.js";

class ImageSelection extends HTMLElement {
  #ids = new Set();

  connectedCallback() {
    this.addEventListener("change", this.#ticked);
    this.querySelector("[data-select-none]").addEventListener("click", this.#clear);
    addEventListener("pageshow", this.#remember);
    this.#remember();
  }

  disconnectedCallback() {
    this.removeEventListener("change", this.#ticked);
    removeEventListener("pageshow", this.#remember);
  }

  /** The ids of all ticked images, also of those on other pages. */
  get selected() {
    return [...this.#ids];
  }

  /** Whoever shows the selection elsewhere hears `images-selected` at the document. */
  set selected(ids) {
    this.#ids = new Set(ids);
    sessionStorage.setItem(this.#key, JSON.stringify(this.selected));
    this.#show();
    this.dispatchEvent(new Event("images-selected", { bubbles: true }));
  }

  get size() {
    return this.#ids.size;
  }

  has(id) {
    return this.#ids.has(id);
  }

  toggle(id, isSelected) {
    const others = this.selected.filter((each) => each !== id);
    this.selected = isSelected ? [...others, id] : others;
  }

  #ticked = ({ target }) => this.toggle(target.value, target.checked);

  #clear = () => {
    this.selected = [];
    this.querySelector("input[type=checkbox]")?.focus();
  };

  /** Also when the page comes back as it was left, which may be before another page changed the selection. */
  #remember = () => {
    this.#ids = new Set(JSON.parse(sessionStorage.getItem(this.#key) ?? "[]"));
    this.#show();
  };

  #show() {
    for (const box of this.querySelectorAll("input[type=checkbox]")) box.checked = this.has(box.value);
    this.querySelector("[data-selection-words]").textContent =
      counted("%(number)s selected", "%(number)s selected", this.size);
    this.querySelector("[data-selection]").hidden = !this.size;
  }

  get #key() {
    return `selected-images-${this.dataset.projectId}`;
  }
}

customElements.define("image-selection", ImageSelection);
