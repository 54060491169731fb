import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./load.mjs";

const { announcement, downloadWords, duration, fileSize, liveWords, remainingWords, stageWords, statusWords } = await load("words.js");

const building = (progress) => ({ status: "processing", progress, projectName: "Nuclei" });

test("the live region speaks at 25, 50 and 75 percent, not at every tick", () => {
  const spoken = Array.from({ length: 100 }, (_, n) => announcement(building(n), building(n + 1))).filter(Boolean);
  assert.deepEqual(spoken, [25, 50, 75].map((percent) => `Export of Nuclei: ${percent} percent.`));
});

test("the live region says how it ended", () => {
  for (const [status, word] of [["completed", "ready"], ["cancelled", "cancelled"], ["failed", "failed"]]) {
    assert.match(announcement(building(60), { ...building(60), status }), new RegExp(word));
  }
});

test("a clicked cancel is seen before it is answered, and not after it was refused", () => {
  assert.equal(statusWords({ status: "processing", cancelClicked: true }), "Cancelling…");
  assert.equal(statusWords({ status: "completed", cancelClicked: false }), "Ready to download");
});

test("a waiting job says its place", () => {
  assert.equal(stageWords({ status: "pending", queuePosition: 1 }), "Next in the queue");
  assert.equal(stageWords({ status: "pending", queuePosition: 3 }), "Number 3 in the queue");
});

test("the time left is said once it is known", () => {
  assert.equal(remainingWords({ status: "processing", estimatedRemaining: null }), "");
  assert.equal(remainingWords({ status: "processing", estimatedRemaining: 200 }), "about 3 min left");
});

test("a stage is said by its code, in numbers where it has some", () => {
  const working = (stage, stageDone = 0, stageTotal = 0) => stageWords({ status: "processing", stage, stageDone, stageTotal, message: "Hm" });
  assert.equal(working("images", 1234, 20_000), "Image 1,234 of 20,000");
  assert.deepEqual(["preparing", "finishing", "publishing"].map((stage) => working(stage)),
    ["Listing the images", "Writing tables and annotations", "Checking the archive"]);
});

test("a stage that is not known is said in the worker's words", () => {
  assert.equal(stageWords({ status: "processing", stage: "polishing", message: "Polishing" }), "Polishing");
  assert.equal(stageWords({ status: "processing", stage: "images", stageTotal: 0, message: "Starting" }), "Starting");
  assert.equal(stageWords({ status: "processing" }), "");
});

test("a failure is said as it was written to English readers, by its code to others", () => {
  const failed = { status: "failed", error: "Lost 3 times.", errorCode: "worker_lost" };
  assert.equal(stageWords(failed), "Lost 3 times.");
  globalThis.document = { documentElement: { lang: "cs" } };
  assert.match(stageWords(failed), /^Its worker was lost too often/);
  assert.equal(stageWords({ ...failed, errorCode: "new" }), "Lost 3 times.");
  delete globalThis.document;
});

test("every way of being kept current is named", () => {
  assert.equal(liveWords("polling"), "Checking every 2 s");
  assert.ok(["websocket", "offline"].every((live) => liveWords(live)));
});

test("downloads are counted", () => {
  assert.deepEqual([0, 1, 1200].map((downloadCount) => downloadWords({ downloadCount })), ["not yet", "once", "1,200 times"]);
});

test("words are asked of the catalogue, with their values", () => {
  globalThis.gettext = (message) => (message === "about %(time)s left" ? "noch etwa %(time)s" : message);
  assert.equal(remainingWords({ status: "processing", estimatedRemaining: 3 }), "noch etwa 3 s");
  delete globalThis.gettext;
});

test("lengths of time and sizes are said in one unit", () => {
  assert.deepEqual([0, 89, 90, 7200].map(duration), ["1 s", "89 s", "2 min", "2 h"]);
  assert.deepEqual([999, 1500, 123_456_789].map(fileSize), ["999 bytes", "1.5 kB", "123 MB"]);
});
