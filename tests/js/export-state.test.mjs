import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./load.mjs";

const { INITIAL, isActive, isOpen, jobIn, mayAskForDownload, mayStartDownload, reduce } = await load("export-state.js");

const JOB = "a";
const after = (...messages) => messages.reduce(reduce, INITIAL);
const job = (...messages) => jobIn(after(...messages), JOB);
const event = (name, version, fields = {}) => ({ type: `export:${name}`, jobId: JOB, version, ...fields });
const row = (status, version) => ({ type: "job", job: { jobId: JOB, status, version, progress: 0 } });
const WANTED = { type: "downloadWanted", jobId: JOB };
const ASKED = { type: "downloadAsked", jobId: JOB };
const GRANTED = { type: "downloadGranted", jobId: JOB };
const STARTED = { type: "downloadStarted", jobId: JOB };
const CLICKED = { type: "cancelClicked", jobId: JOB };

function orders(messages) {
  if (messages.length < 2) return [messages];
  return messages.flatMap((first, place) => orders(messages.filter((_, index) => index !== place)).map((rest) => [first, ...rest]));
}

test("a newer version wins over an older one, whichever comes last", () => {
  const messages = [row("pending", 1), event("started", 2), event("progress", 3, { progress: 40 }), event("completed", 4)];
  for (const order of orders(messages)) assert.equal(job(...order).status, "completed");
});

test("the same version is taken once", () => {
  assert.equal(job(event("progress", 3, { progress: 40 }), event("progress", 3, { progress: 10 })).progress, 40);
});

test("nothing leads out of cancelled, not even a higher version", () => {
  for (const name of ["queued", "started", "progress", "completed", "failed", "requeued", "downloaded", "expired"]) {
    assert.equal(job(row("cancelled", 5), event(name, 99)).status, "cancelled", name);
  }
  assert.equal(job(row("cancelled", 5), row("completed", 99)).status, "cancelled");
});

test("a cancel is believed whatever its version", () => {
  assert.equal(job(event("completed", 50), row("cancelled", 5)).status, "cancelled");
});

test("a cancelled job can still be cleaned", () => {
  assert.equal(job(row("cancelled", 5), event("cleanup:completed", 6)).cleanupCompleted, true);
});

test("a snapshot is merged job by job", () => {
  const snapshot = { type: "export:snapshot", jobs: [{ jobId: JOB, status: "pending", version: 1 }, { jobId: "b", status: "failed", version: 4 }] };
  const state = after(row("completed", 7), snapshot);
  assert.deepEqual([jobIn(state, JOB).status, jobIn(state, "b").status], ["completed", "failed"]);
});

test("a lost worker puts the job back to the start", () => {
  const requeued = job(event("progress", 3, { progress: 60 }), event("requeued", 4));
  assert.deepEqual([requeued.status, requeued.progress], ["pending", 0]);
});

test("a cleaning whose end was missed asks for another look, and the look is believed", () => {
  const missed = [row("processing", 3), event("cleanup:completed", 5)];
  assert.deepEqual([job(...missed).doubt, job(...missed, row("processing", 4)).doubt], [5, 5]);
  const settled = job(...missed, row("cancelled", 5));
  assert.deepEqual([settled.doubt, settled.status], [0, "cancelled"]);
});

test("an export that a snapshot leaves out is doubted until a row of it is read", () => {
  const missed = [row("processing", 3), { type: "export:snapshot", jobs: [] }];
  assert.deepEqual([job(...missed).doubt, job(...missed, row("processing", 3)).doubt], [3, 0]);
  assert.equal(job(row("failed", 3), { type: "export:snapshot", jobs: [] }).doubt, 0);
});

test("what another tab tells of some exports casts no doubt on the others", () => {
  assert.equal(job(row("processing", 3), { type: "jobs", jobs: [] }).doubt, 0);
});

