// How far the page's exports are, in the tab's title and icon: for whoever looks at something else meanwhile.

import { isActive } from "./export-state.js";
import { counted, text } from "../site/i18n.js";

const AT_MOST_EVERY = 1_000; // milliseconds between two changes of what the tab says
const NEWS = ["completed", "failed"];

// The colours of the page's bar; an icon cannot see its tokens.
const RING_STYLE = `circle{fill:none;stroke-width:6;stroke:#c3cfcb}.done{stroke:#0b6e63}
@media(prefers-color-scheme:dark){circle{stroke:#3d4d49}.done{stroke:#5ad1bf}}`;

/** The title while `jobs` are as they are; those with `isNews` ended while nobody looked. */
export function titleOf(jobs, plainTitle) {
  const active = jobs.filter(isUnderWay);
  if (active.length) return `${progressWords(active)} · ${plainTitle}`;
  const news = jobs.filter((job) => job.isNews).map((job) => job.status);
  if (news.includes("failed")) return `! ${text("Failed")} · ${plainTitle}`;
  return news.includes("completed") ? `✓ ${text("Ready")} · ${plainTitle}` : plainTitle;
}

/** The address of a ring that is closed so far; null when nothing is under way. */
export function iconOf(jobs) {
  const active = jobs.filter(isUnderWay);
  if (!active.length) return null;
  const ring = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><style>${RING_STYLE}</style>
<circle cx="16" cy="16" r="12"/><circle class="done" cx="16" cy="16" r="12" pathLength="100"
stroke-dasharray="${percentOf(active)} 100" transform="rotate(-90 16 16)"/></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(ring)}`;
}

export class TabProgress {
  #jobs = [];
  #news = new Set();
  #timer = 0;
  #drawnAt = -Infinity;
  #plainTitle = "";
  #plainIcon = "";
  #icon = null;

  start() {
    this.#icon = document.querySelector('link[rel="icon"]');
    [this.#plainTitle, this.#plainIcon] = [document.title, this.#icon.getAttribute("href")];
    document.addEventListener("visibilitychange", this.#looked);
    this.#drawSoon();
  }

  stop() {
    document.removeEventListener("visibilitychange", this.#looked);
    clearTimeout(this.#timer);
    this.#timer = 0;
    if (this.#icon) this.#put(this.#plainTitle, this.#plainIcon);
    this.#icon = null;
  }

  /** A job is not as it was; `jobs` are all that the page shows. */
  changed(before, job, jobs) {
    const hasEnded = before && isUnderWay(before) && NEWS.includes(job.status);
    if (hasEnded && document.hidden) this.#news.add(job.jobId);
    this.#jobs = jobs;
    this.#drawSoon();
  }

  #looked = () => {
    if (document.hidden) return;
    this.#news.clear();
    this.#draw();
  };

  /** At once when the last time is long enough ago: the timers of a hidden tab may be a minute late. */
  #drawSoon() {
    if (!this.#icon) return;
    const pause = this.#drawnAt + AT_MOST_EVERY - Date.now();
    if (pause <= 0) this.#draw();
    else this.#timer ||= setTimeout(() => this.#draw(), pause);
  }

  #draw() {
    clearTimeout(this.#timer);
    [this.#timer, this.#drawnAt] = [0, Date.now()];
    const jobs = this.#jobs.map((job) => ({ ...job, isNews: this.#news.has(job.jobId) }));
    this.#put(titleOf(jobs, this.#plainTitle), iconOf(jobs) ?? this.#plainIcon);
  }

  #put(title, icon) {
    if (document.title !== title) document.title = title;
    if (this.#icon.getAttribute("href") !== icon) this.#icon.setAttribute("href", icon);
  }
}

/** After a click on Cancel its progress is no longer worth a look. */
function isUnderWay(job) {
  return isActive(job) && !job.cancelClicked && !job.isGone;
}

function progressWords(active) {
  const percent = `${percentOf(active)} %`;
  return active.length > 1 ? `${percent}, ${counted("%(number)s export", "%(number)s exports", active.length)}` : percent;
}

/** Of their mean; rounded down, as nothing is done before it is. */
function percentOf(active) {
  return Math.floor(active.reduce((sum, { progress }) => sum + (progress ?? 0), 0) / active.length);
}
