// What this tab knows of each export: a pure reducer over versions. Whatever the order in which answers,
// events and polls arrive, an older version changes nothing, and cancelled absorbs everything.

const ACTIVE = ["pending", "processing"];
const FINAL = ["failed", "cancelled", "expired"];

// What an event says beyond its own fields.
const IMPLIED = {
  "export:queued": { status: "pending", progress: 0 },
  "export:started": { status: "processing", progress: 0, stageDone: 0, stageTotal: 0, message: "Starting" },
  "export:progress": { status: "processing" },
  "export:completed": { status: "completed", progress: 100 },
  "export:failed": { status: "failed" },
  "export:cancelled": { status: "cancelled" },
  "export:requeued": { status: "pending", progress: 0 },
  "export:downloaded": { status: "completed" },
  "export:expired": { status: "expired" },
  "export:cleanup:completed": { cleanupCompleted: true },
};

// autoDownload: nobody asked -> "wanted" -> "asked" (the server, for the one claim) -> "granted" -> "done",
// or "never", from which nothing leads back.
const NEW = { version: 0, status: "pending", cancelClicked: false, refusal: "", autoDownload: "", isDoubtful: false };

export const INITIAL = { live: "offline", jobs: {} };

export function reduce(state, message) {
  switch (message.type) {
    case "snapshot":
      return message.jobs.reduce(withJob, state);
    case "job":
      return withJob(state, message.job);
    case "live":
      return { ...state, live: message.live };
    case "cancelClicked":
      return changed(state, message.jobId, { cancelClicked: true, refusal: "", autoDownload: "never" });
    case "cancelRefused":
      return changed(state, message.jobId, { cancelClicked: false, refusal: message.sentence });
    case "refused":
      return changed(state, message.jobId, { refusal: message.sentence });
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

export function addressOf(job) {
  return `/api/projects/${job.projectId}/export/${job.jobId}`;
}

export function isActive(job) {
  return ACTIVE.includes(job.status);
}

/** Whether no event will tell of it: everything without a socket, other people's exports with one. */
export function isUntold(job, isLive, userId) {
  return Boolean(job.projectId) && (job.isDoubtful || (isActive(job) && !(isLive && job.userId === userId)));
}

/** A completed export can be cancelled until its first download. */
export function isCancellable(job) {
  return isActive(job) || (job.status === "completed" && !job.downloadCount);
}

/** Whether the server should be asked for the one automatic download of this job. */
export function mayAskForDownload(job) {
  return job.autoDownload === "wanted" && isReady(job);
}

/** Whether the download starts now: the only sentence in this system that says so. */
export function mayStartDownload(job) {
  return job.autoDownload === "granted" && isReady(job);
}

/** A click on cancel has made `autoDownload` "never" already. */
function isReady(job) {
  return job.status === "completed";
}

function withJob(state, job) {
  return merged(state, job.jobId, job.version, job);
}

function withEvent(state, event) {
  const { type, at, ...fields } = event;
  const known = jobIn(state, event.jobId);
  // Cleaning follows an end: whoever hears of it first has missed how the job ended, and has to look.
  const hasMissedTheEnd = type === "export:cleanup:completed" && !FINAL.includes(known.status);
  if (hasMissedTheEnd && event.version > known.version) return changed(state, event.jobId, { isDoubtful: true });
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
  return changed(state, jobId, { isDoubtful: false, ...fields, version: newest, status, autoDownload });
}

function advanced(state, jobId, from, to) {
  return jobIn(state, jobId).autoDownload === from ? changed(state, jobId, { autoDownload: to }) : state;
}

function changed(state, jobId, fields) {
  return { ...state, jobs: { ...state.jobs, [jobId]: { ...jobIn(state, jobId), ...fields } } };
}
