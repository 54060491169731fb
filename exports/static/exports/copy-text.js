// A text too long to be shown whole: a button copies it.

import { text } from "../site/i18n.js";

const SAID_FOR = 2000; // milliseconds

class CopyText extends HTMLElement {
  #timer = 0;
  #label = "";
  #button = () => this.querySelector("button");

  connectedCallback() {
    this.#label ||= this.#button().textContent;
    this.#button().hidden = false;
    this.#button().addEventListener("click", this.#copy);
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    this.#say("");
    this.#button()?.removeEventListener("click", this.#copy);
  }

  #copy = async () => {
    this.#say((await this.#isCopied()) ? text("Copied") : text("Selected"));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#say(""), SAID_FOR);
  };

  /** Where the browser does not let a page copy, the text is selected. */
  async #isCopied() {
    const code = this.querySelector("code");
    const copied = navigator.clipboard?.writeText(code.textContent) ?? Promise.reject(new Error("no clipboard"));
    return copied.then(() => true, () => getSelection().selectAllChildren(code));
  }

  #say(words) {
    this.querySelector("[role=status]").textContent = words;
    this.#button().textContent = words || this.#label;
  }
}

customElements.define("copy-text", CopyText);
