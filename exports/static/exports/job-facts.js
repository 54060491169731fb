// What follows from what is known of one job.

const ACTIVE = ["pending", "processing"];

export function addressOf(job) {
  return `/api/projects/${job.projectId}/export/${job.jobId}`;
}

export function isActive(job) {
  return ACTIVE.includes(job.status);
}

/** Whether there is more to be heard of it: under way, ended unheard, or being downloaded by this tab. */
export function isOpen(job) {
  return job.version > 0 && !job.isGone && (isActive(job) || job.doubt > 0 || isBeingFetched(job));
}

function isBeingFetched(job) {
  return job.autoDownload === "done" && job.status === "completed" && !job.downloadCount;
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
export function isReady(job) {
  return job.status === "completed";
}

/** What new markup is needed for when it changes; the rest is said in the old one. */
export function faceOf(job) {
  return [job.status, isCancellable(job), Boolean(job.cleanupCompleted)].join();
}
