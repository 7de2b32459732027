/**
 * Reads what Asterisk recorded. Asterisk writes a header of 44 bytes with both lengths 0, then audio, and fills the
 * lengths in when it closes the file; after a crash the audio is there and the lengths are not.
 *
 * Only PCM of 8, 16, 24 or 32 bits is known; nothing here holds a whole file in memory.
 */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { errnoOf, PreavisError } from '../core/errors.ts';
import { withFile } from '../core/files.ts';
import { canBeHeard, makeHearing, type HeardSound } from './heardSound.ts';
import { openRecording, readFully, unreadable, writeFully } from './recordingFile.ts';

export type WavInfo = {
  /** Of the whole file. */
  bytes: number;
  /** Of the whole file, lower-case hexadecimal. */
  sha256: string;
  /** Samples per second and channel. */
  sampleRate: number;
  channels: number;
  bitsPerSample: number;
  /** Audio in bytes, whole sample frames only. */
  dataBytes: number;
  /** Of the audio, rounded to the millisecond. */
  durationMs: number;
  /** `unfinished`: the lengths in the header are not those of the file; `repairWav` mends it. */
  header: 'intact' | 'unfinished';
};

type Format = { sampleRate: number; channels: number; bitsPerSample: number; frameBytes: number };

export type Layout = {
  format: Format;
  /** Of the file when it was opened. */
  bytes: number;
  /** Where the audio begins; its length lies in the four bytes before. */
  dataStart: number;
  /** Whole frames only. */
  dataBytes: number;
  header: 'intact' | 'unfinished';
};

const longestChunkBytes = 0xffff_ffff;
const readBytes = 256 * 1024;
/** Of the header at once: that of Asterisk has 44, and what follows is audio. */
const headerReadBytes = 512;
/** A file of this many chunks before its audio is not a recording. */
const mostChunks = 1_000;

/**
 * Measures a recording.
 * @throws PreavisError `wav_invalid` (not PCM WAV), `wav_empty` (no audio), `spool_unusable` (cannot be read).
 */
export async function inspectWav(file: string): Promise<WavInfo> {
  return withFile(openRecording(file), inspect);
}

/**
 * Its length and its header, without reading the audio.
 * @throws PreavisError as inspectWav.
 */
export async function shapeOfWav(file: string): Promise<Pick<WavInfo, 'durationMs' | 'header'>> {
  return withFile(openRecording(file), async (handle) => {
    const layout = await readLayout(handle);
    if (layout.dataBytes === 0) throw empty();

    return { durationMs: durationOf(layout), header: layout.header };
  });
}

/**
 * Writes the lengths that the file really has into its header and flushes it; half a sample frame at the end is cut off,
 * and audio of odd length gets the padding byte that WAV asks for. A file whose header is intact is not touched. A crash
 * at any point leaves a file that is intact or can be repaired.
 * @throws PreavisError as inspectWav; `wav_invalid` also for more audio than a WAV header can tell (4 GiB).
 */
export async function repairWav(file: string): Promise<WavInfo> {
  return withFile(openRecording(file, 'write'), async (handle) => {
    const layout = await readLayout(handle);
    if (layout.header === 'unfinished') {
      if (layout.dataBytes === 0) throw empty();
      await writeLengths(handle, layout).catch(asUnreadable);
    }
    return inspect(handle);
  });
}

/** Of the audio, ms from its beginning. */
type Milliseconds = { from: number; to: number };

/**
 * Puts silence of the same length into these parts of the audio, in place, so that nothing of what was there is left, and flushes it. Done
 * again, it does the same: a crash in the middle is mended by the next try. The file keeps its times, which tell when it was recorded, where
 * it is of this account: one of Asterisk's we may write to, and give no times.
 * @throws PreavisError as inspectWav.
 */
export async function silenceWav(file: string, spans: readonly Milliseconds[]): Promise<void> {
  await withFile(openRecording(file, 'write'), async (handle) => {
    const { format, dataStart, dataBytes } = await readLayout(handle);
    const { atime, mtime } = await handle.stat().catch(asUnreadable);
    const frameAt = (ms: number, round: (frames: number) => number): number =>
      Math.min(dataBytes, round((Math.min(ms, 1e9) * format.sampleRate) / 1_000) * format.frameBytes);
    // PCM of 8 bits is unsigned.
    const silence = Buffer.alloc(readBytes, format.bitsPerSample === 8 ? 0x80 : 0);
    for (const { from, to } of spans) {
      const end = frameAt(to, Math.ceil);
      for (let at = frameAt(from, Math.floor); at < end; at += silence.length) {
        await writeFully(handle, silence.subarray(0, end - at), dataStart + at);
      }
    }
    await handle.utimes(atime, mtime).catch(unlessOfAnother);
    await handle.sync().catch(asUnreadable);
  });
}

