import { open, stat, utimes, type FileHandle } from 'node:fs/promises';
import { PreavisError } from '../core/errors.ts';
import { openRecording, readFully, unreadable } from './recordingFile.ts';
import { readLayout, type Format } from './wav.ts';

const copiedBytes = 256 * 1024;
const headerBytes = 44;

/**
 * Writes the sound of these recordings one after another into a new WAV, flushed, with the time of the last. A part without sound adds
 * none, and one whose header is unfinished adds all it has.
 * @throws PreavisError `spool_unusable`, `wav_invalid` (one is not PCM WAV, or not of the format of the first).
 */
export async function joinWavs(parts: readonly string[], target: string): Promise<void> {
  const joined = await open(target, 'wx', 0o660).catch(asUnreadable);
  let format: Format | undefined;
  let dataBytes = 0;
  let writtenAt = 0;
  try {
    for (const part of parts) {
      const source = await openRecording(part);
      try {
        const layout = await readLayout(source);
        format ??= layout.format;
        if (!isSame(format, layout.format)) throw differ();
        await copy(source, layout, joined, headerBytes + dataBytes).catch(asUnreadable);
        dataBytes += layout.dataBytes;
        writtenAt = Math.max(writtenAt, (await stat(part)).mtimeMs);
      } finally {
        await source.close();
      }
    }
    if (format === undefined) throw differ();
    await joined.write(headerOf(format, dataBytes), 0, headerBytes, 0).catch(asUnreadable);
    await joined.sync().catch(asUnreadable);
  } finally {
    await joined.close();
  }
  await utimes(target, writtenAt / 1_000, writtenAt / 1_000).catch(asUnreadable);
}

async function copy(
  source: FileHandle,
  { dataStart, dataBytes }: { dataStart: number; dataBytes: number },
  target: FileHandle,
  at: number,
): Promise<void> {
  const buffer = Buffer.allocUnsafe(Math.min(copiedBytes, Math.max(1, dataBytes)));
  for (let done = 0; done < dataBytes;) {
    const piece = buffer.subarray(0, Math.min(buffer.length, dataBytes - done));
    const filled = await readFully(source, piece, dataStart + done);
    if (filled < piece.length) throw new PreavisError('wav_invalid', 'A recording became shorter while it was read.');
    // It may write less than it was asked to.
    for (let written = 0; written < filled;) {
      written += (await target.write(piece, written, filled - written, at + done + written)).bytesWritten;
    }
    done += filled;
  }
}

const isSame = (one: Format, other: Format): boolean =>
  one.sampleRate === other.sampleRate && one.channels === other.channels && one.bitsPerSample === other.bitsPerSample;

const differ = (): PreavisError =>
  new PreavisError('wav_invalid', 'The parts of a recording are not of one and the same format.');

/** As Asterisk writes it. */
function headerOf({ sampleRate, channels, bitsPerSample, frameBytes }: Format, dataBytes: number): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(headerBytes - 8 + dataBytes, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(sampleRate, 24);
  header.writeUInt32LE(sampleRate * frameBytes, 28);
  header.writeUInt16LE(frameBytes, 32);
  header.writeUInt16LE(bitsPerSample, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(dataBytes, 40);

  return header;
}

const asUnreadable = (error: unknown): never => {
  throw unreadable(error);
};
