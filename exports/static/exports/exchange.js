// Everything between this tab and the rest: the socket, looks in its place, and the user's other tabs.

import { addressOf } from "./export-state.js";
import { follow } from "./follow.js";
import { text } from "../site/i18n.js";
import { send } from "./requests.js";
import { Siblings } from "./siblings.js";

const SOCKET = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/exports/?scope=visible`;
const CURRENT = "/api/exports/current?scope=visible";
const LOOK_PATIENCE = 10_000; // milliseconds

export class Exchange {
  #known;
  #told;
  #siblings = null;
  #following = null;

  /** `told` has isWatched (of a job), onHeard (with each message) and onLive (with websocket, polling or offline). */
  constructor(known, told) {
    [this.#known, this.#told] = [known, told];
  }

  open(userId) {
    this.#siblings = new Siblings(userId, (message) => this.#hear(message));
    this.#following = follow({
      url: SOCKET,
      look: () => this.#look(),
      silence: () => this.#known.silence(this.#told.isWatched),
      onMessage: (message) => this.learn(message),
      onLive: this.#told.onLive,
      onLoggedOut: () => location.assign(`/accounts/login/?next=${encodeURIComponent(location.pathname)}`),
    });
  }

  close() {
    this.#following?.stop();
    this.#siblings?.close();
    this.#following = this.#siblings = null;
  }

  /** Take in what the server said, and tell the other tabs what of it is news. */
  learn(message) {
    const news = this.#hear(message);
    if (news) this.tellOthers(news);
  }

  tellOthers(message) {
    this.#siblings?.tell(message);
  }

  /** What is waited for may have changed. */
  plan() {
    this.#following?.plan();
  }

  lookAtAll() {
    this.#following.look();
  }

  /** Read a job anew, whatever was said of it. */
  async lookAt(jobId) {
    try {
      this.learn({ type: "job", job: await send("GET", `${addressOf(this.#known.of(jobId))}/status`) });
    } catch (error) {
      if (error.status !== 404) throw error;
      this.#known.say({ type: "gone", jobId, sentence: text("You cannot see this export any more.") });
    }
  }

  #hear(message) {
    const news = this.#known.hear(message);
    this.#told.onHeard(message);
    this.#following?.plan();
    return news;
  }

  /** One request, however many exports; what it leaves out unexpectedly is asked for by itself. */
  async #look() {
    const { jobs } = await send("GET", CURRENT, undefined, { signal: AbortSignal.timeout(LOOK_PATIENCE) });
    this.learn({ type: "export:snapshot", jobs });
    const doubted = this.#known.all.filter((job) => job.doubt && this.#told.isWatched(job));
    await Promise.all(doubted.map((job) => this.lookAt(job.jobId)));
  }
}
