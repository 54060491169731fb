// Which images are exported: all, or those that are selected here or ticked on the page, which is one selection.

import { refusalOf } from "./field-errors.js";
import { counted, grouped, text } from "../site/i18n.js";
import "./image-search.js";

class ImagePicker extends HTMLElement {
  #selection = () => document.querySelector("image-selection");
  #search = () => this.querySelector("image-search");

  connectedCallback() {
    this.closest("fieldset").hidden = false;
    this.addEventListener("change", this.#changed);
    this.#search().addEventListener("pick", this.#picked);
    this.#search().addEventListener("found", this.#show);
    document.addEventListener("images-selected", this.#show);
  }

  disconnectedCallback() {
    document.removeEventListener("images-selected", this.#show);
  }

  /** The ids of the images to export; null for all. */
  get ids() {
    return this.#isForSome ? this.#selection().selected : null;
  }

  get isEmpty() {
    return this.#isForSome && !this.#selection().size;
  }

  /** As `ids`. Those that are ticked on the page are meant, unless something else is given. */
  choose(ids = this.#selection().size ? this.#selection().selected : null) {
    this.querySelector(`[value=${ids ? "selected" : "all"}]`).checked = true;
    this.#note("");
    this.#select(ids ?? this.#selection().selected);
  }

  /** As in a form that the server filled; also when none of those images is left: all would be another export. */
  chooseAs(made) {
    const ids = [...made.querySelectorAll("[data-selected-images] input")].map((input) => input.value);
    this.choose(made.querySelector("[name=whichImages][value=selected]").checked ? ids : null);
    this.#note(made.querySelector("[data-images-note]").textContent);
  }

  /** Throws what a form without images is refused with. */
  insist() {
    if (this.isEmpty) throw refusalOf({ selectedImageIds: text("Select at least one image, or take all.") });
  }

  /** The images that an export would hold, as far as they are known here. */
  async examples() {
    if (!this.#search().images.length) await this.#search().look();
    const known = new Map(this.#search().images.map((image) => [image.id, image]));
    return this.ids?.map((id) => known.get(id) ?? { id, objects: 0 }) ?? this.#search().images;
  }

  /** Forgets images that are no longer in the project. Answers with their number, 0 when it cannot be asked. */
  async keepPresent() {
    const before = this.#selection().selected;
    const present = new Set(await this.#search().allIds().catch(() => before));
    const kept = before.filter((id) => present.has(id));
    const gone = before.length - kept.length;
    if (!gone) return 0;
    this.#select(kept);
    this.#note(counted("%(number)s image that was selected is no longer in this project.",
      "%(number)s images that were selected are no longer in this project.", gone));
    return gone;
  }

  get #isForSome() {
    return this.querySelector("[value=selected]").checked;
  }

  #changed = ({ target }) => {
    if (target.type === "radio") this.#select(this.#selection().selected);
  };

  #picked = ({ detail: { ids, isPicked } }) => {
    const named = new Set(ids);
    const others = this.#selection().selected.filter((id) => !named.has(id));
    this.#select(isPicked ? others.concat(ids) : others);
  };

  /** As if somebody had typed it: the form hears of it. */
  #select(ids) {
    this.#selection().selected = ids;
    if (this.#isForSome && !this.#search().images.length) this.#search().look();
    this.dispatchEvent(new Event("input", { bubbles: true }));
  }

  #note(words) {
    this.closest("fieldset").querySelector("[data-images-note]").textContent = words;
  }

  #show = () => {
    const number = this.#search().total ?? Number(this.dataset.total);
    const selected = grouped(this.#selection().size);
    this.dataset.total = number;
    this.#search().hidden = !this.#isForSome;
    this.querySelector("[data-all-words]").textContent = text("All images (%(number)s)", { number: grouped(number) });
    this.querySelector("[data-picked]").textContent = counted("%(selected)s of %(number)s image selected",
      "%(selected)s of %(number)s images selected", number, { selected });
    this.#search().tick((id) => this.#selection().has(id));
  };
}

customElements.define("image-picker", ImagePicker);
