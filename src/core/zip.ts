import { createReadStream } from 'node:fs';
import { addAbortSignal, PassThrough, type Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { ZipFile } from 'yazl';

/** What is small is held in memory; what may be large is opened when its turn comes. */
export type ZipPart = { name: string } & ({ bytes: Buffer } | { size: number; open: () => Promise<Readable> });

/** For the owner only, and otherwise as it is now. */
export const ordinary = { mode: 0o100600 };

/**
 * The one form in which a list of files is a ZIP file: stored, in the given order, with no time, no comment and nothing
 * else that could be chosen. So whoever has the files can make the ZIP again, and a byte that was changed anywhere in it
 * shows, also where no program that unpacks would look. The time is the first that the format can hold, so that everybody's
 * clock and time zone give the same: 1 January 1980.
 */
const deterministic = { ...ordinary, mtime: new Date(0), forceDosTimestamp: true, compress: false };

/** The ZIP file of these parts, byte by byte. A large part has been read when the next one is asked for. */
export async function* zipOf(
  parts: Iterable<ZipPart> | AsyncIterable<ZipPart>,
  form: typeof ordinary = deterministic,
): AsyncGenerator<Buffer> {
  const zip = new ZipFile();
  const out = zip.outputStream.pipe(new PassThrough());
  const stop = new AbortController();
  zip.on('error', (error: Error) => out.destroy(error));
  const fill = async (): Promise<void> => {
    for await (const part of parts) {
      stop.signal.throwIfAborted();
      if ('bytes' in part) zip.addBuffer(part.bytes, part.name, form);
      else {
        const stream = addAbortSignal(stop.signal, await part.open());
        // Telephone sound does not become smaller.
        zip.addReadStream(stream, part.name, { ...form, compress: false, size: part.size });
        // yazl pipes, and a pipe does not carry errors on.
        await finished(stream);
      }
    }
    zip.end();
  };
  const filled = fill().catch((thrown: unknown) => out.destroy(thrown as Error));
  try {
    yield* out as AsyncIterable<Buffer>;
  } finally {
    stop.abort();
    await filled;
  }
}

/** A part that lies in a file. */
export function filePart(name: string, file: string, size: number): ZipPart {
  return { name, size, open: () => Promise.resolve(createReadStream(file)) };
}
