import { open, stat, utimes, type FileHandle } from 'node:fs/promises';
import { PreavisError } from '../core/errors.ts';
import { withFile } from '../core/files.ts';
import { wavHeader } from '../prompts/soundFile.ts';
import { MonoSound, silence } from './monoSound.ts';
import { openRecording, readFully, unreadable, writeFully } from './recordingFile.ts';
import { readLayout, type Layout } from './wav.ts';

const copiedBytes = 256 * 1024;
const headerBytes = 44;
/** Frames at a time where sound is worked on. */
const workedFrames = 32_768;
/** A side that ends so much sooner than the other is missing there, ms. */
const missingMs = 500;

/**
 * One part of a recording: one file, or a file for each side, of which one may be missing. `othersLateMs`: how much later that of the others
 * began, negative where it was sooner.
 */
export type Part = string | { told?: string | undefined; others?: string | undefined; othersLateMs?: number };

/** `mono`: some sound of a part is missing. `told`, `others`: that of this side. */
export type Lack = 'mono' | 'told' | 'others';

/**
 * Writes the sound of these parts one after another into a new WAV, flushed, with the time of the last. A part without sound adds none, and
 * one whose header is unfinished adds all it has. Where a part has a file for each side, the told side is left and the others are right,
 * and a part in one file is in both. Of parts with different rates all get the highest.
 *
 * @returns what is missing: files that are no PCM WAV, and sides that are not there, or end early
 * @throws PreavisError `spool_unusable`; `wav_invalid` where no file is a WAV, or one is not of a form that Asterisk makes
 */
export async function joinWavs(parts: readonly Part[], target: string): Promise<ReadonlySet<Lack>> {
  const lacks = new Set<Lack>();
  const seen: Seen[] = [];
  for (const part of parts) seen.push(await lookAt(part, lacks));
  const joined = await open(target, 'wx', 0o660).catch(asUnreadable);
  try {
    const files = seen.flatMap(filesOf);
    const [first] = files;
    if (first === undefined) throw new PreavisError('wav_invalid', 'No part of a recording is a WAV file.');
    const isPlain = files.every((each) => isSame(each, first)) && seen.every(({ isSided }) => !isSided);
    const [format, dataBytes] = isPlain ? await copyAll(files, joined) : await workOn(seen, files, joined, lacks);
    await writeFully(joined, wavHeader(format, dataBytes), 0);
    await joined.sync().catch(asUnreadable);
  } finally {
    await joined.close();
  }
  const writtenAt = Math.max(...seen.map((each) => each.writtenAt));
  await utimes(target, writtenAt / 1_000, writtenAt / 1_000).catch(asUnreadable);

  return lacks;
}

/** What a file is; it is opened again when its sound is read, since a call of many transfers has more parts than a process may have open. */
type File = { path: string; layout: Layout };
type Seen = {
  isSided: boolean;
  mono?: File;
  told?: File;
  others?: File;
  othersLateMs: number;
  writtenAt: number;
};

const filesOf = ({ mono, told, others }: Seen): File[] => [mono, told, others].filter((each) => each !== undefined);

async function lookAt(part: Part, lacks: Set<Lack>): Promise<Seen> {
  const isSided = typeof part !== 'string';
  const files: [Lack, string | undefined][] = isSided
    ? [
        ['told', part.told],
        ['others', part.others],
      ]
    : [['mono', part]];
  const seen: Seen = { isSided, othersLateMs: isSided ? (part.othersLateMs ?? 0) : 0, writtenAt: 0 };
  for (const [side, path] of files) {
    const layout = path === undefined ? undefined : await layoutOf(path);
    if (path === undefined || layout === undefined) lacks.add(side);
    else seen[side] = { path, layout };
    if (path === undefined) continue;
    seen.writtenAt = Math.max(seen.writtenAt, (await stat(path).catch(asUnreadable)).mtimeMs);
  }

  return seen;
}

/** undefined for a file that is no WAV: Asterisk died before it wrote the header, and so any sound. */
async function layoutOf(path: string): Promise<Layout | undefined> {
  try {
    return await withFile(openRecording(path), readLayout);
  } catch (thrown) {
    if (thrown instanceof PreavisError && thrown.code === 'wav_invalid') return undefined;
    throw unreadable(thrown);
  }
}

