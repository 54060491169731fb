// What a card and the live region say; templates/exports/_stage.html says the same on the server.

import { counted, grouped, text } from "../site/i18n.js";

const STATUS = {
  pending: text("Waiting for a worker"),
  processing: text("Building the archive"),
  completed: text("Ready to download"),
  failed: text("Failed"),
  cancelled: text("Cancelled"),
  expired: text("File removed"),
};

const STAGES = {
  preparing: text("Listing the images"),
  finishing: text("Writing tables and annotations"),
  publishing: text("Checking the archive"),
};

const FAILURES = {
  build_failed: text("Something went wrong while the archive was built. Try again; if it fails again, tell us its number."),
  insufficient_storage: text("The disk is full. Try again later, or select fewer images."),
  nothing_exported: text("None of the images could be exported. Check that their files are whole and upload them again."),
  worker_lost: text("Its worker was lost too often. Try again, or select fewer images."),
};

const LIVE = {
  websocket: text("Live"),
  polling: text("Checking every 2 s"),
  offline: text("Offline, trying again"),
};

const MILESTONES = [75, 50, 25];

export function statusWords(job) {
  const isLeaving = job.cancelClicked && !["cancelled", "failed", "expired"].includes(job.status);
  return isLeaving ? text("Cancelling…") : STATUS[job.status];
}

export function stageWords(job) {
  switch (job.status) {
    case "pending":
      return placeWords(job.queuePosition);
    case "processing":
      return workWords(job);
    case "completed":
      return fileSize(job.exportSize ?? 0);
    case "failed":
      return failureWords(job);
    default:
      return "";
  }
}

export function remainingWords(job) {
  const isKnown = job.status === "processing" && job.estimatedRemaining != null;
  return isKnown ? text("about %(time)s left", { time: duration(job.estimatedRemaining) }) : "";
}

export function downloadWords({ downloadCount }) {
  return downloadCount ? counted("once", "%(number)s times", downloadCount) : text("not yet");
}

export function liveWords(live) {
  return LIVE[live];
}

/** What the live region says of a change; empty when it is not worth an interruption. */
export function announcement(before, after) {
  const name = after.projectName ?? text("the project");
  if (before.status !== after.status) return changeWords(after, name);
  const percent = MILESTONES.find((each) => before.progress < each && after.progress >= each);
  const isReached = after.status === "processing" && percent;
  return isReached ? text("Export of %(name)s: %(percent)s percent.", { name, percent }) : "";
}

export function duration(seconds) {
  if (seconds < 90) return text("%(number)s s", { number: Math.max(1, Math.round(seconds)) });
  if (seconds < 5400) return text("%(number)s min", { number: Math.round(seconds / 60) });
  return text("%(number)s h", { number: Math.round(seconds / 3600) });
}

export function fileSize(bytes) {
  const units = [text("%(size)s bytes"), text("%(size)s kB"), text("%(size)s MB"), text("%(size)s GB"), text("%(size)s TB")];
  let [size, power] = [bytes, 0];
  for (; size >= 1000 && power < units.length - 1; power += 1) size /= 1000;
  const digits = power && size < 100 ? 1 : 0;
  return units[power].replace("%(size)s", grouped(size, { minimumFractionDigits: digits, maximumFractionDigits: digits }));
}

function placeWords(place) {
  if (!place) return text("In the queue");
  return place === 1 ? text("Next in the queue") : text("Number %(place)s in the queue", { place: grouped(place) });
}

/** The worker's own words, which are English, for a stage that is not known here. */
function workWords({ stage, stageDone, stageTotal, message }) {
  if (stage !== "images" || !stageTotal) return STAGES[stage] ?? message ?? "";
  return text("Image %(done)s of %(total)s", { done: grouped(stageDone), total: grouped(stageTotal) });
}

/** What the server wrote is English, and knows more. */
function failureWords({ error, errorCode }) {
  const isEnglish = (globalThis.document?.documentElement.lang || "en").startsWith("en");
  return (isEnglish ? error : (FAILURES[errorCode] ?? error)) ?? "";
}

function changeWords(job, name) {
  const said = {
    processing: text("Export of %(name)s has started.", { name }),
    completed: text("Export of %(name)s is ready to download.", { name }),
    failed: text("Export of %(name)s failed. %(error)s", { name, error: failureWords(job) }),
    cancelled: text("Export of %(name)s was cancelled.", { name }),
  };
  return said[job.status] ?? "";
}
