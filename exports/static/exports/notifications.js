// The browser's own notification: of an export that was started in this browser, and that ended while nobody looked.

import { isActive } from "./export-state.js";
import { text } from "../site/i18n.js";
import { remember, take } from "./started-here.js";
import { announcement } from "./words.js";

const WISH = "exports-notify"; // of which user
const LOOKED_AT = "exports-looked-at"; // the tab that is in front
const LOCK = "exports-notify";

/** On Android there is the class, but only service workers may use it. */
export function isPossible() {
  return "Notification" in globalThis && "locks" in navigator && !/Android/.test(navigator.userAgent);
}

/** `granted`, `denied`, or `default` for a question that was not answered. */
export async function askPermission() {
  return isPossible() ? Notification.requestPermission() : "denied";
}

export function isWanted(userId) {
  return localStorage.getItem(WISH) === String(userId);
}

export function setWanted(userId, isOn) {
  localStorage.setItem(WISH, isOn ? String(userId) : "");
}

/** Of the exports of one user, in one tab. Which tab takes a job from the list of all tabs, tells of it. */
export class Notifications {
  #userId = 0;
  #jobOf;
  #tab = `${Date.now()}-${Math.random()}`;
  #shown = new Map();

  /** `jobOf` says what is known of a job by now. */
  constructor(jobOf) {
    this.#jobOf = jobOf;
  }

  start(userId) {
    this.#userId = userId;
    document.addEventListener("visibilitychange", this.#lookedOrLeft);
    this.#lookedOrLeft();
  }

  stop() {
    document.removeEventListener("visibilitychange", this.#lookedOrLeft);
    this.#leave();
  }

  /** Whoever started an export here may want to hear of it. */
  started({ jobId }) {
    remember(this.#userId, jobId);
  }

  changed(before, job) {
    if (job.cancelClicked || ["cancelled", "expired"].includes(job.status)) return this.#withdraw(job.jobId);
    const hasEnded = before && isActive(before) && ["completed", "failed"].includes(job.status);
    if (hasEnded && isPossible() && isWanted(this.#userId)) this.#tell(before, job);
  }

  async #tell(before, job) {
    await navigator.locks.request(LOCK, () => {
      if (localStorage.getItem(LOOKED_AT) || Notification.permission !== "granted") return;
      if (!take(this.#userId, job.jobId)) return; // not started here, told by another tab, or Cancel was clicked
      const now = this.#jobOf(job.jobId);
      if (now.status === job.status && !now.cancelClicked) this.#show(before, { ...now, projectName: nameOf(now) });
    });
  }

  #show(before, job) {
    const { jobId, projectName = text("Exports") } = job;
    const shown = new Notification(projectName, { body: announcement(before, job), tag: jobId });
    this.#shown.set(jobId, shown);
    shown.onclick = () => {
      window.focus();
      cardOf(jobId)?.focus();
      shown.close();
    };
  }

  /** Nobody is told of it any more, and who was told is no longer. */
  #withdraw(jobId) {
    take(this.#userId, jobId);
    this.#shown.get(jobId)?.close();
    this.#shown.delete(jobId);
  }

  #lookedOrLeft = () => {
    if (document.hidden) this.#leave();
    else localStorage.setItem(LOOKED_AT, this.#tab);
  };

  #leave() {
    if (localStorage.getItem(LOOKED_AT) === this.#tab) localStorage.removeItem(LOOKED_AT);
  }
}

function cardOf(jobId) {
  return document.getElementById(`export-${jobId}`);
}

/** Events do not repeat it. */
function nameOf({ jobId, projectName }) {
  return projectName ?? cardOf(jobId)?.querySelector("h3").textContent.trim();
}
