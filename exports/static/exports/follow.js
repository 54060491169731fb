// Keeps a page current: a socket, and looks where it does not reach.

import { Looks } from "./looks.js";
import { Line } from "./socket.js";

const POLL_EVERY = 2_000; // without a socket
const BACKUP_AFTER = 5_000; // of silence about an export under way, with one

/**
 * Follow the user's exports until `stop` of the returned object is called.
 *
 * `onMessage` gets every message of the socket; `look` reads the state in another way and returns a promise that
 * fails when the server cannot be reached; `silence` says for how many milliseconds nothing was heard of some
 * export under way, null when there is none: `plan` has to be called when that changes. `onLive` hears websocket,
 * polling or offline whenever it changes; `onLoggedOut` is called once and ends it all.
 */
export function follow({ url, look, silence, onMessage, onLive, onLoggedOut }) {
  let live = "";
  const looks = new Looks({ look, due, onAnswer: answered });
  const line = new Line(url, { onMessage: heard, onLost: lookIfSeen, onLoggedOut: loggedOut });
  const heardByPage = { online: hurry, offline: () => (line.isHeard ? line.giveUp() : lookIfSeen()) };

  for (const [name, listener] of Object.entries(heardByPage)) window.addEventListener(name, listener);
  document.addEventListener("visibilitychange", shownOrHidden);
  looks.plan();
  return { plan: () => looks.plan(), look: () => looks.now(), stop };

  /** Nobody looks at a hidden page, and nothing happens where nothing is under way. */
  function due(sinceLook, restAfterFailure) {
    const silent = silence();
    if (document.hidden) return null;
    if (line.isHeard) return silent === null ? null : BACKUP_AFTER - Math.min(silent, sinceLook);
    if (restAfterFailure) return restAfterFailure - sinceLook;
    return silent === null ? null : POLL_EVERY - sinceLook;
  }

  function heard(message) {
    tell("websocket");
    onMessage(message);
  }

  function answered(answer) {
    if (answer === "loggedOut") return loggedOut();
    if (line.isHeard) return;
    if (live === "offline" && answer === "polling") line.hurry();
    tell(answer);
  }

  function tell(now) {
    if (now === live) return;
    live = now;
    onLive(live);
  }

  function lookIfSeen() {
    if (!document.hidden) looks.now();
  }

  function hurry() {
    line.hurry();
    lookIfSeen();
  }

  function shownOrHidden() {
    if (document.hidden) looks.plan();
    else hurry();
  }

  function loggedOut() {
    stop();
    tell("offline");
    onLoggedOut();
  }

  function stop() {
    looks.stop();
    line.close();
    for (const [name, listener] of Object.entries(heardByPage)) window.removeEventListener(name, listener);
    document.removeEventListener("visibilitychange", shownOrHidden);
  }
}
