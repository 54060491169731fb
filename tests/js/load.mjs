// Loads a module of the page as it is served, whatever Node thinks of its extension.

import { readFile } from "node:fs/promises";

const FOLDER = new URL("../../exports/static/exports/", import.meta.url);

export async function load(name) {
  const source = await readFile(new URL(name, FOLDER), "utf8");
  return import(`data:text/javascript,${encodeURIComponent(source)}`);
}
