import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { load } from "./load.mjs";

class FakeSocket {
  static OPEN = 1;
  static all = [];
  sent = [];
  readyState = 0;
  constructor() { FakeSocket.all.push(this); }
  send(text) { this.sent.push(JSON.parse(text).type); }
  close() { this.readyState = 3; }
  open() { this.readyState = 1; this.onopen(); }
  hear(message) { this.onmessage({ data: JSON.stringify(message) }); }
  lose(code = 1006) { this.readyState = 3; this.onclose({ code }); }
}

globalThis.WebSocket = FakeSocket;
globalThis.window = new EventTarget();
globalThis.document = Object.assign(new EventTarget(), { hidden: false });
const { follow } = await load("follow.js");
const { pause } = await load("pause.js");

const UNREACHABLE = async () => { throw new TypeError("fetch failed"); };
const SNAPSHOT = { type: "export:snapshot" };
let heard;
let following;
let silent; // milliseconds, null when nothing is under way
const latest = () => FakeSocket.all.at(-1);
const settled = () => new Promise((resolve) => setImmediate(resolve));
const looks = () => heard.filter((each) => each === "look").length;
const begin = (look = async () => {}) => {
  following = follow({
    url: "ws://site/ws/exports/",
    look: () => { heard.push("look"); return look(); },
    silence: () => silent,
    onMessage: ({ type }) => heard.push(type),
    onLive: (live) => heard.push(live),
    onLoggedOut: () => heard.push("logged out"),
  });
};
const beginLive = () => {
  begin();
  latest().open();
  latest().hear(SNAPSHOT);
};
const pass = async (milliseconds, step = 500) => {
  for (let passed = 0; passed < milliseconds; passed += step) {
    mock.timers.tick(step);
    await settled();
  }
};
const turn = (hidden) => {
  document.hidden = hidden;
  document.dispatchEvent(new Event("visibilitychange"));
};
const answerPings = () => FakeSocket.all.forEach((socket) => { socket.send = () => queueMicrotask(() => socket.hear({ type: "pong" })); });

beforeEach(() => {
  [heard, FakeSocket.all, silent, document.hidden] = [[], [], null, false];
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
});

afterEach(() => {
  following?.stop();
  mock.timers.reset();
});

test("what the socket says is passed on, and the page is live", () => {
  beginLive();
  assert.deepEqual(heard, ["websocket", "export:snapshot"]);
});

test("a lost socket is looked for at once and comes back", async () => {
  beginLive();
  latest().lose();
  await settled();
  assert.deepEqual(heard.slice(2), ["look", "polling"]);
  await pass(500);
  assert.equal(FakeSocket.all.length, 2);
});

test("without sockets the server is asked every two seconds while something is under way", async () => {
  silent = 0;
  begin();
  latest().lose();
  await settled();
  await pass(10_000);
  assert.equal(looks(), 6);
});

test("without sockets nothing is asked while nothing is under way, but whether the server is there", async () => {
  begin();
  latest().lose();
  await pass(60_000);
  assert.deepEqual([looks(), heard.at(-1)], [1, "polling"]);
});

test("a socket that opens and says nothing is not waited for", async () => {
  silent = 0;
  begin();
  latest().open();
  await pass(2_000);
  assert.deepEqual(heard, ["look", "polling"]);
});

test("with a socket nothing is asked as long as every export under way is heard of", async () => {
  beginLive();
  answerPings();
  silent = 1_000;
  following.plan();
  await pass(60_000);
  assert.equal(looks(), 0);
});

test("an export that is silent for five seconds is asked for in spite of the socket", async () => {
  beginLive();
  answerPings();
  silent = Infinity;
  following.plan();
  await pass(11_000);
  assert.equal(looks(), 2);
});

test("a hidden page asks nothing; shown again it looks at once", async () => {
  silent = 0;
  begin();
  latest().lose();
  await settled();
  turn(true);
  await pass(60_000);
  assert.equal(looks(), 1);
  turn(false);
  await settled();
  assert.equal(looks(), 2);
});

test("a socket that is lost behind a hidden page is not looked for, but comes back", async () => {
  beginLive();
  turn(true);
  latest().lose();
  await pass(1_000);
  assert.deepEqual([looks(), FakeSocket.all.length], [0, 2]);
});

test("a page that is shown again does not wait for the end of the socket's pause", async () => {
  begin();
  for (let n = 0; n < 5; n += 1) { latest().lose(); await pass(10_000); }
  latest().lose();
  const before = FakeSocket.all.length;
  turn(false);
  assert.equal(FakeSocket.all.length, before + 1);
});

