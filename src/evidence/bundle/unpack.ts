/** Reads a ZIP that somebody gave us, and that must be one as core/zip.ts makes them. */
import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { fromRandomAccessReaderPromise, RandomAccessReader, type Entry, type ZipFile as UnpackedZip } from 'yauzl';
import { readFully } from '../../audio/recordingFile.ts';
import { PreavisError } from '../../core/errors.ts';

/** A file in a ZIP that somebody gave us. */
export type PackedFile = {
  name: string;
  size: number;
  /** All of it at once, for one that is small. */
  whole: () => Promise<Buffer>;
  read: () => Promise<Readable>;
};

/** The directory of a ZIP is at its end; of most bundles everything but the recording is in so much of it. */
const tailBytes = 128 * 1024;

/** Gives yauzl its many small pieces from memory. */
class ZipReader extends RandomAccessReader {
  readonly #handle: FileHandle;
  readonly #tail: Buffer;
  readonly #tailStart: number;

  private constructor(handle: FileHandle, tail: Buffer, tailStart: number) {
    super();
    this.#handle = handle;
    this.#tail = tail;
    this.#tailStart = tailStart;
  }

  static async over(handle: FileHandle, size: number): Promise<ZipReader> {
    const tail = Buffer.allocUnsafe(Math.min(size, tailBytes));
    if ((await readFully(handle, tail, size - tail.length)) < tail.length) throw new Error('it has become shorter');

    return new ZipReader(handle, tail, size - tail.length);
  }

  /** Throws an Error where the file ends before. */
  async fill(buffer: Buffer, position: number): Promise<void> {
    const inTail = position - this.#tailStart;
    const filled =
      inTail >= 0
        ? this.#tail.copy(buffer, 0, inTail, inTail + buffer.length)
        : await readFully(this.#handle, buffer, position);
    if (filled < buffer.length) throw new Error('it is cut off');
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    this.fill(buffer.subarray(offset, offset + length), position).then(
      () => {
        callback(null);
      },
      (error: unknown) => {
        callback(error instanceof Error ? error : new Error('it cannot be read'));
      },
    );
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from(this.#pieces(start, end));
  }

  async *#pieces(start: number, end: number): AsyncGenerator<Buffer> {
    for (let at = start; at < end; at += pieceBytes) {
      const piece = Buffer.allocUnsafe(Math.min(pieceBytes, end - at));
      await this.fill(piece, at);
      yield piece;
    }
  }

  /** The handle is not ours. */
  override close(callback: (error: Error | null) => void): void {
    setImmediate(callback, null);
  }
}

const pieceBytes = 64 * 1024;

/** More files than any bundle has. */
const mostEntries = 500;
/** More than the form holds; a recording of a day, the longest there can be, has a third of it. */
const largestZipBytes = 4 * 1024 ** 3;

const foreign = (cause?: unknown): PreavisError => {
  const why = cause instanceof Unlike ? `: ${cause.message}` : '';

  return new PreavisError('evidence_invalid', `it is not a ZIP file as Préavis makes them${why}`, { cause });
};

/** What is unlike a bundle, in words of ours. */
class Unlike extends Error {}

/**
 * The files of a ZIP in their order.
 * Reads the directory at its end and nothing else: a ZIP that is too large is refused before anything in it is read.
 * @throws PreavisError `evidence_invalid`: it is no ZIP, too large, compressed, encrypted, too many files, files in the same bytes, or a
 * name twice.
 */
export async function unpack(handle: FileHandle): Promise<PackedFile[]> {
  let zip: UnpackedZip;
  let reader: ZipReader;
  const entries: Entry[] = [];
  try {
    const { size } = await handle.stat();
    if (size > largestZipBytes) throw new Unlike('it is larger than 4 GiB');
    reader = await ZipReader.over(handle, size);
    zip = await fromRandomAccessReaderPromise(reader, size, { autoClose: false, strictFileNames: true });
    if (zip.entryCount > mostEntries) throw new Unlike(`it has more than ${mostEntries} files`);
    for await (const entry of zip.eachEntry()) {
      const isPlain = entry.compressionMethod === 0 && !entry.isEncrypted();
      if (!isPlain || entry.compressedSize !== entry.uncompressedSize)
        throw new Unlike('a file in it is compressed or encrypted');
      entries.push(entry);
    }
    const claimed = entries.reduce((sum, { uncompressedSize }) => sum + uncompressedSize, 0);
    if (claimed > size) throw new Unlike('its files claim more bytes than it has');
  } catch (cause) {
    throw foreign(cause);
  }
  if (new Set(entries.map(({ fileName }) => fileName)).size < entries.length) {
    throw foreign(new Unlike('it has a name twice'));
  }

  return entries.map((entry) => ({
    name: entry.fileName,
    size: entry.uncompressedSize,
    whole: async () => {
      const bytes = Buffer.allocUnsafe(entry.uncompressedSize);
      try {
        const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
        await reader.fill(bytes, fileDataStart);
      } catch (cause) {
        throw foreign(cause);
      }

      return bytes;
    },
    read: () =>
      zip.openReadStreamPromise(entry, { decodeFileData: false }).catch((cause: unknown) => {
        throw foreign(cause);
      }),
  }));
}

/** Whether the file holds exactly these bytes. */
export async function holdsExactly(handle: FileHandle, bytes: AsyncIterable<Buffer>): Promise<boolean> {
  let at = 0;
  let found = Buffer.alloc(0);
  for await (const chunk of bytes) {
    if (found.length < chunk.length) found = Buffer.allocUnsafe(chunk.length);
    const part = found.subarray(0, chunk.length);
    if ((await readFully(handle, part, at)) < chunk.length || !part.equals(chunk)) return false;
    at += chunk.length;
  }

  return (await handle.stat()).size === at;
}
