// Loads a module of the page as it is served: modules import one another, whatever Node thinks of their extension.

import { register } from "node:module";

const ROOT = new URL("../../", import.meta.url);
const AS_SERVED = `
const ROOT = ${JSON.stringify(ROOT.href)};
const HOME = { exports: "exports/static/exports/", projects: "projects/static/projects/", site: "config/static/site/" };

export function resolve(specifier, context, next) {
  const [, home, name] = specifier.match(/^\\.\\.\\/(exports|projects|site)\\/(.+)$/) ?? [];
  return next(home ? ROOT + HOME[home] + name : specifier, context);
}

export function load(url, context, next) {
  return next(url, url.endsWith(".js") ? { ...context, format: "module" } : context);
}`;

register(`data:text/javascript,${encodeURIComponent(AS_SERVED)}`);

export function load(name) {
  return import(new URL(`exports/static/exports/${name}`, ROOT));
}
