import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./load.mjs";

const { RequestKey } = await load("request-key.js");

test("the same request keeps its key, so that trying again starts nothing twice", () => {
  const key = new RequestKey();
  assert.equal(key.of({ a: 1 }), key.of({ a: 1 }));
});

test("another request has another key", () => {
  const key = new RequestKey();
  assert.notEqual(key.of({ a: 1 }), key.of({ a: 2 }));
});

test("the same request is a new one once the dialog was opened again", () => {
  const key = new RequestKey();
  const before = key.of({ a: 1 });
  key.forget();
  assert.notEqual(key.of({ a: 1 }), before);
});

test("a key is what the API takes", () => {
  assert.match(new RequestKey().of({}), /^[!-~]{8,255}$/);
});
