import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { load } from "./load.mjs";

class FakeNotification {
  static permission = "granted";
  static shown = [];
  static requestPermission = async () => FakeNotification.permission;
  isClosed = false;
  constructor(title, options) { Object.assign(this, { title, ...options }); FakeNotification.shown.push(this); }
  close() { this.isClosed = true; }
}

class FakeStorage {
  #items = new Map();
  getItem(key) { return this.#items.get(key) ?? null; }
  setItem(key, value) { this.#items.set(key, value); }
  removeItem(key) { this.#items.delete(key); }
}

let held = Promise.resolve();
const request = (_, act) => (held = held.then(act));
Object.defineProperty(globalThis, "navigator", { value: { locks: { request } }, configurable: true });
globalThis.Notification = FakeNotification;
globalThis.window = { focus: () => (page.isFocused = true) };
const { Notifications, askPermission, isPossible, isWanted, setWanted } = await load("notifications.js");

const ME = 7;
const running = { jobId: "1", userId: ME, status: "processing", progress: 90, projectName: "Nuclei" };
const completed = { ...running, status: "completed", progress: 100 };
let page;
let known;
let tab;
const opened = (userId = ME) => {
  const made = new Notifications(() => known);
  made.start(userId);
  return made;
};
const end = (...tabs) => tabs.forEach((each) => each.changed(running, known));
const told = async () => { await held; return FakeNotification.shown.map(({ title, body }) => `${title}: ${body}`); };

beforeEach(() => {
  page = Object.assign(new EventTarget(), { hidden: true, title: "Hub", documentElement: { lang: "en" } });
  const card = { focus: () => (page.focused = true), querySelector: () => ({ textContent: " Cells " }) };
  page.getElementById = (id) => (id === "export-1" ? card : null);
  page.look = (isLooking) => { page.hidden = !isLooking; page.dispatchEvent(new Event("visibilitychange")); };
  Object.assign(globalThis, { document: page, localStorage: new FakeStorage() });
  [FakeNotification.shown, FakeNotification.permission, known] = [[], "granted", completed];
  setWanted(ME, true);
  tab = opened();
  tab.started(running);
});

test("a completion is told once, in however many tabs it is heard", async () => {
  end(tab, opened(), opened());
  assert.deepEqual(await told(), ["Nuclei: Export of Nuclei is ready to download."]);
  assert.equal(FakeNotification.shown[0].tag, "1");
});

test("a failure is told with its sentence", async () => {
  known = { ...running, status: "failed", error: "The disk is full." };
  end(tab);
  assert.deepEqual(await told(), ["Nuclei: Export of Nuclei failed. The disk is full."]);
});

test("the project's name is the card's where no event told it, and is missing without a card", async () => {
  for (const jobId of ["1", "2"]) {
    const [before, after] = [{ jobId, status: "pending" }, { jobId, status: "completed" }];
    [known, page.title] = [after, "12 % · Hub"];
    tab.started(after);
    tab.changed(before, after);
    await held;
  }
  const sentences = ["Cells: Export of Cells is ready to download.", "Exports: Export of the project is ready to download."];
  assert.deepEqual(await told(), sentences);
});

test("a click leads to the export", async () => {
  end(tab);
  await held;
  FakeNotification.shown[0].onclick();
  assert.deepEqual([page.isFocused, page.focused, FakeNotification.shown[0].isClosed], [true, true, true]);
});

const SILENT = {
  "it is not wanted": () => setWanted(ME, false),
  "another user of this browser wanted it": () => setWanted(8, true),
  "the browser does not allow it": () => (FakeNotification.permission = "denied"),
  "somebody looks": () => page.look(true),
  "it was cancelled": () => (known = { ...running, status: "cancelled" }),
  "cancel was clicked": () => (known = { ...completed, cancelClicked: true }),
  "cancel was clicked before it completed": () => tab.changed(running, { ...running, cancelClicked: true }),
  "cancel was clicked in another tab": () => opened().changed(running, { ...running, cancelClicked: true }),
  "its file is gone": () => (known = { ...running, status: "expired" }),
};

for (const [reason, arrange] of Object.entries(SILENT)) {
  test(`nobody is told when ${reason}`, async () => {
    arrange();
    end(tab);
    assert.deepEqual(await told(), []);
  });
}

test("nobody is told of what another browser, or another user, started", async () => {
  opened(8).started({ jobId: "2" });
  for (const jobId of ["2", "3"]) tab.changed({ ...running, jobId }, { ...completed, jobId });
  assert.deepEqual(await told(), []);
});

test("nobody is told when it is cancelled between the end and the notification", async () => {
  end(tab);
  known = { ...completed, status: "cancelled" };
  assert.deepEqual(await told(), []);
});

test("a notification is taken back when its export is cancelled", async () => {
  end(tab);
  await held;
  tab.changed(completed, { ...completed, cancelClicked: true });
  assert.equal(FakeNotification.shown[0].isClosed, true);
});

test("an end that lay before the page is no news", async () => {
  tab.changed(undefined, completed);
  assert.deepEqual(await told(), []);
});

test("a tab that was looked at and left again is told", async () => {
  page.look(true);
  page.look(false);
  end(tab);
  assert.equal((await told()).length, 1);
});

test("permission is asked for only when somebody asks", async () => {
  assert.deepEqual([isPossible(), await askPermission(), isWanted(ME), isWanted(8)], [true, "granted", true, false]);
  delete globalThis.Notification;
  assert.deepEqual([isPossible(), await askPermission()], [false, "denied"]);
  globalThis.Notification = FakeNotification;
});
