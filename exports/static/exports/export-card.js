// One export on the page: the server makes its markup, this keeps it true between two makings.

import { isActive, isCancellable } from "./export-state.js";
import { downloadWords, remainingWords, stageWords, statusWords } from "./words.js";
import "./copy-text.js";

/** What the markup says of the job. */
export function read(card) {
  const { exportId, projectId, status, version, progress, userId, completedAt, downloadCount } = card.dataset;
  return {
    jobId: exportId,
    projectId,
    status,
    version: Number(version),
    progress: Number(progress),
    userId: Number(userId),
    completedAt: completedAt || null,
    downloadCount: Number(downloadCount),
    projectName: card.querySelector("h3").textContent.trim(),
  };
}

/** Everything that can be said without new markup; controls that no longer apply go at once. */
export function show(card, job) {
  const isMadeForThis = card.dataset.status === job.status && !isActive(job);
  const isNewer = job.version > Number(card.dataset.version);
  card.dataset.status = job.status;
  say(card, "status", statusWords(job));
  sayRefusal(card, job.refusal);
  mark(card, "cancel", { isShown: isCancellable(job), isBusy: job.cancelClicked });
  mark(card, "download", { isShown: job.status === "completed" && !job.cancelClicked });
  if (isNewer) say(card, "downloads", downloadWords(job));
  if (isMadeForThis || !isNewer) return;
  card.querySelector("progress").value = Math.floor(job.progress);
  say(card, "stage", stageWords(job));
  say(card, "remaining", remainingWords(job));
}

/** Put new markup in the place of old without losing the focus, or closing what was opened. */
export function replace(card, made) {
  const focused = card.contains(document.activeElement) ? document.activeElement : null;
  const place = placeOf(focused);
  const open = [...card.querySelectorAll("details[open]")].map((details) => details.dataset.part);
  card.replaceChildren(...made.childNodes);
  for (const { name, value } of made.attributes) card.setAttribute(name, value);
  for (const part of open) card.querySelector(`[data-part="${part}"]`)?.setAttribute("open", "");
  if (focused) (card.querySelector(place) ?? card).focus({ preventScroll: true });
}

/** A selector of the same control in other markup of the card. */
function placeOf(control) {
  const { action } = control?.closest("[data-action]")?.dataset ?? {};
  if (action) return `a[data-action="${action}"], [data-action="${action}"] button`;
  const { part } = control?.closest("[data-part]")?.dataset ?? {};
  return part ? `[data-part="${part}"] > summary` : control?.closest("copy-text") ? "copy-text button" : "h3 a";
}

function say(card, what, words) {
  const place = card.querySelector(`[data-words="${what}"]`);
  if (place && place.textContent !== words) place.textContent = words;
}

function sayRefusal(card, sentence) {
  say(card, "refusal", sentence);
  card.querySelector('[data-words="refusal"]').hidden = !sentence;
}

function mark(card, action, { isShown, isBusy = false }) {
  const place = card.querySelector(`[data-action="${action}"]`);
  if (!place) return;
  place.hidden = !isShown;
  place.querySelector("button")?.setAttribute("aria-disabled", String(isBusy));
}
