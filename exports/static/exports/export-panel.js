// The list of exports, kept current. The state decides; this element carries messages in and shows what follows.

import { ACTIONS } from "./actions.js";
import * as downloads from "./downloads.js";
import * as cards from "./export-card.js";
import { INITIAL, addressOf, isActive, isCancellable, isUntold, jobIn, reduce } from "./export-state.js";
import { follow } from "./follow.js";
import { fetchElement, send } from "./requests.js";
import { announcement, liveWords } from "./words.js";

class ExportPanel extends HTMLElement {
  #state = INITIAL;
  #openedAt = Date.now();
  #stop = () => {};

  connectedCallback() {
    for (const card of this.querySelectorAll("[data-export-id]")) this.say({ type: "job", job: cards.read(card) });
    for (const jobId of downloads.wantedHere()) this.say({ type: "downloadWanted", jobId });
    this.addEventListener("submit", this.#submitted);
    this.#stop = follow({
      url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/exports/`,
      onMessage: (message) => this.#heard(message),
      onLive: (live) => this.say({ type: "live", live }),
      onLoggedOut: () => location.assign(`/accounts/login/?next=${encodeURIComponent(location.pathname)}`),
      poll: (isLive) => this.#look(isLive),
    });
  }

  disconnectedCallback() {
    this.#stop();
    this.removeEventListener("submit", this.#submitted);
  }

  say(message) {
    const before = this.#state;
    this.#state = reduce(before, message);
    if (message.type === "live") this.#showLive();
    for (const jobId of Object.keys(this.#state.jobs)) {
      if (before.jobs[jobId] !== this.#state.jobs[jobId]) this.#changed(before.jobs[jobId], jobIn(this.#state, jobId));
    }
  }

  /** Read a job anew, whatever was said of it. */
  async lookAt(jobId) {
    this.say({ type: "job", job: await send("GET", `${addressOf(jobIn(this.#state, jobId))}/status`) });
  }

  /** Take up a job that was started here, until the page shows it. */
  async started(job, isDownloadWanted) {
    if (isDownloadWanted) downloads.remember(job.jobId);
    this.say({ type: "job", job });
    if (isDownloadWanted) this.say({ type: "downloadWanted", jobId: job.jobId });
    await this.add(job);
  }

  /** Show a job that the page does not show yet, if it belongs here. */
  async add({ jobId, projectId }) {
    const isElsewhere = this.dataset.projectId && this.dataset.projectId !== projectId;
    if (isElsewhere || this.#card(jobId)) return;
    const made = await fetchElement(`/exports/${jobId}/card/`).catch(() => null);
    if (!made || this.#card(jobId)) return;
    const list = this.querySelector("[data-export-list]");
    list.prepend(made);
    list.scrollLeft = 0; // on a phone it lies on its side
    this.querySelector("[data-no-exports]").hidden = true;
    this.say({ type: "job", job: cards.read(made) });
    cards.show(made, jobIn(this.#state, jobId));
  }

  #heard(message) {
    const known = this.#state.jobs;
    if (message.type !== "export:snapshot") {
      this.say(message);
      if (message.jobId && !known[message.jobId]) this.add(message);
      return;
    }
    this.say({ type: "snapshot", jobs: message.jobs });
    const isNew = (job) => isActive(job) || Date.parse(job.createdAt) > this.#openedAt;
    message.jobs.filter((job) => !known[job.jobId] && isNew(job)).forEach((job) => this.add(job));
  }

  #changed(before, job) {
    const card = this.#card(job.jobId);
    if (card) cards.show(card, job);
    const isOtherwise = job.status !== before?.status || isCancellable(job) !== isCancellable(before);
    if (card && isOtherwise && job.version > Number(card.dataset.version)) this.#remake(job.jobId);
    const words = before ? announcement(before, job) : "";
    if (words) this.querySelector("[data-announcements]").textContent = words;
    downloads.pursue(job, (message) => this.say(message));
  }

  #submitted = (event) => {
    const card = event.target.closest("[data-export-id]");
    const act = ACTIONS[event.target.dataset.action];
    if (!card || !act) return;
    event.preventDefault();
    act(this, jobIn(this.#state, card.dataset.exportId));
  };

  /** Ask for what no event will tell; without a socket at least whether the server is there. */
  async #look(isLive) {
    const userId = Number(this.dataset.userId);
    const jobs = Object.values(this.#state.jobs).filter((job) => isUntold(job, isLive, userId));
    await Promise.all(jobs.map((job) => this.lookAt(job.jobId)));
    if (!isLive && !jobs.length) await fetch("/healthz", { cache: "no-store" });
  }

  /** New markup for a job that moved; one that says less than is known already is not shown. */
  async #remake(jobId) {
    const made = await fetchElement(`/exports/${jobId}/card/`).catch(() => null);
    const card = this.#card(jobId);
    if (!made || !card) return;
    this.say({ type: "job", job: cards.read(made) });
    const known = jobIn(this.#state, jobId);
    if (made.dataset.status === known.status) cards.replace(card, made);
    cards.show(card, known);
  }

  #showLive() {
    document.body.dataset.live = this.#state.live;
    this.querySelector("[data-live-words]").textContent = liveWords(this.#state.live);
  }

  #card = (jobId) => this.querySelector(`#export-${jobId}`);
}

customElements.define("export-panel", ExportPanel);
