// What this tab knows of each export: a pure reducer over versions. Whatever the order in which answers,
// events and polls arrive, an older version changes nothing, and cancelled absorbs everything.

import { IMPLIED } from "./event-meaning.js";
import { isOpen, isReady } from "./job-facts.js";

export * from "./job-facts.js";

const FINAL = ["failed", "cancelled", "expired"];

// autoDownload: nobody asked -> "wanted" -> "asked" (the server, for the one claim) -> "granted" -> "done",
// or "never", from which nothing leads back.
// doubt: the version from which on a row says how the job really is; 0 when nothing is doubted.
const NEW = { version: 0, status: "pending", cancelClicked: false, refusal: "", autoDownload: "", doubt: 0, isGone: false };

export const INITIAL = { jobs: {} };

export function reduce(state, message) {
  switch (message.type) {
    case "export:snapshot":
      return doubted(message.jobs.reduce(withJob, state), new Set(message.jobs.map((job) => job.jobId)));
    case "jobs":
      return message.jobs.reduce(withJob, state);
    case "job":
      return withJob(state, message.job);
    case "cancelClicked":
      return changed(state, message.jobId, { cancelClicked: true, refusal: "", autoDownload: "never" });
    case "cancelClickedElsewhere":
      return changed(state, message.jobId, { autoDownload: "never" });
    case "cancelRefused":
      return changed(state, message.jobId, { cancelClicked: false, refusal: message.sentence });
    case "refused":
      return changed(state, message.jobId, { refusal: message.sentence });
    case "gone":
      return changed(state, message.jobId, { isGone: true, doubt: 0, refusal: message.sentence, autoDownload: "never" });
    case "downloadWanted":
      return advanced(state, message.jobId, "", "wanted");
    case "downloadAsked":
      return advanced(state, message.jobId, "wanted", "asked");
    case "downloadGranted":
      return advanced(state, message.jobId, "asked", isReady(jobIn(state, message.jobId)) ? "granted" : "never");
    case "downloadDenied":
      return advanced(state, message.jobId, "asked", "never");
    case "downloadStarted":
      return advanced(state, message.jobId, "granted", "done");
    default:
      return message.type in IMPLIED ? withEvent(state, message) : state;
  }
}

export function jobIn(state, jobId) {
  return state.jobs[jobId] ?? { ...NEW, jobId };
}

function withJob(state, job) {
  const { doubt, isGone } = jobIn(state, job.jobId);
  const found = isGone ? changed(state, job.jobId, { isGone: false, refusal: "" }) : state;
  const settled = doubt && job.version >= doubt ? changed(found, job.jobId, { doubt: 0 }) : found;
  return merged(settled, job.jobId, job.version, job);
}

/** A snapshot has all that is under way: what it leaves out has ended long ago, or is not to be seen any more. */
function doubted(state, shown) {
  const missing = Object.values(state.jobs).filter((job) => isOpen(job) && !job.doubt && !shown.has(job.jobId));
  return missing.reduce((before, job) => changed(before, job.jobId, { doubt: job.version }), state);
}

function withEvent(state, event) {
  const { type, at, ...fields } = event;
  const known = jobIn(state, event.jobId);
  // Cleaning follows an end: whoever hears of it first has missed how the job ended, and has to look.
  const hasMissedTheEnd = type === "export:cleanup:completed" && !FINAL.includes(known.status);
  if (hasMissedTheEnd && event.version > known.version) return changed(state, event.jobId, { doubt: event.version });
  return merged(state, event.jobId, event.version, { ...fields, ...IMPLIED[type] });
}

function merged(state, jobId, version, fields) {
  const known = jobIn(state, jobId);
  const wasCancelled = known.status === "cancelled";
  // Whoever says cancelled is right for ever, however old the message is; whoever denies it is wrong.
  const isNews = version > known.version || (fields.status === "cancelled" && !wasCancelled);
  if (!isNews || (wasCancelled && fields.status && fields.status !== "cancelled")) return state;
  const status = fields.status ?? known.status;
  const autoDownload = FINAL.includes(status) ? "never" : known.autoDownload;
  const newest = Math.max(version, known.version);
  return changed(state, jobId, { ...fields, version: newest, status, autoDownload });
}

function advanced(state, jobId, from, to) {
  return jobIn(state, jobId).autoDownload === from ? changed(state, jobId, { autoDownload: to }) : state;
}

function changed(state, jobId, fields) {
  return { ...state, jobs: { ...state.jobs, [jobId]: { ...jobIn(state, jobId), ...fields } } };
}
