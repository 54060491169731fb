// Every sequence, with repetition, of a short alphabet of messages: what must hold, holds after each of them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./load.mjs";

const { INITIAL, jobIn, mayAskForDownload, mayStartDownload, reduce } = await load("export-state.js");

const JOB = "a";
const FINAL = ["failed", "cancelled", "expired"];

// What really happened: version -> [status, attempt, progress].
const CANCELLED = { 1: ["pending", 0, 0], 2: ["processing", 1, 0], 3: ["processing", 1, 40], 4: ["completed", 1, 100], 5: ["cancelled", 1, 100], 6: ["cancelled", 1, 100] };
const WORKER_LOST = { 1: ["pending", 0, 0], 2: ["processing", 1, 0], 3: ["processing", 1, 60], 4: ["pending", 1, 0], 5: ["processing", 2, 0], 6: ["processing", 2, 10], 7: ["completed", 2, 100], 8: ["completed", 2, 100] };
const FAILED = { 1: ["pending", 0, 0], 2: ["processing", 1, 0], 3: ["processing", 1, 40], 4: ["failed", 1, 40], 5: ["failed", 1, 40] };
const EXPIRED = { 3: ["processing", 1, 40], 4: ["completed", 1, 100], 5: ["completed", 1, 100], 6: ["expired", 1, 100], 7: ["expired", 1, 100] };

const said = (type, fields = {}) => ({ type, jobId: JOB, ...fields });
const event = (name, version, fields) => said(`export:${name}`, { version, ...fields });
const row = (truth, version) => {
  const [status, attempt, progress] = truth[version];
  return { jobId: JOB, projectId: "p", status, version, attempt, progress };
};
const snapshot = (truth, version) => ({ type: "export:snapshot", jobs: version ? [row(truth, version)] : [] });
const answer = (truth, version) => ({ type: "job", job: row(truth, version) });
const CLICK = said("cancelClicked");
const REFUSAL = said("cancelRefused", { sentence: "No." });
const GRANTED = said("downloadGranted");
const WANTED = said("downloadWanted");
const FORGED = event("completed", 99, { exportSize: 1 });

const STORIES = [
  ["a cancel at the moment of completion", 6, CANCELLED, [
    snapshot(CANCELLED, 1), event("progress", 3, { progress: 40 }), event("completed", 4), answer(CANCELLED, 4),
    event("cancelled", 5), event("cleanup:completed", 6), CLICK, REFUSAL, WANTED, GRANTED,
  ]],
  ["a cancel and answers of every age", 5, CANCELLED, [
    ...[1, 2, 3, 4, 5, 6].map((version) => answer(CANCELLED, version)), snapshot(CANCELLED, 0),
    event("completed", 4), event("cancelled", 5), CLICK, said("cancelClickedElsewhere"), REFUSAL, WANTED, GRANTED,
  ]],
  ["a worker that was lost", 5, WORKER_LOST, [
    event("started", 2), event("progress", 3, { progress: 60 }), event("requeued", 4), event("started", 5),
    event("progress", 6, { progress: 10 }), event("completed", 7), snapshot(WORKER_LOST, 6), snapshot(WORKER_LOST, 0), WANTED, GRANTED,
  ]],
  ["a download that is asked for, denied, made by hand", 6, WORKER_LOST, [
    answer(WORKER_LOST, 6), event("completed", 7), answer(WORKER_LOST, 7), event("downloaded", 8, { downloadCount: 1 }),
    WANTED, GRANTED, said("downloadDenied"), said("gone", { sentence: "Gone." }), CLICK,
  ]],
  ["a failure", 5, FAILED, [
    snapshot(FAILED, 1), event("started", 2), answer(FAILED, 3), event("failed", 4), answer(FAILED, 4),
    event("cleanup:completed", 5), CLICK, REFUSAL, WANTED, GRANTED,
  ]],
  ["an expiry", 6, EXPIRED, [
    answer(EXPIRED, 3), event("completed", 4), event("downloaded", 5, { downloadCount: 1 }), event("expired", 6), answer(EXPIRED, 6),
    event("cleanup:completed", 7), CLICK, WANTED, GRANTED,
  ]],
  ["a completion that never was", 6, { ...CANCELLED, 99: ["completed", 1, 100] }, [
    answer(CANCELLED, 3), event("completed", 4), event("cancelled", 5), answer(CANCELLED, 5), FORGED, CLICK, REFUSAL, WANTED, GRANTED,
  ]],
];

