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
const { follow, pause } = await load("follow.js");

let heard;
let stop;
const latest = () => FakeSocket.all.at(-1);
const settled = () => new Promise((resolve) => setImmediate(resolve));
const begin = (poll = async () => {}) =>
  follow({
    url: "ws://site/ws/exports/",
    onMessage: ({ type }) => heard.push(type),
    onLive: (live) => heard.push(live),
    onLoggedOut: () => heard.push("logged out"),
    poll: (isLive) => { heard.push(isLive ? "look" : "poll"); return poll(); },
  });

beforeEach(() => {
  [heard, FakeSocket.all] = [[], []];
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
});

afterEach(() => {
  stop?.();
  mock.timers.reset();
});

test("what the socket says is passed on, and the page is live", () => {
  stop = begin();
  latest().open();
  latest().hear({ type: "export:snapshot" });
  assert.deepEqual(heard, ["websocket", "export:snapshot"]);
});

test("a lost socket is polled for at once, comes back, and asks for what was missed", async () => {
  stop = begin();
  latest().open();
  latest().hear({ type: "export:snapshot" });
  latest().lose();
  mock.timers.tick(0);
  await settled();
  assert.deepEqual(heard.slice(2), ["poll", "polling"]);
  mock.timers.tick(500);
  latest().open();
  assert.deepEqual([FakeSocket.all.length, latest().sent], [2, ["export:sync"]]);
});

test("without sockets the server is asked every three seconds", async () => {
  stop = begin();
  latest().lose();
  for (const delay of [0, 3000, 3000]) {
    mock.timers.tick(delay);
    await settled();
  }
  assert.equal(heard.filter((each) => each === "poll").length, 3);
});

test("a server that does not answer makes the page offline", async () => {
  stop = begin(async () => { throw new TypeError("fetch failed"); });
  latest().lose();
  mock.timers.tick(0);
  await settled();
  assert.equal(heard.at(-1), "offline");
});

test("a ping that nobody answered ends the connection", () => {
  stop = begin();
  latest().open();
  latest().hear({ type: "export:snapshot" });
  mock.timers.tick(5000);
  assert.deepEqual(latest().sent, ["ping"]);
  mock.timers.tick(5000);
  assert.equal(FakeSocket.all[0].readyState, 3);
});

test("a socket that answers its pings is kept", () => {
  stop = begin();
  latest().open();
  for (let round = 0; round < 5; round += 1) {
    mock.timers.tick(5000);
    latest().hear({ type: "pong" });
  }
  assert.equal(FakeSocket.all.length, 1);
});

test("4401 is final: no polling, no other socket", async () => {
  stop = begin();
  latest().lose(4401);
  mock.timers.tick(60_000);
  await settled();
  assert.deepEqual([heard, FakeSocket.all.length], [["offline", "logged out"], 1]);
});

test("after stopping nothing happens any more", async () => {
  begin()();
  latest().onclose({ code: 1006 });
  mock.timers.tick(60_000);
  await settled();
  assert.deepEqual([heard, FakeSocket.all.length], [[], 1]);
});

test("the pause doubles up to ten seconds and is spread over its second half", () => {
  assert.deepEqual([1, 2, 3, 9].map((attempts) => pause(attempts, () => 1)), [500, 1000, 2000, 10_000]);
  assert.equal(pause(9, () => 0), 5000);
});
