// "Notify me in this browser": asks the browser for its permission only when the box is ticked.

import { text } from "../site/i18n.js";
import { askPermission, isPossible, isWanted, setWanted } from "./notifications.js";

const REFUSALS = {
  denied: text("Your browser blocks notifications of this site. Allow them in the browser's settings, then tick this again."),
  default: text("The browser shows nothing without your permission. Tick this again to be asked."),
};

class NotifyChoice extends HTMLElement {
  connectedCallback() {
    this.hidden = !isPossible();
    if (this.hidden) return;
    const wish = isWanted(this.#userId);
    this.#box.checked = wish && Notification.permission === "granted";
    this.#say(wish ? Notification.permission : "granted");
    this.addEventListener("change", this.#changed);
  }

  disconnectedCallback() {
    this.removeEventListener("change", this.#changed);
  }

  #changed = async () => {
    const answer = this.#box.checked ? await askPermission() : "granted";
    this.#box.checked &&= answer === "granted";
    setWanted(this.#userId, this.#box.checked);
    this.#say(answer);
  };

  #say(permission) {
    this.querySelector("[data-notify-words]").textContent = REFUSALS[permission] ?? "";
  }

  get #box() {
    return this.querySelector("[data-notify]");
  }

  get #userId() {
    return Number(this.dataset.userId);
  }
}

customElements.define("notify-choice", NotifyChoice);