const isSame = ({ layout: { format: one } }: File, { layout: { format: other } }: File): boolean =>
  one.sampleRate === other.sampleRate && one.channels === other.channels && one.bitsPerSample === other.bitsPerSample;

type Written = [format: Layout['format'], dataBytes: number];

async function copyAll(files: readonly File[], target: FileHandle): Promise<Written> {
  let dataBytes = 0;
  let format: Layout['format'] | undefined;
  for (const { path, layout } of files) {
    format ??= layout.format;
    await withFile(openRecording(path), (file) => copy(file, layout, target, headerBytes + dataBytes)).catch(
      asUnreadable,
    );
    dataBytes += layout.dataBytes;
  }
  if (format === undefined) throw new PreavisError('wav_invalid', 'No part of a recording is a WAV file.');

  return [format, dataBytes];
}

async function copy(
  source: FileHandle,
  { dataStart, dataBytes }: Layout,
  target: FileHandle,
  at: number,
): Promise<void> {
  const buffer = Buffer.allocUnsafe(Math.min(copiedBytes, Math.max(1, dataBytes)));
  for (let done = 0; done < dataBytes;) {
    const piece = buffer.subarray(0, Math.min(buffer.length, dataBytes - done));
    const filled = await readFully(source, piece, dataStart + done);
    if (filled < piece.length) throw new PreavisError('wav_invalid', 'A recording became shorter while it was read.');
    await writeFully(target, piece, at + done);
    done += filled;
  }
}

/** Parts of different rates, or with a file for each side. */
async function workOn(
  parts: readonly Seen[],
  files: readonly File[],
  target: FileHandle,
  lacks: Set<Lack>,
): Promise<Written> {
  const sampleRate = Math.max(...files.map(({ layout }) => layout.format.sampleRate));
  const channels = parts.some(({ isSided }) => isSided) ? 2 : 1;
  const frameBytes = 2 * channels;
  let dataBytes = 0;
  for (const part of parts) {
    const opened = new Map<File, FileHandle>();
    try {
      for (const file of filesOf(part)) opened.set(file, await openRecording(file.path));
      const sounds = soundsOf(part, opened, sampleRate, lacks).slice(0, channels);
      const frames = Math.max(0, ...sounds.map(({ frames }) => frames));
      for (let from = 0; from < frames; from += workedFrames) {
        const count = Math.min(workedFrames, frames - from);
        const pieces = await Promise.all(sounds.map((sound) => sound.read(from, count)));
        await writeFully(target, interleaved(pieces, count), headerBytes + dataBytes);
        dataBytes += count * frameBytes;
      }
    } finally {
      for (const handle of opened.values()) await handle.close();
    }
  }

  return [{ sampleRate, channels, bitsPerSample: 16, frameBytes }, dataBytes];
}

type Sound = Pick<MonoSound, 'frames' | 'read'>;

/** Left and right of a part. What began later begins later there too. */
function soundsOf(
  part: Seen,
  opened: ReadonlyMap<File, FileHandle>,
  sampleRate: number,
  lacks: Set<Lack>,
): [Sound, Sound] {
  const { isSided, mono, told, others, othersLateMs } = part;
  const soundOf = (file: File | undefined, lateMs = 0): Sound => {
    if (file === undefined) return silence;
    const handle = opened.get(file);
    if (handle === undefined) throw new Error('A part is read that is not open.');

    return new MonoSound(handle, file.layout, { sampleRate, lateMs });
  };
  if (!isSided) {
    const both = soundOf(mono);
    return [both, both];
  }
  const [left, right] = [soundOf(told, Math.max(0, -othersLateMs)), soundOf(others, Math.max(0, othersLateMs))];
  const missing = (missingMs * sampleRate) / 1_000;
  if (left.frames < right.frames - missing) lacks.add('told');
  if (right.frames < left.frames - missing) lacks.add('others');

  return [left, right];
}

function interleaved(pieces: readonly Int16Array[], count: number): Buffer {
  const { length: channels } = pieces;
  const bytes = Buffer.allocUnsafe(count * channels * 2);
  pieces.forEach((piece, channel) => {
    for (let frame = 0; frame < count; frame += 1)
      bytes.writeInt16LE(piece[frame] ?? 0, 2 * (frame * channels + channel));
  });

  return bytes;
}

const asUnreadable = (error: unknown): never => {
  throw unreadable(error);
};
