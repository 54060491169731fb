// Loads a module of the page as it is served: modules import one another, whatever Node thinks of their extension.

import { register } from "node:module";

const FOLDER = new URL("../../exports/static/exports/", import.meta.url);
const AS_MODULES = `export const load = (url, context, next) =>
  next(url, url.endsWith(".js") ? { ...context, format: "module" } : context);`;

register(`data:text/javascript,${encodeURIComponent(AS_MODULES)}`);

export function load(name) {
  return import(new URL(name, FOLDER));
}
