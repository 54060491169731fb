// The dialog that starts an export: opened by the Export button, or with an earlier export's choices.

import { optionsOf } from "./export-options.js";
import { showErrors } from "./field-errors.js";
import { text } from "../site/i18n.js";
import { OptionFields, wantedAgain } from "./option-fields.js";
import { RequestKey } from "./request-key.js";
import { send } from "./requests.js";
import "./estimate.js";
import "./image-picker.js";
import "./overlay-preview.js";
import "./preferences.js";
import "./presets.js";

class ExportDialog extends HTMLElement {
  #key = new RequestKey();
  #fields = new OptionFields();
  #filled = Promise.resolve();
  #part = (name) => this.querySelector(name);
  #opener = () => document.getElementById("export-choice");

  connectedCallback() {
    this.#opener().addEventListener("submit", this.#open);
    document.addEventListener("click", this.#openAgain);
    this.#part("form").addEventListener("submit", this.#start);
    this.#part("form").addEventListener("input", this.#changed);
    this.#part("form").addEventListener("choices", ({ detail }) => this.#fill(detail, this.#changed));
    this.#part("dialog").addEventListener("close", this.#closed);
    this.#part("[data-close]").addEventListener("click", () => this.#part("dialog").close());
  }

  disconnectedCallback() {
    this.#opener()?.removeEventListener("submit", this.#open);
    document.removeEventListener("click", this.#openAgain);
  }

  /** What is chosen, in the API's shape. */
  get options() {
    const { ids } = this.#part("image-picker");
    return { ...optionsOf(this.#part("form")), ...(ids && { selectedImageIds: ids }) };
  }

  #open = (event) => {
    event.preventDefault();
    this.#show();
    this.#part("image-picker").choose();
  };

  /** "Same again" on a card. */
  #openAgain = (event) => {
    const jobId = wantedAgain(event, this.dataset.page);
    if (!jobId) return;
    event.preventDefault();
    this.#show("earlier");
    this.#fill(`like=${jobId}`, (made) => this.#part("image-picker").chooseAs(made));
  };

  #show(choices) {
    showErrors(this.#part("form"), null);
    this.#key.forget();
    this.#part("dialog").showModal();
    this.#part("h2").focus();
    this.#part("preset-choice").open(choices);
  }

  /** The browser gives the focus back to what opened the dialog, unless that is gone by now. */
  #closed = () => {
    if (document.activeElement === document.body) this.#opener().querySelector("button").focus();
  };

  /** A start waits for the choices that are on their way, and is none when they cannot be had. */
  #fill(query, then) {
    this.#filled = this.#fields.fill(this, `${this.dataset.page}fields/?${query}`).then((made) => made && then(made));
    this.#filled.catch((error) => {
      this.#filled = Promise.resolve();
      this.#refuse(error);
    });
  }

  #changed = () => {
    const estimate = this.#part("export-estimate");
    if (this.#part("image-picker").isEmpty) estimate.say(text("No image is selected."));
    else estimate.soon(() => this.options, this.#judged);
  };

  /** What an estimate was answered with shows what is wrong before it is sent. */
  #judged = async (refusal) => {
    const fields = refusal?.fields ?? {};
    if (fields.selectedImageIds && (await this.#part("image-picker").keepPresent())) return;
    showErrors(this.#part("form"), Object.keys(fields).length ? refusal : null);
  };

  #start = async (event) => {
    event.preventDefault();
    if (this.#part("form").ariaBusy === "true") return;
    this.#be("true");
    await this.#filled.then(() => this.#send(this.options)).catch((error) => this.#refuse(error));
    this.#be("false");
  };

  async #send(options) {
    this.#part("image-picker").insist();
    this.#part("export-estimate").forget();
    const headers = { "Idempotency-Key": this.#key.of(options) };
    const { job } = await send("POST", this.dataset.api, { options }, { headers });
    await document.querySelector("export-panel").started(job, this.#part("[data-auto-download]").checked);
    this.#part("dialog").close();
  }

  #refuse(error) {
    showErrors(this.#part("form"), error);
    this.#part("[data-error-summary]").focus();
  }

  #be(isBusy) {
    this.#part("form").ariaBusy = this.#part("[data-start]").ariaDisabled = isBusy;
  }
}

customElements.define("export-dialog", ExportDialog);