test("an export that cannot be seen any more is not waited for, until it is seen again", () => {
  const gone = [row("processing", 3), WANTED, { type: "gone", jobId: JOB, sentence: "Gone." }];
  const isWaitedFor = (...messages) => isOpen(job(...messages));
  assert.deepEqual([isWaitedFor(row("processing", 3)), isWaitedFor(...gone), isWaitedFor(...gone, row("processing", 4))], [true, false, true]);
  assert.equal(mayAskForDownload(job(...gone, row("completed", 4))), false);
});

test("a job that is known by a wish alone is not waited for", () => {
  assert.equal(isOpen(job(WANTED)), false);
});

test("no order of a click on cancel, its answer and a completion ever starts a download", () => {
  const messages = [CLICKED, row("cancelled", 5), event("completed", 4), event("completed", 9), ASKED, GRANTED];
  for (const order of orders(messages)) {
    const clickedAt = order.indexOf(CLICKED);
    const states = order.map((_, end) => job(row("processing", 3), WANTED, ...order.slice(0, end + 1)));
    assert.ok(states.slice(clickedAt).every((each) => !mayStartDownload(each) && !mayAskForDownload(each)));
  }
});

test("a refused cancel says why and still starts no download", () => {
  const refused = { type: "cancelRefused", jobId: JOB, sentence: "Too late." };
  const late = job(row("processing", 3), WANTED, CLICKED, refused, event("completed", 4));
  assert.deepEqual([late.refusal, late.status, mayAskForDownload(late)], ["Too late.", "completed", false]);
});

test("a cancel that was clicked after the claim was granted stops the download", () => {
  const granted = [row("completed", 4), WANTED, ASKED, CLICKED, GRANTED];
  assert.equal(mayStartDownload(job(...granted)), false);
});

test("an automatic download is asked for once and starts once", () => {
  const steps = [row("processing", 3), WANTED, event("completed", 4), ASKED, GRANTED, STARTED];
  const asks = steps.map((_, end) => mayAskForDownload(job(...steps.slice(0, end + 1))));
  const starts = steps.map((_, end) => mayStartDownload(job(...steps.slice(0, end + 1))));
  assert.deepEqual(asks, [false, false, true, false, false, false]);
  assert.deepEqual(starts, [false, false, false, false, true, false]);
  assert.equal(mayAskForDownload(job(...steps, WANTED, event("downloaded", 6), ASKED, GRANTED)), false);
});

test("a download that was started here is waited for until the server has recorded it", () => {
  const started = [row("processing", 3), WANTED, event("completed", 4), ASKED, GRANTED, STARTED];
  const isWaitedFor = (...messages) => isOpen(job(...started, ...messages));
  assert.deepEqual([isWaitedFor(), isWaitedFor(event("downloaded", 5, { downloadCount: 1 }))], [true, false]);
});

test("a claim that went to another tab starts nothing here", () => {
  const denied = { type: "downloadDenied", jobId: JOB };
  assert.equal(mayStartDownload(job(row("completed", 4), WANTED, ASKED, denied, GRANTED)), false);
});

test("a job that nobody wanted downloads nothing by itself", () => {
  assert.equal(mayAskForDownload(job(row("completed", 4))), false);
});

test("a failed job forgets its automatic download", () => {
  assert.equal(job(row("processing", 2), WANTED, event("failed", 3)).autoDownload, "never");
});

test("a state is never changed in place", () => {
  const before = Object.freeze(after(row("processing", 3)));
  reduce(before, event("completed", 4));
  assert.equal(jobIn(before, JOB).status, "processing");
});

test("a click on cancel in another tab ends the wish here, and nothing else", () => {
  const told = job(row("processing", 3), WANTED, { type: "cancelClickedElsewhere", jobId: JOB }, event("completed", 4));
  assert.deepEqual([mayAskForDownload(told), told.cancelClicked, told.status], [false, false, "completed"]);
});

test("an unknown message changes nothing", () => {
  assert.equal(reduce(INITIAL, { type: "pong" }), INITIAL);
});

test("waiting and building jobs are active", () => {
  assert.deepEqual(["pending", "processing", "completed", "cancelled"].map((status) => isActive({ status })), [true, true, false, false]);
});
