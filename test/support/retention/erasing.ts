import { uploadPass } from '../../../src/archive/uploadPass.ts';
import { retentionPass, type RetentionOptions, type RetentionPorts } from '../../../src/retention/pass.ts';
import type { ArchiveStage } from '../archive/archiving.ts';
import { dayMs, recorderEnd } from '../catalogue/catalogues.ts';

const never = new AbortController().signal;
/** When a recording of archiveStage is due. */
export const due = recorderEnd + 28 * dayMs;

type Outcome = Parameters<NonNullable<RetentionOptions['report']>>[1];

/** A retention pass, and what it told of each recording. */
export async function erasePass(ports: RetentionPorts, { dryRun = false, clockIsRight = false, signal = never } = {}) {
  const recordings: { id: string; keepUntil: number | null; outcome: Outcome }[] = [];
  const result = await retentionPass(ports, {
    dryRun,
    clockIsRight,
    waitMs: 0,
    signal,
    report: ({ id, keepUntil }, outcome) => recordings.push({ id, keepUntil, outcome }),
  });

  return { ...result, recordings };
}

export async function archivedCall(set: ArchiveStage, options?: Parameters<ArchiveStage['finished']>[1]) {
  const call = await set.finished(undefined, options);
  await uploadPass(set, { waitMs: 0, signal: never });
  expect((await set.catalogue.recordings.find(call.id))?.status).toBe('archived');

  return call;
}
