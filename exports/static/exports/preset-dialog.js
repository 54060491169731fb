// The dialog that keeps the present choices under a name, or changes what is kept.

import { showErrors } from "./field-errors.js";
import { text } from "../site/i18n.js";
import { Refused, send } from "./requests.js";

class PresetDialog extends HTMLElement {
  #preset = null;
  #dialog = () => this.querySelector("dialog");
  #form = () => this.querySelector("form");
  #named = (name) => this.#form().elements.namedItem(name);

  create() {
    this.#preset = null;
    this.#open(text("Save as preset"));
  }

  change(preset) {
    this.#preset = preset;
    this.#open(text("Change preset"));
  }

  #open(title) {
    const preset = this.#preset;
    this.append(this.querySelector("template").content.cloneNode(true));
    this.#form().addEventListener("submit", this.#save);
    this.#dialog().addEventListener("close", ({ target }) => target.remove());
    this.querySelector("[data-remove]").addEventListener("click", this.#remove);
    this.querySelector("[data-close]").addEventListener("click", this.#close);
    this.querySelector("h2").textContent = title;
    this.#named("name").value = preset?.name ?? "";
    this.#named("shared").value = preset?.shared ? "project" : "";
    for (const part of this.querySelectorAll("[data-when-changing]")) part.hidden = !preset;
    this.#dialog().showModal();
    this.#named("name").focus();
  }

  #close = () => this.#dialog().close();

  #save = (event) => {
    event.preventDefault();
    const [name, shared] = [this.#named("name").value.trim(), this.#named("shared").value === "project"];
    const keepsOptions = this.#preset && !this.#named("replace").checked;
    const body = { name, shared, options: keepsOptions ? this.#preset.options : optionsNow() };
    this.#do(() => this.#keep(body), text("Preset saved."));
  };

  async #keep(body) {
    if (this.#preset) return this.#send("PUT", this.#preset, body);
    try {
      return await send("POST", this.dataset.address, body);
    } catch (error) {
      const namesake = error.code === "preset_name_taken" && (await this.#namesake(body));
      if (!namesake || !confirm(text("Replace the preset “%(name)s”?", namesake))) throw error;
      return this.#send("PUT", namesake, body);
    }
  }

  #remove = () => {
    if (!confirm(text("Delete the preset “%(name)s”?", this.#preset))) return;
    this.#do(() => this.#send("DELETE", this.#preset), text("Preset deleted."));
  };

  #send = (method, { id }, body) => send(method, `${this.dataset.address}/${id}`, body);

  async #namesake({ name, shared }) {
    const { presets } = await send("GET", this.dataset.address);
    const isSame = (other) => other.name.toLowerCase() === name.toLowerCase() && other.shared === shared;
    return presets.find((other) => isSame(other) && other.changeable);
  }

  /** One thing at a time; what was refused is said in the form, which stays. */
  async #do(action, words) {
    const form = this.#form();
    if (form.ariaBusy === "true") return;
    form.ariaBusy = "true";
    const kept = await action().catch((error) => this.#refuse(form, error));
    form.ariaBusy = "false";
    if (kept === undefined) return;
    form.closest("dialog").close();
    this.dispatchEvent(new CustomEvent("kept", { detail: { id: kept?.id, words } }));
  }

  #refuse(form, error) {
    showErrors(form, this.#atName(error));
    (form.querySelector('[aria-invalid="true"]') ?? form.querySelector("[data-error-summary]")).focus();
  }

  /** What concerns a field of this form is said there; the rest, of the options too, on top. */
  #atName(error) {
    if (!(error instanceof Refused)) return error;
    if (error.code === "preset_name_taken") return new Refused(error.status, { fields: { name: error.message } });
    const isOurs = error.fields.name || error.fields.shared;
    return isOurs ? error : new Refused(error.status, { detail: error.message });
  }
}

/** Of the form behind it; a preset selects no images. */
function optionsNow() {
  const { selectedImageIds, ...options } = document.querySelector("export-dialog").options;
  return options;
}

customElements.define("preset-dialog", PresetDialog);
