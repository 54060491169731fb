// One image with its objects drawn as they are chosen, by the code that draws the archive's.

import { optionsOf } from "./export-options.js";
import { grouped, text } from "../site/i18n.js";
import { Refused, sentenceOf } from "./requests.js";

const DRAWN_AFTER = 200; // milliseconds without a change

class OverlayPreview extends HTMLElement {
  #timer = 0;
  #asked = 0;
  #step = 0;
  #imageId = null;
  #shown = "";
  #form = null;

  connectedCallback() {
    this.#form = this.closest("form");
    this.#form.addEventListener("input", this.#soon);
    this.closest("details").addEventListener("toggle", this.#soon);
    this.querySelector("[data-previous]").addEventListener("click", () => this.#turn(-1));
    this.querySelector("[data-next]").addEventListener("click", () => this.#turn(1));
    this.#soon();
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    this.#asked += 1;
    this.#form.removeEventListener("input", this.#soon);
    URL.revokeObjectURL(this.querySelector("img").src);
  }

  #soon = () => {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#draw(), DRAWN_AFTER);
  };

  #turn(step) {
    this.#step = step;
    this.#draw();
  }

  /** Only what can be seen is drawn; of several wishes the last is shown. */
  async #draw() {
    if (!this.checkVisibility()) return;
    const asked = ++this.#asked;
    const isLast = () => asked === this.#asked;
    const images = await this.#form.querySelector("image-picker").examples();
    if (!isLast()) return;
    const place = this.#placeIn(images);
    if (place < 0) return this.#show(null, text("There is no image to show."));
    const address = this.#addressOf(images[place]);
    if (address === this.#shown) return;
    const picture = await pictureAt(address).catch((error) => error);
    if (!isLast()) return;
    if (picture instanceof Error) return this.#show(null, sentenceOf(picture));
    this.#show(picture.content, wordsOf(picture, place + 1, images.length));
    this.#shown = address;
  }

  /** The same image as before when it is still there; at first one with objects. */
  #placeIn(images) {
    const before = images.findIndex(({ id }) => id === this.#imageId);
    const first = Math.max(images.findIndex(({ objects }) => objects), 0);
    const place = before < 0 ? first : (before + this.#step + images.length) % images.length;
    this.#step = 0;
    this.#imageId = images[place]?.id ?? null;
    return images.length ? place : -1;
  }

  #addressOf({ id }) {
    const { visualizationOptions } = optionsOf(this.#form);
    const query = new URLSearchParams({ image: id, options: JSON.stringify(visualizationOptions ?? {}) });
    return `${this.dataset.address}?${query}`;
  }

  #show(picture, words) {
    const image = this.querySelector("img");
    URL.revokeObjectURL(image.src);
    if (picture) image.src = URL.createObjectURL(picture);
    image.hidden = !picture;
    this.#shown = "";
    this.querySelector("[data-preview-words]").textContent = words;
  }
}

async function pictureAt(address) {
  const answer = await fetch(address, { cache: "no-cache" });
  const isPicture = answer.headers.get("Content-Type")?.startsWith("image/");
  if (answer.ok && isPicture) return { content: await answer.blob(), headers: answer.headers };
  throw new Refused(answer.redirected ? 401 : answer.status, await answer.json().catch(() => ({})));
}

function wordsOf({ headers }, place, number) {
  const size = headers.get("X-Image-Size");
  const isPart = !headers.get("X-Image-Part").endsWith(size);
  const where = { place: grouped(place), number: grouped(number), name: decodeURIComponent(headers.get("X-Image-Name")) };
  return isPart
    ? text("Image %(place)s of %(number)s, a part at full size: %(name)s", where)
    : text("Image %(place)s of %(number)s: %(name)s", where);
}

customElements.define("overlay-preview", OverlayPreview);
