// The automatic download: wanted in the tab that started the export, granted once by the server.

import { addressOf, mayAskForDownload, mayStartDownload } from "./export-state.js";
import { send } from "./requests.js";

const KEY = "exports-to-download";

export function wantedHere() {
  return JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
}

export function remember(jobId) {
  sessionStorage.setItem(KEY, JSON.stringify([...wantedHere(), jobId]));
}

export function forget(jobId) {
  sessionStorage.setItem(KEY, JSON.stringify(wantedHere().filter((each) => each !== jobId)));
}

/** Take the next step towards the download of this job, if there is one; `say` tells the state. */
export function pursue(job, say) {
  if (mayStartDownload(job)) {
    say({ type: "downloadStarted", jobId: job.jobId });
    start(`${addressOf(job)}/download`);
  } else if (mayAskForDownload(job)) {
    claim(job, say);
  }
}

function claim(job, say) {
  const { jobId } = job;
  forget(jobId);
  say({ type: "downloadAsked", jobId });
  send("POST", `${addressOf(job)}/auto-download`).then(
    () => say({ type: "downloadGranted", jobId }),
    () => say({ type: "downloadDenied", jobId }),
  );
}

/** The one place where a script starts a download. */
function start(url) {
  const link = document.createElement("a");
  link.href = url;
  link.download = "";
  link.hidden = true;
  document.body.append(link);
  link.click();
  link.remove();
}
