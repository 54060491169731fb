// The dialog that starts an export: opened by the Export button, estimating while options change.

import { optionsOf } from "./export-options.js";
import { Refused, sentenceOf, send } from "./requests.js";
import { counted, estimateWords } from "./words.js";

const ESTIMATE_AFTER = 250; // milliseconds without a change
const MARKED = "Some choices cannot be used: they are marked.";

class ExportDialog extends HTMLElement {
  #timer = 0;
  #asked = 0;
  #dialog = () => this.querySelector("dialog");
  #form = () => this.querySelector("form");
  #opener = () => document.getElementById("export-choice");

  connectedCallback() {
    this.#opener().addEventListener("submit", this.#open);
    this.#form().addEventListener("submit", this.#start);
    this.#form().addEventListener("input", this.#estimateSoon);
    this.querySelector("[data-close]").addEventListener("click", this.#close);
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    this.#opener()?.removeEventListener("submit", this.#open);
  }

  #open = (event) => {
    event.preventDefault();
    this.#showErrors(null);
    this.#dialog().showModal();
    this.querySelector("h2").focus();
    this.#takeSelection();
    this.#estimate();
  };

  /** The browser gives the focus back to the button that opened the dialog. */
  #close = () => this.#dialog().close();

  /** The images that are ticked on the page, also on its other pages. */
  #takeSelection() {
    const ids = document.querySelector("image-selection")?.selected ?? [];
    const inputs = ids.map((id) => {
      const input = document.createElement("input");
      [input.type, input.name, input.value] = ["hidden", "selectedImageIds", id];
      return input;
    });
    this.querySelector("[data-selected-images]").replaceChildren(...inputs);
    this.querySelector("[data-which-words]").textContent = counted(ids.length, "selected image");
    this.querySelector("[data-which-images]").hidden = !ids.length;
  }

  /** A late one must not wipe out what the start was answered with. */
  #forgetEstimates() {
    clearTimeout(this.#timer);
    this.#asked += 1;
  }

  #estimateSoon = () => {
    this.#forgetEstimates();
    this.#timer = setTimeout(() => this.#estimate(), ESTIMATE_AFTER);
  };

  async #estimate() {
    const asked = ++this.#asked;
    const answer = send("POST", `${this.dataset.api}/estimate`, { options: optionsOf(this.#form()) });
    const found = await answer.catch((error) => error);
    if (asked !== this.#asked) return;
    this.#showErrors(found instanceof Refused && Object.keys(found.fields).length ? found : null);
    this.#showEstimate(found instanceof Error ? [wordsOf(found), []] : [estimateWords(found), found.warnings]);
  }

  #showEstimate([words, warnings]) {
    this.querySelector("[data-estimate]").textContent = words;
    const items = warnings.map(({ message }) => Object.assign(document.createElement("li"), { textContent: message }));
    this.querySelector("[data-estimate-warnings]").replaceChildren(...items);
  }

  #start = async (event) => {
    event.preventDefault();
    if (this.#form().ariaBusy === "true") return;
    this.#form().ariaBusy = "true";
    this.#forgetEstimates();
    try {
      const { job } = await send("POST", this.dataset.api, { options: optionsOf(this.#form()) });
      await document.querySelector("export-panel").started(job, this.querySelector("[data-auto-download]").checked);
      this.#close();
    } catch (error) {
      this.#showErrors(error);
      this.querySelector("[data-error-summary]").focus();
    } finally {
      this.#form().ariaBusy = "false";
    }
  };

  /** The sentence on top, and each field's own at the field. */
  #showErrors(error) {
    const fields = Object.entries(error?.fields ?? {});
    const summary = this.querySelector("[data-error-summary]");
    summary.textContent = error ? wordsOf(error) : "";
    summary.hidden = !error;
    for (const place of this.querySelectorAll("[data-error-for]")) {
      const found = fields.find(([path]) => `${path}.`.startsWith(`${place.dataset.errorFor}.`));
      place.textContent = found ? found[1] : "";
      place.hidden = !found;
      const inputs = [...this.#form().elements].filter((input) => input.name === place.dataset.errorFor);
      inputs.forEach((input) => (input.ariaInvalid = found ? "true" : null));
      if (found) place.closest("details")?.setAttribute("open", "");
    }
  }
}

/** Refusals name fields as the API does; here each is said at its field. */
function wordsOf(error) {
  return error instanceof Refused && Object.keys(error.fields).length ? MARKED : sentenceOf(error);
}

customElements.define("export-dialog", ExportDialog);