test("a server that does not answer makes the page offline, and is asked less and less often", async () => {
  silent = 0;
  begin(UNREACHABLE);
  latest().lose();
  await settled();
  assert.equal(heard.at(-1), "offline");
  await pass(60_000);
  assert.ok(looks() >= 6 && looks() <= 14, `${looks()} looks`);
});

test("offline is left once the server answers, also when nothing is under way", async () => {
  let isThere = false;
  begin(async () => { if (!isThere) throw new TypeError(); });
  latest().lose();
  await settled();
  isThere = true;
  await pass(3_000);
  assert.deepEqual([heard.at(-1), looks()], ["polling", 2]);
});

test("once the server answers again, the socket does not wait for the end of its pause", async () => {
  let isThere = true;
  silent = 0;
  begin(async () => { if (!isThere) throw new TypeError(); });
  for (let n = 0; n < 6; n += 1) { latest().lose(); await pass(10_000); }
  isThere = false;
  latest().lose();
  for (const back of [false, true]) {
    isThere = back;
    following.look();
    await settled();
  }
  assert.equal(FakeSocket.all.length, 8);
});

test("a browser that is back online reconnects and looks at once", async () => {
  begin(UNREACHABLE);
  latest().lose();
  await settled();
  window.dispatchEvent(new Event("online"));
  assert.deepEqual([FakeSocket.all.length, looks()], [2, 2]);
});

test("a browser that goes offline is believed before any ping is missed", async () => {
  begin(UNREACHABLE);
  latest().open();
  latest().hear(SNAPSHOT);
  window.dispatchEvent(new Event("offline"));
  await settled();
  assert.deepEqual([heard.at(-1), FakeSocket.all[0].readyState], ["offline", 3]);
});

test("there are never two looks at once, and one that was wanted meanwhile follows", async () => {
  const answers = [];
  begin(() => new Promise((answer) => answers.push(answer)));
  latest().lose();
  for (let n = 0; n < 5; n += 1) following.look();
  await pass(30_000);
  assert.equal(answers.length, 1);
  answers[0]();
  await settled();
  assert.equal(answers.length, 2);
});

test("a ping that nobody answered ends the connection", async () => {
  beginLive();
  mock.timers.tick(5_000);
  assert.deepEqual(latest().sent, ["ping"]);
  mock.timers.tick(5_000);
  assert.equal(FakeSocket.all[0].readyState, 3);
});

test("a socket that never opens is given up", () => {
  begin();
  mock.timers.tick(10_000);
  assert.equal(FakeSocket.all[0].readyState, 3);
});

test("a socket that answers its pings is kept", async () => {
  beginLive();
  answerPings();
  await pass(25_000);
  assert.equal(FakeSocket.all.length, 1);
});

test("a server that takes us in and drops us each time is not stormed", async () => {
  begin();
  for (let n = 0; n < 600; n += 1) {
    if (latest().readyState === 0) { latest().open(); latest().hear(SNAPSHOT); latest().lose(); }
    await pass(100, 100);
  }
  assert.ok(FakeSocket.all.length <= 16, `${FakeSocket.all.length} sockets in a minute`);
});

test("4401 is final: no looking, no other socket", async () => {
  silent = 0;
  begin();
  latest().lose(4401);
  await pass(60_000, 5_000);
  assert.deepEqual([heard, FakeSocket.all.length], [["offline", "logged out"], 1]);
});

test("a look that finds nobody logged in is final", async () => {
  begin(async () => { throw Object.assign(new Error(), { isLoggedOut: true }); });
  latest().lose();
  await settled();
  await pass(60_000, 5_000);
  assert.deepEqual([heard, FakeSocket.all.length], [["look", "offline", "logged out"], 1]);
});

test("after stopping nothing happens any more", async () => {
  silent = 0;
  begin();
  following.stop();
  latest().onclose({ code: 1006 });
  for (const name of ["online", "offline"]) window.dispatchEvent(new Event(name));
  turn(false);
  await pass(60_000, 5_000);
  assert.deepEqual([heard, FakeSocket.all.length], [[], 1]);
});

test("the pause doubles up to ten seconds and is spread over its second half", () => {
  assert.deepEqual([1, 2, 3, 9].map((attempts) => pause(attempts, () => 1)), [500, 1000, 2000, 10_000]);
  assert.equal(pause(9, () => 0), 5000);
});
