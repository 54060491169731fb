// What this tab knows of the exports, and how long ago it heard of each.

import { IMPLIED } from "./event-meaning.js";
import { INITIAL, isActive, isOpen, jobIn, reduce } from "./export-state.js";
import { newsIn } from "./siblings.js";

// What is told of exports that ended long before the page was opened, too.
const OLD_NEWS = ["export:cleanup:completed", "export:downloaded", "export:expired"];

export class Knowledge {
  #state = INITIAL;
  #heardAt = new Map();
  #onChange;

  /** `onChange` gets a job as it was, undefined when it was not known, and as it is. */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  of(jobId) {
    return jobIn(this.#state, jobId);
  }

  get all() {
    return Object.values(this.#state.jobs);
  }

  /** Take in any message of the state. */
  say(message) {
    const before = this.#state;
    this.#state = reduce(before, message);
    for (const job of this.all) {
      if (before.jobs[job.jobId] !== job) this.#onChange(before.jobs[job.jobId], job);
    }
  }

  /** Take in what the server said; what of it is news, null when nothing is. */
  hear(message) {
    const before = this.#state;
    for (const { jobId } of jobsIn(message)) this.#heardAt.set(jobId, Date.now());
    this.say(message);
    return newsIn(message, before, this.#state);
  }

  /** Milliseconds since the most silent of the open exports that `isWatched` was heard of, null without any. */
  silence(isWatched) {
    const open = this.all.filter((job) => isOpen(job) && isWatched(job));
    const heardAt = open.map((job) => (job.doubt ? 0 : (this.#heardAt.get(job.jobId) ?? 0)));
    return open.length ? Date.now() - Math.min(...heardAt) : null;
  }
}

/** The jobs that a message is about, as far as a page that was made at `madeAt` has to begin to show them. */
export function arrivalsIn(message, madeAt) {
  const isArrival = (job) => isActive(job) || Date.parse(job.createdAt) > Date.parse(madeAt);
  const isEvent = message.type in IMPLIED;
  return isEvent ? [message].filter(({ type }) => !OLD_NEWS.includes(type)) : jobsIn(message).filter(isArrival);
}

/** The jobs that a message is about, or the one event that it is. */
function jobsIn(message) {
  return (message.jobs ?? [message.job ?? message]).filter(({ jobId }) => jobId);
}
