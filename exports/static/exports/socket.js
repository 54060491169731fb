// One WebSocket at a time: it comes back after growing pauses, and is given up when the other end is silent.

import { pause } from "./pause.js";

const PING_EVERY = 5_000; // a ping without an answer until the next: the connection is dead
const NOT_LOGGED_IN = 4401;

export class Line {
  #url;
  #told;
  #socket = null;
  #attempts = 0;
  #isAnswered = true;
  #isHeard = false;
  #retry = 0;
  #heartbeat = 0;

  /** `told` has onMessage, onLost and onLoggedOut. */
  constructor(url, told) {
    this.#url = url;
    this.#told = told;
    this.#heartbeat = setInterval(() => this.#ping(), PING_EVERY);
    this.#connect();
  }

  /** Whether the server talks to us: a socket that only opened may lead nowhere. */
  get isHeard() {
    return this.#isHeard;
  }

  /** Do not wait for the end of the pause. */
  hurry() {
    if (this.#socket) return;
    clearTimeout(this.#retry);
    this.#connect();
  }

  /** A dead connection may take minutes to close: do not wait for it. */
  giveUp() {
    const dead = this.#socket;
    this.#closed(0);
    dead.close();
  }

  close() {
    clearInterval(this.#heartbeat);
    clearTimeout(this.#retry);
    const open = this.#socket;
    [this.#socket, this.#isHeard] = [null, false];
    open?.close();
  }

  #connect() {
    const socket = new WebSocket(this.#url);
    [this.#socket, this.#isAnswered] = [socket, true];
    socket.onopen = () => (this.#isAnswered = true);
    socket.onmessage = ({ data }) => socket === this.#socket && this.#heard(JSON.parse(data));
    socket.onclose = ({ code }) => socket === this.#socket && this.#closed(code);
  }

  #heard(message) {
    this.#isAnswered = this.#isHeard = true;
    // A server that takes us in and drops us again must not be stormed: only one that stays starts the count anew.
    if (message.type === "pong") this.#attempts = 0;
    this.#told.onMessage(message);
  }

  #closed(code) {
    const isLoss = this.#isHeard || !this.#attempts;
    [this.#socket, this.#isHeard] = [null, false];
    if (code === NOT_LOGGED_IN) return this.#told.onLoggedOut();
    this.#attempts += 1;
    this.#retry = setTimeout(() => this.#connect(), pause(this.#attempts));
    if (isLoss) this.#told.onLost();
  }

  #ping() {
    if (!this.#socket) return;
    if (!this.#isAnswered) return this.giveUp();
    this.#isAnswered = false;
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ type: "ping" }));
  }
}
