// The select that fills the form with choices that were kept, and the way to keep them.

import { send } from "./requests.js";
import "./preset-dialog.js";

class PresetChoice extends HTMLElement {
  #presets = [];
  #select = () => this.querySelector("select");
  #change = () => this.querySelector("[data-change]");
  #editor = () => document.querySelector("preset-dialog");

  connectedCallback() {
    this.#select().addEventListener("change", this.#chosen);
    this.querySelector("[data-save]").addEventListener("click", this.#save);
    this.#change().addEventListener("click", this.#edit);
    this.#editor().addEventListener("kept", this.#kept);
  }

  disconnectedCallback() {
    this.#editor()?.removeEventListener("kept", this.#kept);
  }

  /** `choice` says what the form holds, when that is none of the presets. */
  open(choice = this.#select().value) {
    this.#select().value = choice;
    this.#load();
  }

  /** Without an answer the presets are as they were; what was chosen meanwhile stays chosen. */
  async #load() {
    const found = await send("GET", this.dataset.address).catch(() => null);
    const chosen = this.#select().value;
    if (found) this.#presets = found.presets;
    this.#fill("own", this.#presets.filter(({ shared }) => !shared));
    this.#fill("shared", this.#presets.filter(({ shared }) => shared));
    this.#choose(chosen);
  }

  #choose(choice) {
    this.#select().value = choice;
    if (this.#select().selectedIndex < 0) this.#select().value = "";
    this.#show();
  }

  #fill(name, presets) {
    const group = this.querySelector(`[data-${name}]`);
    group.replaceChildren(...presets.map((preset) => new Option(preset.name, preset.id)));
    group.hidden = !presets.length;
  }

  get #chosenPreset() {
    return this.#presets.find(({ id }) => id === this.#select().value);
  }

  #chosen = () => {
    this.#show();
    const query = this.#select().value ? `preset=${this.#select().value}` : "";
    this.dispatchEvent(new CustomEvent("choices", { bubbles: true, detail: query }));
  };

  #show() {
    this.#change().disabled = !this.#chosenPreset?.changeable;
  }

  #save = () => this.#editor().create();

  #edit = () => this.#editor().change(this.#chosenPreset);

  #kept = async ({ detail: { id, words } }) => {
    await this.#load();
    this.#choose(id ?? "");
    this.querySelector("[data-kept-words]").textContent = words;
    if (!id) this.#select().focus();
  };
}

customElements.define("preset-choice", PresetChoice);
