// How somebody wants to be told that an export has ended; the server remembers it for them.

import { Refused, sentenceOf, send } from "./requests.js";

class ExportPreferences extends HTMLElement {
  connectedCallback() {
    this.addEventListener("change", this.#changed);
  }

  disconnectedCallback() {
    this.removeEventListener("change", this.#changed);
  }

  #changed = async ({ target }) => {
    const name = target.dataset.preference;
    if (!name) return;
    this.#say("");
    try {
      await send("PATCH", this.dataset.address, { [name]: target.checked });
    } catch (error) {
      if (error instanceof Refused) target.checked = !target.checked;
      this.#say(sentenceOf(error));
    }
  };

  #say(words) {
    this.querySelector("[data-preference-error]").textContent = words;
  }
}

customElements.define("export-preferences", ExportPreferences);