/** Whoever may write to a file may not set its times: only its owner may. */
function unlessOfAnother(error: unknown): void {
  if (errnoOf(error) !== 'EPERM') asUnreadable(error);
}

/** Rounded to the millisecond. */
function durationOf({ format, dataBytes }: Pick<Layout, 'format' | 'dataBytes'>): number {
  return Math.round(((dataBytes / format.frameBytes) * 1_000) / format.sampleRate);
}

async function inspect(handle: FileHandle): Promise<WavInfo> {
  return measure(handle, await readLayout(handle), readBytes, () => undefined);
}

/** 4 s at 8000 Hz and one channel: whoever works on it leaves the event loop free in between. */
const sampleReadBytes = 64 * 1024;

/**
 * As inspectWav, for a recording as Asterisk makes it (8000 or 16,000 Hz, one channel or two, 16 bits): gives what is heard in it, in order
 * and in pieces, each of which is overwritten by the next. The file is read once. An unfinished header is no obstacle.
 * @throws PreavisError as inspectWav, `wav_invalid` also for another format; what `push` throws.
 */
export async function readRecording(file: string, push: (sound: HeardSound) => void): Promise<WavInfo> {
  return withFile(openRecording(file), async (handle) => {
    const layout = await readLayout(handle);
    const { format, dataBytes } = layout;
    if (!canBeHeard(format) || format.bitsPerSample !== 16) {
      throw invalid('it is not 8000 or 16000 Hz, one channel or two, 16 bits');
    }
    const samples = new Int16Array(Math.min(sampleReadBytes, dataBytes) / 2);
    const hear = makeHearing(format);

    return measure(handle, layout, sampleReadBytes, (audio) => {
      const count = audio.length / 2;
      for (let index = 0; index < count; index += 1) samples[index] = audio.readInt16LE(2 * index);
      push(hear(samples.subarray(0, count)));
    });
  });
}

/** For what reads and writes; what a caller's own function throws is no fault of the file. */
const asUnreadable = (error: unknown): never => {
  throw unreadable(error);
};

async function writeLengths(handle: FileHandle, { dataStart, dataBytes }: Layout): Promise<void> {
  const padding = dataBytes % 2;
  const riffBytes = dataStart + dataBytes + padding - 8;
  if (riffBytes > longestChunkBytes) throw invalid('it holds more audio than a WAV header can tell');
  await handle.truncate(dataStart + dataBytes);
  await handle.write(littleEndian(dataBytes), 0, 4, dataStart - 4);
  await handle.write(littleEndian(riffBytes), 0, 4, 4);
  // Last, because until the header is right the padding would count as audio.
  if (padding > 0) await handle.write(Buffer.alloc(1), 0, 1, dataStart + dataBytes);
  await handle.sync();
}

export async function readLayout(handle: FileHandle): Promise<Layout> {
  const { size: bytes } = await handle.stat().catch(asUnreadable);
  const readAt = readerOf(handle);
  const riff = await readAt(0, 12);
  if (riff?.toString('latin1', 0, 4) !== 'RIFF' || riff.toString('latin1', 8, 12) !== 'WAVE') {
    throw invalid('it does not begin as WAV');
  }
  let format: Format | undefined;
  let position = 12;
  for (let chunks = 0; chunks < mostChunks; chunks += 1) {
    const chunk = await readAt(position, 8);
    if (!chunk) break;
    const id = chunk.toString('latin1', 0, 4);
    const length = chunk.readUInt32LE(4);
    const start = position + 8;
    if (id === 'data') {
      if (!format) throw invalid('its audio has no format');
      const audio = { riffBytes: riff.readUInt32LE(4), declared: length, dataStart: start, bytes };
      const header = (await isIntact(readAt, audio)) ? 'intact' : 'unfinished';
      const present = header === 'intact' ? length : bytes - start;
      const dataBytes = present - (present % format.frameBytes);
      return { format, bytes, dataStart: start, dataBytes, header };
    }
    if (id === 'fmt ') format = parseFormat(await readAt(start, Math.min(length, 40)));
    position = start + length + (length % 2);
  }
  throw invalid('it has no audio chunk');
}

