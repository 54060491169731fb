// One export on the page: the server makes its markup, this keeps it true between two makings.

import { isActive, isCancellable } from "./export-state.js";
import { remainingWords, stageWords, statusWords } from "./words.js";

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
  card.dataset.status = job.status;
  say(card, "status", statusWords(job));
  sayRefusal(card, job.refusal);
  mark(card, "cancel", { isShown: isCancellable(job), isBusy: job.cancelClicked });
  mark(card, "download", { isShown: job.status === "completed" && !job.cancelClicked });
  if (isMadeForThis || job.version <= Number(card.dataset.version)) return;
  card.querySelector("progress").value = Math.floor(job.progress);
  say(card, "stage", stageWords(job));
  say(card, "remaining", remainingWords(job));
}

/** Put new markup in the place of old without losing the focus. */
export function replace(card, made) {
  const focused = card.contains(document.activeElement) ? document.activeElement : null;
  const action = focused?.closest("[data-action]")?.dataset.action;
  const wasOpen = card.querySelector(".export-warnings")?.open;
  card.replaceChildren(...made.childNodes);
  for (const { name, value } of made.attributes) card.setAttribute(name, value);
  if (wasOpen) card.querySelector(".export-warnings")?.setAttribute("open", "");
  if (focused) (control(card, action) ?? card).focus({ preventScroll: true });
}

function control(card, action) {
  return action && card.querySelector(`a[data-action="${action}"], [data-action="${action}"] button`);
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
