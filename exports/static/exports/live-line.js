// Says how the page is kept current, and what it means when it is not.

import { text } from "../site/i18n.js";
import { liveWords } from "./words.js";

const CALM = 1_500; // milliseconds: a short interruption is no news

export class LiveLine {
  #panel;
  #timer = 0;

  constructor(panel) {
    this.#panel = panel;
  }

  show(live) {
    document.body.dataset.live = live;
    this.#panel.querySelector("[data-live-words]").textContent = liveWords(live);
    clearTimeout(this.#timer);
    if (live !== "offline") this.#say("");
    else this.#timer = setTimeout(() => this.#say(offlineWords()), CALM);
  }

  stop() {
    clearTimeout(this.#timer);
  }

  #say(words) {
    this.#panel.querySelector("[data-offline]").textContent = words;
  }
}

function offlineWords() {
  return text(
    "The site cannot be reached just now. Exports go on without this page, and nothing is lost: it will show what happened as soon as the connection is back.",
  );
}
