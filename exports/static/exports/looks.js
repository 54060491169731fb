// Looking at the server without being told to: one look at a time, and none without a reason.

import { pause } from "./pause.js";

const FAILED_LOOKS_START_AT = 3; // the pause of the third attempt: one to two seconds

export class Looks {
  #look;
  #due;
  #onAnswer;
  #timer = 0;
  #endedAt = Date.now();
  #failures = 0;
  #rest = 0;
  #isUnderWay = false;
  #isWantedAgain = false;
  #isStopped = false;

  /**
   * `look` returns a promise that fails when the server cannot be reached; `onAnswer` hears polling, offline or
   * loggedOut; `due` says in how many milliseconds the next look is due, null for never, given how long ago the
   * last one was and how long one that failed has to be waited for.
   */
  constructor({ look, due, onAnswer }) {
    [this.#look, this.#due, this.#onAnswer] = [look, due, onAnswer];
  }

  /** At once; while a look is under way, once more after it. */
  async now() {
    clearTimeout(this.#timer);
    this.#isWantedAgain = this.#isUnderWay;
    if (this.#isUnderWay || this.#isStopped) return;
    this.#isUnderWay = true;
    const answer = await this.#look().then(() => "polling", (error) => (error.isLoggedOut ? "loggedOut" : "offline"));
    [this.#isUnderWay, this.#endedAt] = [false, Date.now()];
    if (this.#isStopped) return;
    this.#failures = answer === "offline" ? this.#failures + 1 : 0;
    this.#rest = this.#failures && pause(this.#failures + FAILED_LOOKS_START_AT - 1);
    this.#onAnswer(answer);
    if (this.#isWantedAgain) this.now();
    else this.plan();
  }

  /** What a look depends on has changed. */
  plan() {
    clearTimeout(this.#timer);
    const due = this.#isUnderWay || this.#isStopped ? null : this.#dueIn();
    if (due !== null) this.#timer = setTimeout(() => this.#atLast(), Math.max(due, 0));
  }

  stop() {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  /** Much may have been heard since this was planned. */
  #atLast() {
    if (this.#dueIn() > 0) this.plan();
    else if (this.#dueIn() !== null) this.now();
  }

  #dueIn() {
    return this.#due(Date.now() - this.#endedAt, this.#rest);
  }
}
