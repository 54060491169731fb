import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./load.mjs";

const { FoundImages } = await load("found-images.js");

/** A server whose answers the test gives, in the order of its choice. */
function server() {
  const asked = [];
  const ask = (rest) => new Promise((answer, fail) => asked.push({ rest, answer, fail }));
  return { asked, found: new FoundImages(ask) };
}

const page = (names, nextCursor = null, total = names.length) =>
  ({ images: names.map((name) => ({ id: name, name })), total, nextCursor });

test("a page is asked for by what was typed", async () => {
  const { asked, found } = server();
  const looking = found.look("50% a&b");
  asked[0].answer(page(["x"]));
  assert.equal(await looking, true);
  assert.equal(new URLSearchParams(asked[0].rest).get("search"), "50% a&b");
  assert.deepEqual([found.images.length, found.total, found.hasMore], [1, 1, false]);
});

test("of two searches the newer is kept, whichever is answered last", async () => {
  const { asked, found } = server();
  const [older, newer] = [found.look("a"), found.look("b")];
  asked[1].answer(page(["b"]));
  asked[0].answer(page(["a"]));
  assert.deepEqual([await older, await newer], [false, true]);
  assert.deepEqual([found.images[0].name, found.search], ["b", "b"]);
});

test("an older search that fails says nothing", async () => {
  const { asked, found } = server();
  const [older, newer] = [found.look("a"), found.look("b")];
  asked[0].fail(new TypeError());
  asked[1].answer(page(["b"]));
  assert.deepEqual([await older, await newer], [false, true]);
});

test("the newest that fails throws, and what was found before stays", async () => {
  const { asked, found } = server();
  const before = found.look("a");
  asked[0].answer(page(["a"]));
  await before;
  const failing = found.look("b");
  asked[1].fail(new TypeError("nobody answers"));
  await assert.rejects(failing, TypeError);
  assert.deepEqual([found.images[0].name, found.search], ["a", "a"]);
});

test("further pages are of the search that is shown, and are added", async () => {
  const { asked, found } = server();
  const first = found.look("a");
  asked[0].answer(page(["1"], "cursor", 2));
  await first;
  const second = found.more();
  asked[1].answer(page(["2"], null, 2));
  assert.equal(await second, true);
  assert.equal(new URLSearchParams(asked[1].rest).get("cursor"), "cursor");
  assert.deepEqual(found.images.map(({ name }) => name), ["1", "2"]);
});

test("there is no further page while a new search is under way", async () => {
  const { asked, found } = server();
  const first = found.look("a");
  asked[0].answer(page(["1"], "cursor", 2));
  await first;
  found.look("b");
  assert.equal(await found.more(), false);
  assert.equal(asked.length, 2);
});

test("all that are found are asked for by the search that is shown", async () => {
  const { asked, found } = server();
  const looking = found.look("a b");
  asked[0].answer(page(["1"], "cursor", 2));
  await looking;
  const ids = found.ids();
  asked[1].answer({ ids: ["1", "2"] });
  assert.deepEqual(await ids, ["1", "2"]);
  assert.equal(asked[1].rest, "/ids?search=a+b");
});
