// The images of a project by their names, each with a tick: a list that is added to page by page.

import { FoundImages } from "./found-images.js";
import { counted, grouped, text } from "../site/i18n.js";
import { sentenceOf, send } from "./requests.js";
import { fileSize } from "./words.js";

const SEARCHED_AFTER = 200; // milliseconds without a key

class ImageSearch extends HTMLElement {
  #timer = 0;
  #found = new FoundImages((rest) => send("GET", `${this.dataset.address}${rest}`));
  #part = (name) => this.querySelector(`[data-${name}]`);

  connectedCallback() {
    this.addEventListener("input", this.#typed);
    this.addEventListener("keydown", this.#entered);
    this.addEventListener("change", this.#ticked);
    this.#part("more").addEventListener("click", this.#more);
    this.#part("select-found").addEventListener("click", this.#pickFound);
    this.#part("deselect-found").addEventListener("click", this.#pickFound);
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
  }

  /** As far as they were asked for. */
  get images() {
    return this.#found.images;
  }

  /** How many the project has, when that was the last answer. */
  get total() {
    return this.images.length && !this.#found.search ? this.#found.total : null;
  }

  async look() {
    clearTimeout(this.#timer);
    await this.#extend(0, () => this.#found.look(this.#part("search").value.trim()));
  }

  /** Every image, found or not. */
  allIds() {
    return send("GET", `${this.dataset.address}/ids`).then(({ ids }) => ids);
  }

  tick(isPicked) {
    for (const box of this.#part("found").querySelectorAll("input")) box.checked = isPicked(box.value);
  }

  /** Typing changes no choice; nobody else has to hear of it. */
  #typed = (event) => {
    if (event.target !== this.#part("search")) return;
    event.stopPropagation();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.look(), SEARCHED_AFTER);
  };

  /** Enter searches at once; it does not start the export. */
  #entered = (event) => {
    if (event.key !== "Enter" || event.target !== this.#part("search")) return;
    event.preventDefault();
    this.look();
  };

  #ticked = ({ target }) => {
    if (target.type === "checkbox") this.#pick([target.value], target.checked);
  };

  #pickFound = ({ target }) => this.#saying(async () => {
    this.#pick(await this.#found.ids(), target === this.#part("select-found"));
  });

  #more = async () => {
    const before = this.images.length;
    await this.#extend(before, () => this.#found.more());
    this.#part("found").children[before]?.querySelector("input").focus();
  };

  #extend = (from, ask) => this.#saying(async () => {
    if (!(await ask())) return;
    const rows = this.images.slice(from).map((image) => this.#rowOf(image));
    if (from) this.#part("found").append(...rows);
    else this.#part("found").replaceChildren(...rows);
    this.#part("more").hidden = !this.#found.hasMore;
    this.#part("found-words").textContent = foundWords(this.#found.total);
    this.#part("select-found").textContent =
      text("Select all %(number)s found", { number: grouped(this.#found.total) });
    this.dispatchEvent(new Event("found"));
  });

  async #saying(doing) {
    await doing().catch((error) => (this.#part("found-words").textContent = sentenceOf(error)));
  }

  #pick(ids, isPicked) {
    this.dispatchEvent(new CustomEvent("pick", { detail: { ids, isPicked } }));
  }

  #rowOf(image) {
    const row = this.#part("image").content.firstElementChild.cloneNode(true);
    row.querySelector("input").value = image.id;
    row.querySelector("img").src = `${this.dataset.page}images/${image.id}/thumbnail`;
    row.querySelector("[data-name]").textContent = image.name;
    row.querySelector("[data-facts]").textContent = factsOf(image);
    return row;
  }
}

function foundWords(total) {
  return total ? counted("%(number)s image found", "%(number)s images found", total) : text("No image has this in its name.");
}

function factsOf({ width, height, bytes, objects }) {
  const things = { size: fileSize(bytes), objects: counted("%(number)s object", "%(number)s objects", objects) };
  return text("%(width)s × %(height)s px, %(size)s, %(objects)s", { width, height, ...things });
}

customElements.define("image-search", ImageSearch);
