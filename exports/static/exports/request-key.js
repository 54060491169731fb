// The Idempotency-Key of a start: the same for the same request, so that trying again after a lost answer
// finds the job that was started the first time.

export class RequestKey {
  #key = "";
  #body = "";

  of(body) {
    const said = JSON.stringify(body);
    if (!this.#key || said !== this.#body) [this.#key, this.#body] = [newKey(), said];
    return this.#key;
  }

  /** What is started from now on is meant as something new. */
  forget() {
    this.#key = "";
  }
}

/** Not `crypto.randomUUID`, which plain HTTP has not. */
function newKey() {
  return [...crypto.getRandomValues(new Uint32Array(4))].map((part) => part.toString(16)).join("-");
}
