// The cards on the page: each is drawn at most once a frame, and gets new markup only when it has to look otherwise.

import * as cards from "./export-card.js";
import { faceOf } from "./export-state.js";
import { fetchElement } from "./requests.js";
import { announcement } from "./words.js";

export class CardList {
  #panel;
  #jobOf;
  #frame = 0;
  #waiting = new Set();
  #drawn = new Map(); // jobs as they were drawn last
  #faces = new Map(); // what the markup that was asked for last shows
  #missed = new Set(); // whose markup could not be had
  #fetching = new Map();

  /** `jobOf` says what is known of a job; the panel's `learn` is told what new markup says. */
  constructor(panel, jobOf) {
    [this.#panel, this.#jobOf] = [panel, jobOf];
  }

  read() {
    return [...this.#panel.querySelectorAll("[data-export-id]")].map((card) => this.#read(card));
  }

  has(jobId) {
    return Boolean(this.#card(jobId));
  }

  draw(jobId) {
    this.#waiting.add(jobId);
    this.#frame ||= requestAnimationFrame(() => this.#drawAll());
  }

  /** The server can be reached again. */
  drawMissed() {
    for (const jobId of this.#missed) {
      this.#faces.delete(jobId);
      this.draw(jobId);
    }
    this.#missed.clear();
  }

  stop() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }

  /** Draw what was not drawn any more before the stop. */
  start() {
    for (const jobId of this.#waiting) this.draw(jobId);
  }

  /** Put a card for a job on top of the list, unless it has one. */
  async add(jobId) {
    if (this.has(jobId)) return;
    const made = await this.#fetch(jobId);
    if (!made || this.has(jobId)) return;
    const list = this.#panel.querySelector("[data-export-list]");
    list.prepend(made);
    list.scrollLeft = 0; // on a phone it lies on its side
    this.#panel.querySelector("[data-no-exports]").hidden = true;
    this.#panel.learn({ type: "job", job: this.#read(made) });
    this.#draw(jobId);
  }

  #drawAll() {
    const [jobIds, words] = [[...this.#waiting], []];
    this.#frame = 0;
    this.#waiting.clear();
    for (const jobId of jobIds) words.push(this.#draw(jobId));
    const spoken = words.filter(Boolean).join(" ");
    if (spoken) this.#panel.querySelector("[data-announcements]").textContent = spoken;
  }

  /** What a listener should hear of it. */
  #draw(jobId) {
    const [card, job, before] = [this.#card(jobId), this.#jobOf(jobId), this.#drawn.get(jobId)];
    if (!card) return "";
    cards.show(card, job);
    this.#drawn.set(jobId, job);
    const isNewer = job.version > Number(card.dataset.version);
    if (isNewer && this.#faces.get(jobId) !== faceOf(job)) this.#remake(jobId);
    return before ? announcement(before, job) : "";
  }

  /** New markup for a job that moved; one that says less than is known already is not shown. */
  async #remake(jobId) {
    if (this.#fetching.has(jobId)) return; // it is drawn again when that has come
    this.#faces.set(jobId, faceOf(this.#jobOf(jobId)));
    const made = await this.#fetch(jobId);
    const card = this.#card(jobId);
    if (!card) return;
    if (!made) return void this.#missed.add(jobId);
    this.#panel.learn({ type: "job", job: cards.read(made) });
    if (made.dataset.status === this.#jobOf(jobId).status) cards.replace(card, made);
    this.draw(jobId);
  }

  /** The markup, null when it cannot be had; two who want it at once share one request. */
  #fetch(jobId) {
    const asked = this.#fetching.get(jobId) ?? fetchElement(`/exports/${jobId}/card/`).catch(() => null);
    this.#fetching.set(jobId, asked);
    return asked.finally(() => this.#fetching.delete(jobId));
  }

  #read(card) {
    const job = cards.read(card);
    this.#faces.set(job.jobId, faceOf(job));
    return job;
  }

  #card(jobId) {
    return this.#panel.querySelector(`#export-${jobId}`);
  }
}
