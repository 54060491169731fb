// Keeps a page current: a socket that reconnects, and polling while there is none.

const LONGEST_PAUSE = 10_000;
const FIRST_PAUSE = 500;
const POLL_EVERY = 3_000;
const PING_EVERY = 5_000; // a ping without an answer until the next: the connection is dead
const NOT_LOGGED_IN = 4401;

/**
 * Follow the user's exports until the returned function is called.
 *
 * `onMessage` gets every message of the socket; `poll` reads the state in another way and returns a promise
 * that fails when the server cannot be reached; `onLive` hears websocket, polling or offline; `onLoggedOut`
 * is called once and ends it all.
 */
export function follow({ url, onMessage, onLive, onLoggedOut, poll }) {
  let socket = null;
  let attempts = 0;
  let isAnswered = true;
  let isHearing = false;
  let isStopped = false;
  let timers = {};

  connect();
  timers.ping = setInterval(ping, PING_EVERY);
  timers.poll = setTimeout(pollOnce, 1_000);
  window.addEventListener("online", hurry);
  return stop;

  function connect() {
    socket = new WebSocket(url);
    const current = socket;
    socket.onopen = () => current === socket && opened();
    socket.onmessage = ({ data }) => current === socket && heard(data);
    socket.onclose = ({ code }) => current === socket && closed(code);
  }

  function opened() {
    isAnswered = true;
    if (attempts > 0) socket.send(JSON.stringify({ type: "export:sync" }));
  }

  function heard(data) {
    attempts = 0;
    isAnswered = isHearing = true;
    onLive("websocket");
    onMessage(JSON.parse(data));
  }

  function closed(code) {
    socket = null;
    isHearing = false;
    if (code === NOT_LOGGED_IN) return loggedOut();
    if (isStopped) return;
    attempts += 1;
    timers.connect = setTimeout(connect, pause(attempts));
    if (attempts === 1) restartPolling(0);
  }

  function ping() {
    if (socket?.readyState !== WebSocket.OPEN) return;
    if (!isAnswered) return abandon();
    isAnswered = false;
    socket.send(JSON.stringify({ type: "ping" }));
  }

  /** A dead connection may take minutes to close: do not wait for it. */
  function abandon() {
    const dead = socket;
    closed(0);
    dead.close();
  }

  function isHeard() {
    return isHearing && socket?.readyState === WebSocket.OPEN;
  }

  async function pollOnce() {
    const isLive = isHeard();
    const answer = await poll(isLive).then(() => "polling", (error) => (error.isLoggedOut ? "out" : "offline"));
    if (isStopped) return;
    if (answer === "out") return loggedOut();
    if (!isHeard()) onLive(answer);
    restartPolling(POLL_EVERY);
  }

  function restartPolling(delay) {
    clearTimeout(timers.poll);
    timers.poll = setTimeout(pollOnce, delay);
  }

  function hurry() {
    if (socket) return;
    clearTimeout(timers.connect);
    connect();
  }

  function loggedOut() {
    stop();
    onLive("offline");
    onLoggedOut();
  }

  function stop() {
    isStopped = true;
    clearInterval(timers.ping);
    clearTimeout(timers.poll);
    clearTimeout(timers.connect);
    window.removeEventListener("online", hurry);
    socket?.close();
    socket = null;
  }
}

/** Milliseconds before the next attempt: doubling, at most 10 s, spread so that not all tabs come at once. */
export function pause(attempts, random = Math.random) {
  const longest = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempts - 1));
  return longest * (0.5 + random() / 2);
}
