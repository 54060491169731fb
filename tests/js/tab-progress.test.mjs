import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { load } from "./load.mjs";

const { TabProgress, iconOf, titleOf } = await load("tab-progress.js");

const PLAIN = "Nuclei – Hub";
const job = (status, progress = 0, more = {}) => ({ jobId: "1", status, progress, ...more });
const title = (...jobs) => titleOf(jobs, PLAIN);

test("nothing under way leaves the title as it is", () => {
  assert.equal(title(), PLAIN);
  assert.equal(title(job("completed", 100), job("failed"), job("cancelled"), job("expired")), PLAIN);
});

test("the title begins with the progress, rounded down", () => {
  assert.equal(title(job("processing", 43.9)), `43 % · ${PLAIN}`);
  assert.equal(title(job("processing", 99.99)), `99 % · ${PLAIN}`);
  assert.equal(title(job("pending"), job("completed", 100)), `0 % · ${PLAIN}`);
});

test("several have one mean and their number", () => {
  assert.equal(title(job("processing", 50), job("processing", 75), job("pending")), `41 %, 3 exports · ${PLAIN}`);
});

test("what ended while nobody looked is said, a failure first", () => {
  const news = { isNews: true };
  assert.equal(title(job("completed", 100, news)), `✓ Ready · ${PLAIN}`);
  assert.equal(title(job("completed", 100, news), job("failed", 10, news)), `! Failed · ${PLAIN}`);
  assert.equal(title(job("completed", 100, news), job("processing", 10)), `10 % · ${PLAIN}`);
});

test("a cancelled export leaves nothing, from the click on", () => {
  assert.equal(title(job("processing", 43, { cancelClicked: true })), PLAIN);
  assert.equal(title(job("cancelled", 43, { isNews: true })), PLAIN);
  assert.equal(iconOf([job("processing", 43, { cancelClicked: true })]), null);
});

test("the icon is a ring, closed so far, in the colours of either scheme", () => {
  const svg = decodeURIComponent(iconOf([job("processing", 43)]));
  assert.match(svg, /stroke-dasharray="43 100"/);
  assert.match(svg, /prefers-color-scheme:dark/);
  assert.equal(iconOf([job("completed", 100)]), null);
});

let page;
let tab;
const icon = () => page.icon.href;
const changed = (before, after, jobs = [after]) => tab.changed(before, after, jobs);

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 10_000 });
  page = Object.assign(new EventTarget(), { title: PLAIN, hidden: false, documentElement: { lang: "en" } });
  page.icon = { href: "plain.svg", getAttribute: () => page.icon.href, setAttribute: (_, value) => (page.icon.href = value) };
  page.querySelector = () => page.icon;
  page.look = (isLooking) => { page.hidden = !isLooking; page.dispatchEvent(new Event("visibilitychange")); };
  globalThis.document = page;
  tab = new TabProgress();
  tab.start();
  mock.timers.tick(1000);
});

afterEach(() => mock.timers.reset());

test("the tab shows progress and is restored afterwards", () => {
  changed(job("pending"), job("processing", 5));
  assert.equal(page.title, `5 % · ${PLAIN}`);
  assert.match(icon(), /^data:image\/svg/);
  mock.timers.tick(1000);
  changed(job("processing", 5), job("completed", 100));
  assert.deepEqual([page.title, icon()], [PLAIN, "plain.svg"]);
});

test("it changes once a second, and the last word is shown", () => {
  const seen = new Set();
  for (let progress = 0; progress < 40; progress += 1) {
    changed(job("processing", progress), job("processing", progress + 1));
    mock.timers.tick(100);
    seen.add(page.title);
  }
  mock.timers.tick(1000);
  assert.ok(seen.size <= 5, `${seen.size} titles in four seconds`);
  assert.equal(page.title, `40 % · ${PLAIN}`);
});

test("an end that nobody saw stays until somebody looks", () => {
  page.look(false);
  changed(job("processing", 90), job("completed", 100));
  assert.deepEqual([page.title, icon()], [`✓ Ready · ${PLAIN}`, "plain.svg"]);
  page.look(true);
  assert.equal(page.title, PLAIN);
});

test("an end that was seen, or lay before the page, leaves nothing", () => {
  changed(job("processing", 90), job("completed", 100));
  page.look(false);
  changed(undefined, job("failed"));
  mock.timers.tick(1000);
  assert.equal(page.title, PLAIN);
});

test("the cancel of a finished export takes the mark away", () => {
  page.look(false);
  changed(job("processing", 90), job("completed", 100));
  changed(job("completed", 100), job("cancelled"));
  mock.timers.tick(1000);
  assert.equal(page.title, PLAIN);
});

test("a page that is left has its own title and icon", () => {
  changed(job("pending"), job("processing", 5));
  changed(job("processing", 5), job("processing", 6));
  tab.stop();
  mock.timers.tick(5000);
  assert.deepEqual([page.title, icon()], [PLAIN, "plain.svg"]);
});

test("what is known before the page is shown is said when it is", () => {
  const late = new TabProgress();
  late.changed(undefined, job("processing", 30), [job("processing", 30)]);
  assert.equal(page.title, PLAIN);
  late.start();
  assert.equal(page.title, `30 % · ${PLAIN}`);
});
