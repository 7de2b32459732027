import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { DiscardReason } from '../../call/decide/discardReason.ts';
import { askers, recorderName } from '../../call/decide/order.ts';
import { spoolUnusable } from '../../call/plan/spoolRights.ts';
import type { DiscardFiles } from '../../call/session/discardFileJournal.ts';
import type { PreavisError } from '../../core/errors.ts';
import { isNotThere, readIfPresent, writeWhole } from '../../core/files.ts';
import { isUlid, type RecordingId } from '../../core/ids.ts';
import { guarded } from './spool.ts';

const discardFile = (folder: string, id: RecordingId): string => join(folder, `${recorderName(id)}.discard`);
const nameOfFile = new RegExp(`^${recorderName('')}([^-.]+)\\.discard$`);

const stored: z.ZodType<DiscardReason> = z.discriminatedUnion('why', [
  z.object({ why: z.literal('refused'), digits: z.string(), at: z.number() }),
  z.object({ why: z.literal('erase_asked'), by: z.enum(askers) }),
]);

/**
 * That the file is there is enough: where it cannot be read, the caller is taken to have refused when it was written. undefined where there is none.
 * Throws spool_unusable where the folder cannot be used.
 */
export function discardReasonIn(folder: string, id: RecordingId): Promise<DiscardReason | undefined> {
  return guarded(folder, async () => {
    const file = discardFile(folder, id);
    try {
      const bytes = await readIfPresent(file);

      return bytes === undefined ? undefined : stored.parse(JSON.parse(bytes.toString('utf8')));
    } catch {
      const { mtimeMs } = await stat(file);

      return { why: 'refused', digits: '', at: Math.round(mtimeMs) };
    }
  });
}

async function listed(folder: string): Promise<RecordingId[]> {
  const ids: RecordingId[] = [];
  for (const name of await guarded(folder, () => readdir(folder))) {
    const id = nameOfFile.exec(name)?.[1] ?? '';
    if (isUlid(id)) ids.push(id as RecordingId);
  }

  return ids;
}

/** Those beside the recordings in the spool. Each throws spool_unusable. */
export function discardFilesIn(folder: string): DiscardFiles {
  return {
    write: (id, reason) =>
      guarded(folder, () => writeWhole(discardFile(folder, id), Buffer.from(JSON.stringify(reason)))),
    all: async () => {
      const found = new Map<RecordingId, DiscardReason>();
      for (const id of await listed(folder)) {
        const reason = await discardReasonIn(folder, id);
        if (reason !== undefined) found.set(id, reason);
      }

      return found;
    },
    remove: (id) => guarded(folder, () => rm(discardFile(folder, id), { force: true })),
  };
}

/**
 * Removes those that nobody needs any more. Throws spool_unusable where the folder cannot be read.
 *
 * @param isOver whether that is so of the file of this recording, last written to at this time, ms since 1970 UTC; never rejects
 * @param failed is told why one was not removed
 */
export async function sweepDiscardFiles(
  folder: string,
  isOver: (id: RecordingId, writtenAt: number) => Promise<boolean>,
  failed: (id: RecordingId, error: PreavisError) => void,
): Promise<void> {
  for (const id of await listed(folder)) {
    const file = discardFile(folder, id);
    try {
      const { mtimeMs } = await stat(file);
      if (await isOver(id, mtimeMs)) await rm(file, { force: true });
    } catch (thrown) {
      if (!isNotThere(thrown)) failed(id, await spoolUnusable(folder, thrown));
    }
  }
}
