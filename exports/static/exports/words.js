// What a card and the live region say; templates/exports/_stage.html says the same on the server.

const STATUS = {
  pending: "Waiting for a worker",
  processing: "Building the archive",
  completed: "Ready to download",
  failed: "Failed",
  cancelled: "Cancelled",
  expired: "File removed",
};

const LIVE = {
  websocket: "Live",
  polling: "Checking every 3 s",
  offline: "Offline, trying again",
};

const MILESTONES = [75, 50, 25];

export function statusWords(job) {
  const isLeaving = job.cancelClicked && !["cancelled", "failed", "expired"].includes(job.status);
  return isLeaving ? "Cancelling…" : STATUS[job.status];
}

export function stageWords(job) {
  switch (job.status) {
    case "pending":
      if (!job.queuePosition) return "In the queue";
      return job.queuePosition === 1 ? "Next in the queue" : `Number ${job.queuePosition} in the queue`;
    case "processing":
      return job.message ?? "";
    case "completed":
      return fileSize(job.exportSize ?? 0);
    case "failed":
      return job.error ?? "";
    default:
      return "";
  }
}

export function remainingWords(job) {
  const isKnown = job.status === "processing" && job.estimatedRemaining != null;
  return isKnown ? `about ${duration(job.estimatedRemaining)} left` : "";
}

export function liveWords(live) {
  return LIVE[live];
}

/** What the live region says of a change; empty when it is not worth an interruption. */
export function announcement(before, after) {
  const name = `Export of ${after.projectName ?? "the project"}`;
  if (before.status !== after.status) {
    return { processing: `${name} has started.`, completed: `${name} is ready to download.`,
      failed: `${name} failed. ${after.error ?? ""}`, cancelled: `${name} was cancelled.` }[after.status] ?? "";
  }
  const reached = MILESTONES.find((percent) => before.progress < percent && after.progress >= percent);
  return after.status === "processing" && reached ? `${name}: ${reached} percent.` : "";
}

export function estimateWords({ images, objects, estimatedBytes, estimatedSeconds }) {
  const size = `about ${fileSize(estimatedBytes)}, ready in about ${duration(estimatedSeconds)}`;
  return `${counted(images, "image")}, ${counted(objects, "object")}, ${size}`;
}

/** 1 image, 1,234 images. */
export function counted(number, thing) {
  return `${number.toLocaleString("en-GB")} ${thing}${number === 1 ? "" : "s"}`;
}

export function duration(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

export function fileSize(bytes) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let size = bytes;
  while (size >= 1000 && units.length > 1) [size] = [size / 1000, units.shift()];
  return size >= 100 || units[0] === "bytes" ? `${size.toFixed(0)} ${units[0]}` : `${size.toFixed(1)} ${units[0]}`;
}
