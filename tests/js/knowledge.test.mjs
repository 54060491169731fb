import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { load } from "./load.mjs";

const { Knowledge, arrivalsIn } = await load("knowledge.js");
const { Siblings } = await load("siblings.js");

const row = (jobId, version, status = "processing") => ({ jobId, version, status, projectId: "p" });
const snapshot = (...jobs) => ({ type: "export:snapshot", jobs });
const everything = () => true;
let known;

beforeEach(() => {
  mock.timers.enable({ apis: ["Date"] });
  known = new Knowledge(() => {});
});

afterEach(() => mock.timers.reset());

test("a change is told with what was before, once", () => {
  const told = [];
  known = new Knowledge((before, job) => told.push([before?.version, job.version]));
  for (const version of [1, 2, 2, 1]) known.hear({ type: "job", job: row("a", version) });
  assert.deepEqual(told, [[undefined, 1], [1, 2]]);
});

test("the most silent export under way decides how long it has been silent", () => {
  known.hear(snapshot(row("a", 1), row("b", 1), row("c", 1, "completed")));
  mock.timers.tick(3_000);
  known.hear({ type: "export:progress", jobId: "a", version: 2 });
  assert.equal(known.silence(everything), 3_000);
  assert.equal(known.silence((job) => job.jobId === "a"), 0);
});

test("what is heard again counts as heard, though it is no news", () => {
  known.hear(snapshot(row("a", 1)));
  mock.timers.tick(3_000);
  known.hear(snapshot(row("a", 1)));
  assert.equal(known.silence(everything), 0);
});

test("without an export under way nothing is silent", () => {
  known.hear(snapshot(row("a", 1, "completed")));
  assert.equal(known.silence(everything), null);
});

test("an export that a snapshot left out counts as silent for ever", () => {
  mock.timers.tick(1_000_000);
  known.hear(snapshot(row("a", 1)));
  known.hear(snapshot());
  assert.equal(known.silence(everything), 1_000_000);
});

test("of a snapshot only what changed is news", () => {
  known.hear(snapshot(row("a", 1), row("b", 1)));
  assert.deepEqual(known.hear(snapshot(row("a", 2), row("b", 1))), { type: "jobs", jobs: [row("a", 2)] });
  assert.equal(known.hear(snapshot(row("a", 2), row("b", 1))), null);
});

test("what changes nothing is no news", () => {
  const message = { type: "job", job: row("a", 1) };
  assert.deepEqual([known.hear(message), known.hear(message), known.hear({ type: "pong" })], [message, null, null]);
});

test("news is told to the tabs of the same user alone", async () => {
  const heard = [];
  const listen = (userId, name) => new Siblings(userId, (message) => heard.push([name, message]));
  const tabs = [listen(1, "teller"), listen(1, "sibling"), listen(2, "somebody else")];
  tabs[0].tell("news");
  tabs[2].tell("of another user");
  while (!heard.length) await new Promise((resolve) => setImmediate(resolve));
  tabs.forEach((tab) => tab.close());
  assert.deepEqual(heard, [["sibling", "news"]]);
});

test("a page begins to show what is under way or newer than itself, and no old export that is touched", () => {
  const [old, young] = ["2026-11-22T11:00:00Z", "2026-11-22T13:00:00Z"];
  const jobs = [{ ...row("a", 1), createdAt: old }, { ...row("b", 1, "failed"), createdAt: old }, { ...row("c", 1, "failed"), createdAt: young }];
  const shown = (message) => arrivalsIn(message, "2026-11-22T12:00:00Z").map((job) => job.jobId);
  assert.deepEqual(shown(snapshot(...jobs)), ["a", "c"]);
  const events = ["queued", "completed", "expired", "downloaded", "cleanup:completed"].map((name) => ({ type: `export:${name}`, jobId: "d" }));
  assert.deepEqual(events.map((event) => shown(event).length), [1, 1, 0, 0, 0]);
  assert.deepEqual([{ type: "pong" }, { type: "cancelClickedElsewhere", jobId: "d" }].flatMap(shown), []);
});