type Audio = { riffBytes: number; declared: number; dataStart: number; bytes: number };

/** Both lengths are right: the audio ends where the file ends, or where further well-formed chunks begin that reach it. */
async function isIntact(readAt: ReadAt, { riffBytes, declared, dataStart, bytes }: Audio): Promise<boolean> {
  let end = dataStart + declared;
  for (let chunks = 0; chunks < mostChunks; chunks += 1) {
    // The padding byte after the last chunk is often left out.
    const padded = end + (end % 2);
    if (end === bytes || padded === bytes) return riffBytes === end - 8 || riffBytes === padded - 8;
    const chunk = padded < bytes ? await readAt(padded, 8) : undefined;
    if (!chunk || !/^[ -~]{4}$/.test(chunk.toString('latin1', 0, 4))) return false;
    end = padded + 8 + chunk.readUInt32LE(4);
  }
  return false;
}

const pcm = 1;
/** The real format is in the sub-format. */
const extensible = 0xfffe;

function parseFormat(chunk: Buffer | undefined): Format {
  if (!chunk || chunk.length < 16) throw invalid('its format chunk is cut short');
  const tag = chunk.readUInt16LE(0);
  const isPcm = tag === pcm || (tag === extensible && chunk.length >= 26 && chunk.readUInt16LE(24) === pcm);
  if (!isPcm) throw invalid(`its format ${tag} is not PCM`);
  const channels = chunk.readUInt16LE(2);
  const sampleRate = chunk.readUInt32LE(4);
  const frameBytes = chunk.readUInt16LE(12);
  const bitsPerSample = chunk.readUInt16LE(14);
  const isKnown = channels > 0 && sampleRate > 0 && [8, 16, 24, 32].includes(bitsPerSample);
  if (!isKnown || frameBytes !== (channels * bitsPerSample) / 8) throw invalid('its format makes no sense');
  return { sampleRate, channels, bitsPerSample, frameBytes };
}

/** Reads the whole file once, in pieces of at most so many bytes; `audio` gets each that is audio, and none but whole samples. */
async function measure(
  handle: FileHandle,
  { format, bytes, dataStart, dataBytes, header }: Layout,
  pieceBytes: number,
  audio: (piece: Buffer) => void,
): Promise<WavInfo> {
  if (dataBytes === 0) throw empty();
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(Math.min(pieceBytes, bytes));
  const each = async (from: number, to: number, use: (piece: Buffer) => void): Promise<void> => {
    for (let position = from; position < to;) {
      const piece = buffer.subarray(0, Math.min(buffer.length, to - position));
      const filled = await readFully(handle, piece, position).catch(asUnreadable);
      if (filled < piece.length) throw invalid('it became shorter while it was read');
      hash.update(piece);
      use(piece);
      position += piece.length;
    }
  };
  const ignore = (): void => undefined;
  await each(0, dataStart, ignore);
  await each(dataStart, dataStart + dataBytes, audio);
  await each(dataStart + dataBytes, bytes, ignore);

  return {
    bytes,
    sha256: hash.digest('hex'),
    sampleRate: format.sampleRate,
    channels: format.channels,
    bitsPerSample: format.bitsPerSample,
    dataBytes,
    durationMs: durationOf({ format, dataBytes }),
    header,
  };
}

/** Reads a few bytes at a time; undefined behind the end of the file. */
type ReadAt = (position: number, length: number) => Promise<Buffer | undefined>;

/** Keeps the part of the file that was read last: a header is many small pieces in a row. */
function readerOf(handle: FileHandle): ReadAt {
  let part = Buffer.alloc(0);
  let start = 0;

  return async (position, length) => {
    if (position < start || position + length > start + part.length) {
      const wanted = Buffer.alloc(Math.max(length, headerReadBytes));
      part = wanted.subarray(0, await readFully(handle, wanted, position).catch(asUnreadable));
      start = position;
    }
    const from = position - start;

    return part.length < from + length ? undefined : part.subarray(from, from + length);
  };
}

function littleEndian(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}

function invalid(why: string): PreavisError {
  return new PreavisError('wav_invalid', `A recording is not a WAV file that can be read: ${why}.`);
}

function empty(): PreavisError {
  return new PreavisError('wav_empty', 'A recording holds no audio.');
}
