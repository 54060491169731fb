// What is wrong with a form: a sentence on top, and each field's own at the field.

import { text } from "../site/i18n.js";
import { Refused, sentenceOf } from "./requests.js";

/** Shows `error`, or nothing when it is null. Fields are named as the API names them. */
export function showErrors(form, error) {
  const fields = Object.entries(error?.fields ?? {});
  const summary = form.querySelector("[data-error-summary]");
  summary.textContent = error ? wordsOf(error) : "";
  summary.hidden = !error;
  for (const place of form.querySelectorAll("[data-error-for]")) {
    const found = fields.find(([path]) => `${path}.`.startsWith(`${place.dataset.errorFor}.`));
    place.textContent = found ? asSentence(found[1]) : "";
    place.hidden = !found;
    for (const input of form.elements) if (input.name === place.dataset.errorFor) mark(input, place);
    if (found) place.closest("details")?.setAttribute("open", "");
  }
}

/** A refusal made here, in the shape of the server's. */
export function refusalOf(fields) {
  return new Refused(422, { fields });
}

/** The sentence for the whole: what is said at the fields is not said twice. */
export function wordsOf(error) {
  const isMarked = error instanceof Refused && Object.keys(error.fields).length;
  return isMarked ? text("Some choices cannot be used: they are marked.") : sentenceOf(error);
}

function mark(input, place) {
  const isWrong = !place.hidden;
  const described = new Set(input.getAttribute("aria-describedby")?.split(" ").filter(Boolean));
  if (isWrong) described.add(place.id);
  else described.delete(place.id);
  input.ariaInvalid = isWrong ? "true" : null;
  if (described.size) input.setAttribute("aria-describedby", [...described].join(" "));
  else input.removeAttribute("aria-describedby");
}

function asSentence(words) {
  const sentence = `${words[0].toLocaleUpperCase()}${words.slice(1)}`;
  return /[.!?。]$/.test(words) ? sentence : text("%(sentence)s.", { sentence });
}
