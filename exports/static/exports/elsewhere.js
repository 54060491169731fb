// For whoever looks elsewhere while an export is made: the tab's title and icon, and the browser's notification.

import { Notifications } from "./notifications.js";
import { TabProgress } from "./tab-progress.js";

export class Elsewhere {
  #tab = new TabProgress();
  #notifications;

  /** `jobOf` says what is known of a job by now. */
  constructor(jobOf) {
    this.#notifications = new Notifications(jobOf);
  }

  start(userId) {
    this.#tab.start();
    this.#notifications.start(userId);
  }

  stop() {
    this.#tab.stop();
    this.#notifications.stop();
  }

  started(job) {
    this.#notifications.started(job);
  }

  /** A job is not as it was; `jobs` are all that the page shows. */
  changed(before, job, jobs) {
    this.#tab.changed(before, job, jobs);
    this.#notifications.changed(before, job);
  }
}
