import { open, readdir, rename, rm, stat, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { recorderName } from '../../call/decide/order.ts';
import { spoolUnusable } from '../../call/plan/spoolRights.ts';
import type { CataloguePart } from '../../catalogue/catalogue.ts';
import { errnoOf, PreavisError } from '../../core/errors.ts';
import { flushFolder, withFile } from '../../core/files.ts';
import { isUlid, type RecordingId } from '../../core/ids.ts';
import { digestOf } from '../../store/digest.ts';
import { joinWavs } from '../../audio/joinWavs.ts';
import { chunksOf, openRecording } from '../../audio/recordingFile.ts';
import type { Digest } from '../../store/digest.ts';

/** Where Asterisk leaves a recording. */
export function spoolFile(folder: string, id: RecordingId): string {
  return join(folder, `${recorderName(id)}.wav`);
}

/** The recordings whose WAV, or a part of it, lies in the spool. Files of others are left alone. */
export async function spooledRecordings(folder: string): Promise<RecordingId[]> {
  return [...new Set((await spooledFiles(folder)).map(({ id }) => id))];
}

/** `part`: of a recording of several talks, each recorded by itself, which are not joined yet. */
type SpooledFile = { id: RecordingId; part: number | undefined };

async function spooledFiles(folder: string): Promise<SpooledFile[]> {
  const names = await guarded(folder, () => readdir(folder));

  return names.flatMap((name) => {
    const [, id = '', part] = spooledName.exec(name) ?? [];
    return isUlid(id) ? [{ id: id as RecordingId, part: part === undefined ? undefined : Number(part) }] : [];
  });
}

const spooledName = new RegExp(`^${recorderName('')}([^-]+)(?:-(\\d+))?\\.wav$`);

/** The parts of this recording that lie in the spool, in the order of their talks. */
async function partsOf(folder: string, id: RecordingId): Promise<string[]> {
  const numbers = (await spooledFiles(folder)).flatMap((file) => (file.id === id ? (file.part ?? []) : []));

  return numbers.sort((one, other) => one - other).map((part) => join(folder, `${recorderName(id, part)}.wav`));
}

/**
 * Makes one WAV of the parts of a recording whose call has ended, and removes them; done again after a crash, it does the same. Nothing for
 * one that has no parts. Throws spool_unusable, and wav_invalid where they do not fit each other.
 */
export async function joinParts(folder: string, id: RecordingId): Promise<void> {
  const whole = spoolFile(folder, id);
  const parts = await partsOf(folder, id);
  if (parts.length === 0) return;
  if ((await modified(whole)) === undefined) {
    const joining = `${whole}.joining`;
    await guarded(folder, () => rm(joining, { force: true }));
    await joinWavs(parts, joining);
    await guarded(folder, async () => {
      await rename(joining, whole);
      await flushFolder(folder);
    });
  }
  await guarded(folder, async () => {
    for (const part of parts) await rm(part, { force: true });
    await flushFolder(folder);
  });
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

/** When the WAV, or its last part, was last written to, ms since 1970 UTC; undefined when there is none. Throws spool_unusable. */
export async function lastWritten(folder: string, id: RecordingId): Promise<number | undefined> {
  return guarded(folder, async () => {
    const whole = await modified(spoolFile(folder, id));
    if (whole !== undefined) return whole;
    // Here a folder that is itself missing fails.
    const times = await Promise.all((await partsOf(folder, id)).map(modified));
    const written = times.filter((each) => each !== undefined);

    return written.length === 0 ? undefined : Math.max(...written);
  });
}

/** ms since 1970 UTC; undefined where there is no such file. */
async function modified(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).mtimeMs;
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    return undefined;
  }
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
    const files = [spoolFile(folder, id), ...(await partsOf(folder, id))];
    const removed = await Promise.all(files.map(unlinkIfThere));
    if (!removed.includes(true)) return false;
    await flushFolder(folder);
    return true;
  });
}

async function unlinkIfThere(file: string): Promise<boolean> {
  try {
    await unlink(file);

    return true;
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    return false;
  }
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
