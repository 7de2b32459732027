import { open, readdir, stat, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { recorderName } from '../../call/decide/order.ts';
import { spoolUnusable } from '../../call/plan/spoolRights.ts';
import type { CataloguePart } from '../../catalogue/catalogue.ts';
import { errnoOf, PreavisError } from '../../core/errors.ts';
import { flushFolder, withFile } from '../../core/files.ts';
import { isUlid, type RecordingId } from '../../core/ids.ts';
import { digestOf } from '../../store/digest.ts';
import { chunksOf, openRecording } from '../../audio/recordingFile.ts';
import type { Digest } from '../../store/digest.ts';

/** Where Asterisk leaves a recording. */
export function spoolFile(folder: string, id: RecordingId): string {
  return join(folder, `${recorderName(id)}.wav`);
}

/** The recordings whose WAV lies in the spool. Files of others are left alone. */
export async function spooledRecordings(folder: string): Promise<RecordingId[]> {
  const names = await guarded(folder, () => readdir(folder));
  const prefix = recorderName('');

  return names
    .filter((name) => name.startsWith(prefix) && name.endsWith('.wav'))
    .map((name) => name.slice(prefix.length, -'.wav'.length))
    .filter(isUlid) as RecordingId[];
}

/** Those of them that are not known to be finished, or not at all. Throws spool_unusable, and what the catalogue throws. */
export async function unfinishedIn(
  folder: string,
  catalogue: CataloguePart<{ recordings: 'find' }>,
): Promise<RecordingId[]> {
  const unfinished: RecordingId[] = [];
  for (const id of await spooledRecordings(folder)) {
    if (((await catalogue.recordings.find(id))?.status ?? 'recording') === 'recording') unfinished.push(id);
  }

  return unfinished;
}

/** When the WAV was last written to, ms since 1970 UTC; undefined when there is none. Throws spool_unusable. */
export async function lastWritten(folder: string, id: RecordingId): Promise<number | undefined> {
  return guarded(folder, async () => {
    try {
      return (await stat(spoolFile(folder, id))).mtimeMs;
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      await stat(folder);
      return undefined;
    }
  });
}

/** Length and SHA-256 of the WAV, read whole; undefined when there is none. Throws spool_unusable. */
export async function spooledDigest(folder: string, id: RecordingId, signal: AbortSignal): Promise<Digest | undefined> {
  return withSpooled(folder, id, (file) =>
    digestOf(chunksOf(file), () => {
      signal.throwIfAborted();
    }),
  );
}

/** The size of the WAV; undefined when there is none. Throws spool_unusable. */
export async function spooledBytes(folder: string, id: RecordingId): Promise<number | undefined> {
  return withSpooled(folder, id, async (file) => (await file.stat()).size);
}

async function withSpooled<T>(
  folder: string,
  id: RecordingId,
  step: (file: FileHandle) => Promise<T>,
): Promise<T | undefined> {
  if ((await lastWritten(folder, id)) === undefined) return undefined;
  const file = await openRecording(spoolFile(folder, id)).catch((error: unknown) => {
    // It was removed in between.
    if (error instanceof PreavisError && errnoOf(error.cause) === 'ENOENT') return undefined;
    throw error;
  });

  return file === undefined ? undefined : withFile(file, step);
}

/** Removes the WAV for good: the folder is flushed. False when there was none. Throws spool_unusable. */
export async function removeSpooled(folder: string, id: RecordingId): Promise<boolean> {
  return guarded(folder, async () => {
    try {
      await unlink(spoolFile(folder, id));
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      await stat(folder);
      return false;
    }
    await flushFolder(folder);
    return true;
  });
}

/** The WAV and its name outlive a loss of power from here on: Asterisk flushes nothing. Throws spool_unusable. */
export async function flushSpooled(folder: string, id: RecordingId): Promise<void> {
  await guarded(folder, async () => {
    await withFile(open(spoolFile(folder, id), 'r'), (file) => file.sync());
    await flushFolder(folder);
  });
}

/** A folder that is itself missing is an error: otherwise one that is not mounted would make every recording lost. */
async function guarded<T>(folder: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    throw await spoolUnusable(folder, cause);
  }
}
