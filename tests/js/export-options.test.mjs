import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./load.mjs";

const { optionsOf } = await load("export-options.js");

const input = (name, type, value, checked = false, isOneOfMany = false) =>
  ({ name, type, value, checked, closest: () => isOneOfMany });
const form = (many, ...elements) =>
  ({ elements, querySelectorAll: () => many.map((name) => ({ dataset: { many: name } })) });

test("fields become the options that their names are paths of", () => {
  const options = optionsOf(form(["annotationFormats", "metricsFormats"],
    input("includeOriginalImages", "checkbox", "on", false),
    input("annotationFormats", "checkbox", "coco", true, true),
    input("annotationFormats", "checkbox", "json", false, true),
    input("visualizationOptions.strokeWidth", "number", "3"),
    input("visualizationOptions.polygonColors.external", "color", "#00ff00")));
  assert.deepEqual(options, {
    annotationFormats: ["coco"],
    metricsFormats: [],
    includeOriginalImages: false,
    visualizationOptions: { strokeWidth: 3, polygonColors: { external: "#00ff00" } },
  });
});

test("an empty field and the token of the form are left out", () => {
  const fields = [input("pixelToMicrometerScale", "number", ""), input("csrfmiddlewaretoken", "hidden", "x")];
  assert.deepEqual(optionsOf(form([], ...fields)), {});
});

test("selected images are a list", () => {
  const fields = ["a", "b"].map((id) => input("selectedImageIds", "hidden", id));
  assert.deepEqual(optionsOf(form([], ...fields)), { selectedImageIds: ["a", "b"] });
});

test("the scale that the images have themselves is not sent unless it is changed", () => {
  const scale = (value) => ({ ...input("pixelToMicrometerScale", "number", value), dataset: { ownScale: "0.5" } });
  assert.deepEqual(optionsOf(form([], scale("0.50"))), {});
  assert.deepEqual(optionsOf(form([], scale("0.25"))), { pixelToMicrometerScale: 0.25 });
});

test("which images is no option of its own", () => {
  assert.deepEqual(optionsOf(form([], input("whichImages", "radio", "all", true))), {});
});
