// Which images are ticked, remembered over the pages of a project in this tab.

class ImageSelection extends HTMLElement {
  connectedCallback() {
    this.addEventListener("change", this.#changed);
    this.querySelector("[data-select-none]").addEventListener("click", this.#clear);
    this.#show();
  }

  disconnectedCallback() {
    this.removeEventListener("change", this.#changed);
  }

  /** The ids of all ticked images, also of those on other pages. */
  get selected() {
    return JSON.parse(sessionStorage.getItem(this.#key) ?? "[]");
  }

  set selected(ids) {
    sessionStorage.setItem(this.#key, JSON.stringify(ids));
    this.#show();
  }

  #changed = ({ target }) => {
    const others = this.selected.filter((id) => id !== target.value);
    this.selected = target.checked ? [...others, target.value] : others;
  };

  #clear = () => {
    this.selected = [];
    this.querySelector("input[type=checkbox]")?.focus();
  };

  #show() {
    const ids = this.selected;
    for (const box of this.querySelectorAll("input[type=checkbox]")) box.checked = ids.includes(box.value);
    this.querySelector("[data-selection-words]").textContent = `${ids.length} selected`;
    this.querySelector("[data-selection]").hidden = !ids.length;
  }

  get #key() {
    return `selected-images-${this.dataset.projectId}`;
  }
}

customElements.define("image-selection", ImageSelection);
