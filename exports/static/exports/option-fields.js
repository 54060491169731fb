// The fields as the server fills them: with the last choice, a preset, or what an earlier export had.

import { fetchElement } from "./requests.js";

export class OptionFields {
  #asked = 0;

  /** Fills those in `place`. Answers with the whole form that they are from; with null when more was asked meanwhile. */
  async fill(place, address) {
    const asked = ++this.#asked;
    const made = await fetchElement(address).catch((error) => error);
    if (asked !== this.#asked) return null;
    if (made instanceof Error) throw made;
    const before = place.querySelector("[data-option-fields]");
    const fields = made.querySelector("[data-option-fields]");
    fields.querySelector("details").open = before.querySelector("details").open;
    before.replaceWith(fields);
    return made;
  }
}

/** The export that a click wants to have again here; null for another click, also one for a tab of its own. */
export function wantedAgain(event, page) {
  const link = event.target.closest("[data-same-again]");
  const isPlain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
  return link && isPlain && new URL(link.href).pathname === page ? link.dataset.sameAgain : null;
}
