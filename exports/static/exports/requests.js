// Talking to the server: JSON in and out, refusals as sentences.

import { text } from "../site/i18n.js";

export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail ?? text("The server answered %(status)s. Try again.", { status }));
    this.status = status;
    this.code = problem.code ?? "";
    this.fields = problem.fields ?? {};
    this.isLoggedOut = status === 401;
  }
}

/** The decoded answer, null when it is empty. Throws Refused, or TypeError when nobody answers. */
export async function send(method, url, body, { headers = {}, ...options } = {}) {
  const own = { Accept: "application/json", "X-CSRFToken": csrfToken(), ...headers };
  if (body !== undefined) own["Content-Type"] = "application/json";
  const answer = await fetch(url, { method, headers: own, body: JSON.stringify(body), cache: "no-cache", ...options });
  const words = await answer.text();
  const isJson = words && answer.headers.get("Content-Type")?.includes("json");
  const content = isJson ? JSON.parse(words) : null;
  if (!answer.ok) throw new Refused(answer.status, content ?? {});
  return content;
}

/** Markup that the server made, as an element. */
export async function fetchElement(url) {
  const answer = await fetch(url, { cache: "no-store" });
  if (answer.redirected) throw new Refused(401, {});
  if (!answer.ok) throw new Refused(answer.status, {});
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return document.adoptNode(page.body.firstElementChild);
}

/** The sentence for a person, whatever went wrong. */
export function sentenceOf(error) {
  return error instanceof Refused ? error.message : text("The server cannot be reached. Try again in a moment.");
}

function csrfToken() {
  return document.querySelector("input[name=csrfmiddlewaretoken]")?.value ?? "";
}
