// What an event says beyond its own fields.
export const IMPLIED = {
  "export:queued": { status: "pending", progress: 0, stage: null },
  "export:started": { status: "processing", progress: 0, stage: "preparing", stageDone: 0, stageTotal: 0 },
  "export:progress": { status: "processing" },
  "export:completed": { status: "completed", progress: 100 },
  "export:failed": { status: "failed" },
  "export:cancelled": { status: "cancelled" },
  "export:requeued": { status: "pending", progress: 0, stage: null },
  "export:downloaded": { status: "completed", progress: 100 },
  "export:expired": { status: "expired" },
  "export:cleanup:completed": { cleanupCompleted: true },
};
