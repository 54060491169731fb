import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./load.mjs";

const { announcement, duration, estimateWords, fileSize, remainingWords, stageWords, statusWords } = await load("words.js");

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

test("an estimate is one line", () => {
  const words = estimateWords({ images: 1, objects: 1890, estimatedBytes: 130_000_000, estimatedSeconds: 20 });
  assert.equal(words, "1 image, 1,890 objects, about 130 MB, ready in about 20 s");
});

test("lengths of time and sizes are said in one unit", () => {
  assert.deepEqual([0, 89, 90, 7200].map(duration), ["1 s", "89 s", "2 min", "2 h"]);
  assert.deepEqual([999, 1500, 123_456_789].map(fileSize), ["999 bytes", "1.5 kB", "123 MB"]);
});
