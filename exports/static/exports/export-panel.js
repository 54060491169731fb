// The list of exports, kept current. The state decides; this element carries messages in and shows what follows.

import { ACTIONS } from "./actions.js";
import { CardList } from "./card-list.js";
import * as downloads from "./downloads.js";
import { Elsewhere } from "./elsewhere.js";
import { Exchange } from "./exchange.js";
import { Knowledge, arrivalsIn } from "./knowledge.js";
import { LiveLine } from "./live-line.js";

class ExportPanel extends HTMLElement {
  #known = new Knowledge((before, job) => this.#changed(before, job));
  #cards = new CardList(this, (jobId) => this.#known.of(jobId));
  #liveLine = new LiveLine(this);
  #elsewhere = new Elsewhere((jobId) => this.#known.of(jobId));
  #exchange = new Exchange(this.#known, {
    isWatched: (job) => this.#isWatched(job),
    onHeard: (message) => this.#heard(message),
    onLive: (live) => this.#showLive(live),
  });

  connectedCallback() {
    for (const job of this.#cards.read()) this.say({ type: "job", job });
    for (const jobId of downloads.wantedHere()) this.say({ type: "downloadWanted", jobId });
    this.addEventListener("submit", this.#submitted);
    window.addEventListener("pagehide", this.#leave);
    window.addEventListener("pageshow", this.#comeBack);
    this.#enter();
  }

  disconnectedCallback() {
    this.removeEventListener("submit", this.#submitted);
    window.removeEventListener("pagehide", this.#leave);
    window.removeEventListener("pageshow", this.#comeBack);
    this.#leave();
  }

  /** Something happened in this tab. */
  say(message) {
    this.#known.say(message);
    this.#exchange.plan();
  }

  /** The server said something. */
  learn(message) {
    this.#exchange.learn(message);
  }

  tellOthers(message) {
    this.#exchange.tellOthers(message);
  }

  lookAt(jobId) {
    return this.#exchange.lookAt(jobId);
  }

  /** Take up a job that was started here, until the page shows it. */
  async started(job, isDownloadWanted) {
    if (isDownloadWanted) downloads.remember(job.jobId);
    this.#elsewhere.started(job);
    this.learn({ type: "job", job });
    if (isDownloadWanted) this.say({ type: "downloadWanted", jobId: job.jobId });
    if (this.#belongsHere(job)) await this.#cards.add(job.jobId);
  }

  /** The one place where a job is seen to change; at once, also in a hidden tab. */
  #changed(before, job) {
    this.#cards.draw(job.jobId);
    downloads.pursue(job, (message) => this.say(message));
    this.#elsewhere.changed(before, job, this.#known.all.filter((each) => this.#isWatched(each)));
  }

  #heard(message) {
    if (message.type === "cancelClickedElsewhere") downloads.forget(message.jobId);
    const arrived = arrivalsIn(message, this.#list.dataset.madeAt).filter((job) => this.#belongsHere(job));
    for (const job of arrived) this.#cards.add(job.jobId);
  }

  #belongsHere({ projectId }) {
    const isWhole = !("isPart" in this.#list.dataset);
    return isWhole && (!this.dataset.projectId || this.dataset.projectId === projectId);
  }

  /** Whether this page waits for more of it: it shows it, or will download it. */
  #isWatched(job) {
    return this.#cards.has(job.jobId) || this.#belongsHere(job) || job.autoDownload === "wanted";
  }

  #showLive(live) {
    this.#liveLine.show(live);
    if (live !== "offline") this.#cards.drawMissed();
  }

  #enter() {
    this.#exchange.open(Number(this.dataset.userId));
    this.#cards.start();
    this.#elsewhere.start(Number(this.dataset.userId));
  }

  /** Also into the browser's back/forward cache, which takes no page with an open socket. */
  #leave = () => {
    this.#exchange.close();
    this.#liveLine.stop();
    this.#cards.stop();
    this.#elsewhere.stop();
  };

  #comeBack = ({ persisted }) => {
    if (!persisted) return;
    this.#enter();
    this.#exchange.lookAtAll();
  };

  #submitted = (event) => {
    const card = event.target.closest("[data-export-id]");
    const act = ACTIONS[event.target.dataset.action];
    if (!card || !act) return;
    event.preventDefault();
    act(this, this.#known.of(card.dataset.exportId));
  };

  get #list() {
    return this.querySelector("[data-export-list]");
  }
}

customElements.define("export-panel", ExportPanel);
