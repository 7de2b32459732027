import { access, constants, open, readdir, rename, rm, stat, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { recorderName, sides, type Side } from '../../call/decide/order.ts';
import { spoolUnusable } from '../../call/plan/spoolRights.ts';
import type { CataloguePart } from '../../catalogue/catalogue.ts';
import { errnoOf, PreavisError } from '../../core/errors.ts';
import { failPoint } from '../../core/failPoint.ts';
import { flushFolder, withFile } from '../../core/files.ts';
import { isUlid, type RecordingId } from '../../core/ids.ts';
import { digestOf } from '../../store/digest.ts';
import { joinWavs, type Lack, type Part } from '../../audio/joinWavs.ts';
import { shapeOfWav } from '../../audio/wav.ts';
import { chunksOf, openRecording } from '../../audio/recordingFile.ts';
import type { Digest } from '../../store/digest.ts';

/** Where Asterisk leaves a recording. */
export function spoolFile(folder: string, id: RecordingId): string {
  return join(folder, `${recorderName(id)}.wav`);
}

/** Where its parts are joined; left there by a process that dies meanwhile, it is written anew. */
const joiningFile = (folder: string, id: RecordingId): string => `${spoolFile(folder, id)}.joining`;

/** The recordings whose WAV, or a part of it, lies in the spool. Files of others are left alone. */
export async function spooledRecordings(folder: string): Promise<RecordingId[]> {
  return [...new Set(spooledAmong(await namesIn(folder)).map(({ id }) => id))];
}

/** `part`: of a recording in several parts, each recorded by itself, which are not joined yet; `side`: of one whose sides are. */
type SpooledFile = { id: RecordingId; part: number | undefined; side: Side | undefined; name: string };

const namesIn = (folder: string): Promise<string[]> => guarded(folder, () => readdir(folder));

/** Those of these names that recordings of ours have, or parts of one. */
export function spooledAmong(names: readonly string[]): SpooledFile[] {
  return names.flatMap((name) => {
    const [, id = '', part, side] = spooledName.exec(name) ?? [];
    if (!isUlid(id)) return [];
    const number = part === undefined ? undefined : Number(part);

    return [{ id: id as RecordingId, part: number, side: sides.find((each) => each === side), name }];
  });
}

/** A part of a wideband call has an ending of its own. */
const spooledName = new RegExp(
  `^${recorderName('')}([^-]+)(?:-(\\d+)(?:-(${sides.join('|')}))?\\.wav(?:16)?|\\.wav(?:\\.joining)?)$`,
);

type PartFile = { part: number; side: Side | undefined; path: string };

/** The files of the parts of this recording that lie in the spool, in the order of their talks. */
async function partsOf(folder: string, id: RecordingId): Promise<PartFile[]> {
  // The spool has the recordings of a day, and this is asked for each of them.
  const own = (await namesIn(folder)).filter((name) => name.startsWith(recorderName(id)));
  const files = spooledAmong(own).flatMap(({ id: each, part, side, name }) =>
    each === id && part !== undefined ? [{ part, side, path: join(folder, name) }] : [],
  );

  return files.sort((one, other) => one.part - other.part);
}

/** Asterisk writes a frame each 20 ms: two recorders that begin within less of each other begin with the same. */
const frameMs = 20;
/** Where the files of two sides were made further apart, the times of the files tell nothing, ms: they are asked for at once. */
const mostApartMs = 2_000;

/** What the files of one part are to the whole. */
async function partOf(files: readonly PartFile[], { timesOfFiles }: JoinOptions): Promise<Part> {
  const of = (side: Side | undefined): string | undefined => files.find((each) => each.side === side)?.path;
  const [told, others] = [of('in'), of('out')];

  return of(undefined) ?? { told, others, othersLateMs: timesOfFiles === 'asterisk' ? await laterBy(told, others) : 0 };
}

/** By how much the second recorder began later, by when its file was made, ms. A folder that keeps no such times says nothing. */
async function laterBy(told: string | undefined, others: string | undefined): Promise<number> {
  if (told === undefined || others === undefined) return 0;
  const [one, other] = await Promise.all([told, others].map(async (file) => (await stat(file)).birthtimeMs));
  const apartMs = (other ?? 0) - (one ?? 0);
  const isKnown = [one, other].every((ms) => ms !== undefined && ms > 0) && Math.abs(apartMs) <= mostApartMs;

  return isKnown ? Math.round(apartMs / frameMs) * frameMs : 0;
}

/** `timesOfFiles`: who has made the files, so that their times tell when they were recorded; `copies`: they do not. */
export type JoinOptions = { timesOfFiles: 'asterisk' | 'copies' };

/**
 * Makes one WAV of the parts of a recording whose call has ended, and removes them; done again after a crash, it does the same. Nothing for
 * one that has no parts.
 *
 * @param lacking is told, before the parts are removed, what of them is missing
 * @throws PreavisError `spool_unusable`; `wav_invalid` where they hold nothing that can be read, and what `lacking` throws
 */
export async function joinParts(
  folder: string,
  id: RecordingId,
  lacking: (lacks: ReadonlySet<Lack>) => Promise<void>,
  options: JoinOptions = { timesOfFiles: 'asterisk' },
): Promise<void> {
  const whole = spoolFile(folder, id);
  const files = await partsOf(folder, id);
  const [only, ...more] = files;
  if (only === undefined) return;
  const isJoined = (await modified(whole)) !== undefined;
  // Most often there was one talk, and its file is the recording: an hour need not be read and written again.
  if (!isJoined && more.length === 0 && only.side === undefined && (await isUsable(only.path))) {
    await guarded(folder, async () => {
      await rename(only.path, whole);
      await flushFolder(folder);
    });
    return;
  }
  if (!isJoined) {
    const joining = joiningFile(folder, id);
    await guarded(folder, () => rm(joining, { force: true }));
    const numbers = [...new Set(files.map(({ part }) => part))];
    const parts = await guarded(folder, () =>
      Promise.all(
        numbers.map((part) =>
          partOf(
            files.filter((each) => each.part === part),
            options,
          ),
        ),
      ),
    );
    await lacking(await joinWavs(parts, joining));
    failPoint?.('finish, parts written anew');
    await guarded(folder, async () => {
      await rename(joining, whole);
      await flushFolder(folder);
    });
    failPoint?.('finish, parts joined');
  }
  await guarded(folder, async () => {
    for (const { path } of files) await rm(path, { force: true });
    await flushFolder(folder);
  });
}

/** Whether it is complete, and ours to write to: what nobody was told of may have to be made silent in it. */
async function isUsable(part: string): Promise<boolean> {
  try {
    await access(part, constants.R_OK | constants.W_OK);

    return (await shapeOfWav(part)).header === 'intact';
  } catch {
    return false;
  }
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
    const times = await Promise.all((await partsOf(folder, id)).map(({ path }) => modified(path)));
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
    const files = [
      spoolFile(folder, id),
      joiningFile(folder, id),
      ...(await partsOf(folder, id)).map(({ path }) => path),
    ];
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

/**
 * A step in the spool, which throws spool_unusable. A folder that is itself missing is an error: otherwise one that is not mounted would make every
 * recording lost.
 */
export async function guarded<T>(folder: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    throw await spoolUnusable(folder, cause);
  }
}
