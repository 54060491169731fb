// The same user's other tabs: what one of them learns, all of them show, also those whose socket is blocked.

const CHANNEL = "exports";

export class Siblings {
  #userId;
  #channel;

  /** `onMessage` gets what the others tell; those of somebody who was logged in here before are not heard. */
  constructor(userId, onMessage) {
    this.#userId = userId;
    this.#channel = new BroadcastChannel(CHANNEL);
    this.#channel.onmessage = ({ data }) => data.userId === userId && onMessage(data.message);
  }

  tell(message) {
    this.#channel.postMessage({ userId: this.#userId, message });
  }

  close() {
    this.#channel.close();
  }
}

/** What is worth telling of a message that led from one state to another; null when nothing is. */
export function newsIn(message, before, after) {
  if (!message.jobs) return before === after ? null : message;
  const jobs = message.jobs.filter(({ jobId }) => before.jobs[jobId] !== after.jobs[jobId]);
  return jobs.length ? { type: "jobs", jobs } : null;
}
