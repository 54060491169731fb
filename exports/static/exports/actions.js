// What the buttons of a card do, by the name of their form. Without scripts the same forms are posted.

import * as downloads from "./downloads.js";
import { addressOf } from "./export-state.js";
import { text } from "../site/i18n.js";
import { sentenceOf, send } from "./requests.js";

const JUST_NOW = 10_000;

export const ACTIONS = { cancel, retry, delete: remove };

async function cancel(panel, job) {
  const { jobId } = job;
  if (job.cancelClicked || (isOld(job) && !confirm(text("Cancel this finished export? Its file is deleted.")))) return;
  downloads.forget(jobId);
  panel.say({ type: "cancelClicked", jobId });
  panel.tellOthers({ type: "cancelClickedElsewhere", jobId });
  try {
    // Leaving the page at once must not lose the cancel.
    const answer = await send("POST", `${addressOf(job)}/cancel`, undefined, { keepalive: true });
    panel.learn({ type: "job", job: answer.job });
  } catch (error) {
    panel.say({ type: "cancelRefused", jobId, sentence: sentenceOf(error) });
    panel.lookAt(jobId).catch(() => {});
  }
}

async function retry(panel, job) {
  try {
    await panel.started((await send("POST", `${addressOf(job)}/retry`)).job, false);
  } catch (error) {
    panel.say({ type: "refused", jobId: job.jobId, sentence: sentenceOf(error) });
  }
}

async function remove(panel, job) {
  try {
    await send("DELETE", addressOf(job));
    await panel.lookAt(job.jobId);
  } catch (error) {
    panel.say({ type: "refused", jobId: job.jobId, sentence: sentenceOf(error) });
  }
}

/** A click that was meant for the running export must not meet a question because it completed meanwhile. */
function isOld({ status, completedAt }) {
  return status === "completed" && Date.now() - Date.parse(completedAt) > JUST_NOW;
}
