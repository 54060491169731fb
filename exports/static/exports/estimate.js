// What an export would hold and weigh, asked anew whenever a choice changes and spoken once the choices rest.

import { counted, text } from "../site/i18n.js";
import { send } from "./requests.js";
import { wordsOf } from "./field-errors.js";
import { duration, fileSize } from "./words.js";

const ASKED_AFTER = 250; // milliseconds without a change
const SPOKEN_AFTER = 1200;

class ExportEstimate extends HTMLElement {
  #asked = 0;
  #waiting = 0;
  #speaking = 0;

  disconnectedCallback() {
    this.forget();
    clearTimeout(this.#speaking);
  }

  /** Tells `heard` the refusal, or null, once the choices rest. */
  soon(optionsNow, heard) {
    this.forget();
    this.#waiting = setTimeout(() => this.now(optionsNow(), heard), ASKED_AFTER);
  }

  async now(options, heard) {
    this.forget();
    const asked = this.#asked;
    const found = await send("POST", this.dataset.address, { options }).catch((error) => error);
    if (asked !== this.#asked) return;
    const isRefused = found instanceof Error;
    this.say(isRefused ? wordsOf(found) : estimateWords(found), isRefused ? [] : found.warnings);
    heard(isRefused ? found : null);
  }

  /** A late answer must not wipe out what is said now. */
  forget() {
    clearTimeout(this.#waiting);
    this.#asked += 1;
  }

  say(words, warnings = []) {
    this.forget();
    this.querySelector("[data-estimate]").textContent = words;
    const items = warnings.map(({ message }) => Object.assign(document.createElement("li"), { textContent: message }));
    this.querySelector("[data-estimate-warnings]").replaceChildren(...items);
    clearTimeout(this.#speaking);
    const spoken = [words, ...warnings.map(({ message }) => message)].join(" ");
    this.#speaking = setTimeout(() => this.#speak(spoken), SPOKEN_AFTER);
  }

  #speak(words) {
    const place = this.querySelector("[data-estimate-spoken]");
    if (place.textContent !== words) place.textContent = words;
  }
}

/** 3 images, 1,890 objects, about 130 MB (80 GB free), ready in about 20 s. */
export function estimateWords({ images, objects, estimatedBytes, freeBytes, estimatedSeconds }) {
  return text("%(images)s, %(objects)s, about %(size)s (%(free)s free), ready in about %(time)s", {
    images: counted("%(number)s image", "%(number)s images", images),
    objects: counted("%(number)s object", "%(number)s objects", objects),
    size: fileSize(estimatedBytes),
    free: fileSize(freeBytes),
    time: duration(estimatedSeconds),
  });
}

customElements.define("export-estimate", ExportEstimate);
