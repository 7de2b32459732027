/** What two workers of one Asterisk are called. */
export const workerNames = ['a', 'b'] as const;
export type WorkerName = (typeof workerNames)[number];