for (const [story, length, truth, alphabet] of STORIES) {
  test(`${story}: all sequences of up to ${length} of ${alphabet.length} messages`, () => {
    const start = { state: INITIAL, heard: 0, isCancelled: false, isClicked: false, isAwaited: false, asks: 0, starts: 0 };
    const walked = walk(start, truth, alphabet, length, []);
    assert.equal(walked, sequencesOf(alphabet.length, length));
  });
}

/** Visit the whole tree; each node is one reduction away from its parent. */
function walk(node, truth, alphabet, left, trail) {
  if (!left) return 0;
  let count = 0;
  for (const message of alphabet) {
    trail.push(message);
    const next = after(node, message);
    const broken = violation(node, next, truth);
    if (broken) assert.fail(`${broken}: ${JSON.stringify(trail)}`);
    count += 1 + walk(next, truth, alphabet, left - 1, trail);
    trail.pop();
  }
  return count;
}

/** As the page does: the message is taken in, then the download is pursued. */
function after(node, message) {
  const next = { ...node, state: reduce(node.state, message) };
  const cancelHeard = message.type === "export:cancelled" || (message.jobs ?? [message.job]).some((job) => job?.status === "cancelled");
  next.heard = Math.max(node.heard, heardIn(message, jobIn(node.state, JOB)));
  next.isCancelled ||= cancelHeard;
  next.isClicked ||= ["cancelClicked", "cancelClickedElsewhere"].includes(message.type);
  if (message === CLICK || message === REFUSAL) next.isAwaited = message === CLICK;
  const job = jobIn(next.state, JOB);
  next.mayGo = mayAskForDownload(job) || mayStartDownload(job);
  if (mayStartDownload(job)) [next.starts, next.state] = [next.starts + 1, reduce(next.state, said("downloadStarted"))];
  else if (mayAskForDownload(job)) [next.asks, next.state] = [next.asks + 1, reduce(next.state, said("downloadAsked"))];
  return next;
}

/** The version that counts; of a cleaning only when the end before it is known. */
function heardIn(message, known) {
  if (message.type === "export:cleanup:completed" && !FINAL.includes(known.status)) return 0;
  return message.version ?? (message.jobs ?? [message.job])[0]?.version ?? 0;
}

/** What does not hold any more, in words; empty when all is well. */
function violation(before, now, truth) {
  const [was, job] = [jobIn(before.state, JOB), jobIn(now.state, JOB)];
  const [status, attempt, progress] = truth[job.version] ?? [];
  if (job.version < was.version) return "the version fell";
  if (now.isCancelled && job.status !== "cancelled") return "cancelled did not absorb";
  if (now.isClicked && now.mayGo) return "a click on cancel did not stop the download";
  if (now.isCancelled && now.mayGo) return "a cancelled export is downloaded";
  if (now.asks > 1) return "the download was asked for twice";
  if (now.starts > 1) return "the download started twice";
  if (now.isAwaited && !job.cancelClicked) return "the click was forgotten";
  if (now.isCancelled || !job.version) return "";
  if (job.version !== now.heard) return "the highest version is not the one that is shown";
  if (job.status !== status) return "the state is not that of the highest version";
  if (!FINAL.includes(status) && job.progress !== progress) return "the progress is not that of the highest version";
  const isSameAttempt = truth[was.version]?.[1] === attempt && was.status === status;
  return isSameAttempt && job.progress < was.progress ? "the progress fell within an attempt" : "";
}

function sequencesOf(letters, longest) {
  return Array.from({ length: longest }, (_, n) => letters ** (n + 1)).reduce((sum, each) => sum + each);
}
