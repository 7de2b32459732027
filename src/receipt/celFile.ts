import { open, readdir, stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoOf, PreavisError } from '../core/errors.ts';
import { parseCelLine, type BridgeLine, type CelLine } from './celLine.ts';

/**
 * Finds the lines of some channels in the CEL file. Nothing is remembered between two searches, so a restart, a rotation or a
 * truncation loses nothing: the place is found by its time, since the lines stand in the order of time. A file of any size
 * and content costs little memory and a bounded time.
 */
export type CelWindow = {
  /** Of channels, for the sounds that they heard; of bridges, for who came and left. */
  ids: readonly string[];
  /** Channels of which it is asked in what bridges they were. */
  members?: readonly string[];
  from: number;
  to: number;
};

export type CelFound = {
  /** Of each channel and bridge, in the order of time. */
  lines: Map<string, CelLine[]>;
  /** Of each of the members, in the order of time: into which bridges it came, and which it left. */
  moves: Map<string, BridgeLine[]>;
  /** Until then none of its lines was left out for their number, ms; infinite where none was at all. */
  knownTo: number;
  /** When Asterisk wrote the last line of ours, whoever's it is, ms: until then it did write; -infinite for none. */
  aliveTo: number;
};

const chunkBytes = 65_536;
/** Asterisk's lines have about 150; a longer one is dropped. */
const longestLine = 4_096;
/** Of one file, from the beginning of the window: hours of a busy Asterisk, should the end not be recognised. */
const mostBytes = 32 * 1_024 * 1_024;
/** Thousands of lines: those of calls that were connected are among them. */
const nearEndBytes = 1_024 * 1_024;
/** Of one channel. */
const mostLines = 1_000;
/** How far the order of lines may differ from that of their times, ms. */
const disorderMs = 5_000;
/** Every so many lines of others, it is seen whether the window is over: to parse each would be slow. */
const lookEvery = 50;
const mostFiles = 8;

function unusable(file: string, cause: unknown): PreavisError {
  return new PreavisError('witness_unusable', `${file} cannot be read (${errnoOf(cause) ?? 'error'})`, { cause });
}

async function reading<T>(path: string, step: (file: FileHandle, size: number) => Promise<T>): Promise<T> {
  const file = await open(path, 'r');
  try {
    return await step(file, (await file.stat()).size);
  } finally {
    await file.close();
  }
}

/** The lines in `most` bytes behind `from`, read so many at a time. The first may be the end of one, which is no line of ours. */
async function* linesOf(file: FileHandle, from: number, most: number, atOnce = chunkBytes): AsyncGenerator<string> {
  const chunk = Buffer.alloc(atOnce);
  let rest = Buffer.alloc(0);
  let skipping = false;
  for (let at = from; at < from + most;) {
    const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
    // A last line without its end is still being written.
    if (bytesRead === 0) return;
    at += bytesRead;
    let begin = 0;
    for (let end = chunk.indexOf(10); end !== -1 && end < bytesRead; end = chunk.indexOf(10, begin)) {
      const piece = chunk.subarray(begin, end);
      if (!skipping && rest.length + piece.length <= longestLine) {
        yield (rest.length === 0 ? piece : Buffer.concat([rest, piece])).toString('utf8');
      }
      rest = Buffer.alloc(0);
      skipping = false;
      begin = end + 1;
    }
    skipping ||= rest.length + bytesRead - begin > longestLine;
    rest = skipping ? Buffer.alloc(0) : Buffer.concat([rest, chunk.subarray(begin, bytesRead)]);
  }
}

async function firstTime(file: FileHandle, from: number): Promise<number | undefined> {
  // Most often the first whole line is one.
  for await (const text of linesOf(file, from, chunkBytes, 2 * longestLine)) {
    const line = parseCelLine(text);
    if (line !== undefined) return line.at;
  }

  return undefined;
}

/** A place in the file before the first line of this time or later. */
async function placeOf(file: FileHandle, size: number, time: number): Promise<number> {
  let low = 0;
  let high = size;
  while (high - low > chunkBytes) {
    const middle = Math.floor((low + high) / 2);
    const there = await firstTime(file, middle);
    if (there !== undefined && there < time) low = middle;
    else high = middle;
  }

  return low;
}

/** The last line of ours near the end; undefined for none. */
async function lastLine(file: FileHandle, size: number): Promise<CelLine | undefined> {
  const texts: string[] = [];
  for await (const text of linesOf(file, Math.max(0, size - chunkBytes), mostBytes)) texts.push(text);
  // Most often the very last is one: to parse the hundreds before it would cost each call as much as all else of its witness.
  for (const text of texts.reverse()) {
    const line = parseCelLine(text);
    if (line !== undefined) return line;
  }

  return undefined;
}

function search(path: string, { ids, members = [], from, to }: CelWindow, found: CelFound): Promise<void> {
  const wanted = [...ids, ...members];
  const keep = <Line extends CelLine>(own: Line[] | undefined, line: Line): void => {
    if (own === undefined) return;
    if (own.length < mostLines) own.push(line);
    else found.knownTo = Math.min(found.knownTo, line.at - disorderMs);
  };

  return reading(path, async (file, size) => {
    const place = await placeOf(file, size, from - disorderMs);
    let others = 0;
    let reached = from;
    for await (const text of linesOf(file, place, mostBytes)) {
      const isOther = !wanted.some((id) => text.includes(id));
      if (isOther && (others += 1) % lookEvery !== 0) continue;
      const line = parseCelLine(text);
      if (line === undefined) continue;
      found.aliveTo = Math.max(found.aliveTo, line.at);
      if (line.at > to + disorderMs) return;
      reached = Math.max(reached, line.at);
      if (line.at < from || line.at > to) continue;
      keep(found.lines.get('bridge' in line ? line.bridge : line.channel), line);
      if ('bridge' in line) keep(found.moves.get(line.channel), line);
    }
    if (size - place > mostBytes) found.knownTo = Math.min(found.knownTo, reached - disorderMs);
    found.aliveTo = Math.max(found.aliveTo, (await lastLine(file, size))?.at ?? Number.NEGATIVE_INFINITY);
  });
}

/**
 * The last line of ours, looked for near the end; `none` where the file is empty or not there yet, `foreign` where nothing
 * near its end is a line of ours. Throws as readCelLines.
 */
export async function lastCelLine(path: string): Promise<CelLine | 'none' | 'foreign'> {
  try {
    if (!(await readdir(dirname(path))).includes(basename(path))) return 'none';
    if (!(await stat(path)).isFile()) return 'foreign';

    return await reading(path, async (file, size) => (await lastLine(file, size)) ?? (size === 0 ? 'none' : 'foreign'));
  } catch (cause) {
    throw unusable(path, cause);
  }
}

/** Whether a line near the end of the file tells of a channel that came into a bridge, or left it. Throws witness_unusable. */
export function tellsOfBridges(path: string): Promise<boolean> {
  return reading(path, async (file, size) => {
    for await (const text of linesOf(file, Math.max(0, size - nearEndBytes), mostBytes)) {
      const line = text.includes('BRIDGE_') ? parseCelLine(text) : undefined;
      if (line?.event === 'enter' || line?.event === 'leave') return true;
    }

    return false;
  }).catch((cause: unknown) => {
    throw unusable(path, cause);
  });
}

/**
 * The file, and those that it was renamed to (`.1`, `-20261124`) as far as they were written since, oldest first; and whether there are more,
 * or some that were compressed since.
 */
async function filesSince(file: string, since: number): Promise<{ paths: string[]; lacksSome: boolean }> {
  const name = basename(file);
  const all = await readdir(dirname(file));
  const own = all.filter((each) => each === name || each.startsWith(`${name}.`) || each.startsWith(`${name}-`));
  const found: { path: string; writtenAt: number }[] = [];
  let lacksSome = false;
  for (const each of own) {
    const path = join(dirname(file), each);
    const facts = await stat(path).catch(() => undefined);
    if (facts?.isFile() !== true || (each !== name && facts.mtimeMs < since)) continue;
    if (/\.(gz|bz2|xz|zst)$/.test(each)) lacksSome = true;
    else found.push({ path, writtenAt: facts.mtimeMs });
  }
  const newest = found.sort((one, other) => one.writtenAt - other.writtenAt).slice(-mostFiles);

  return { paths: newest.map(({ path }) => path), lacksSome: lacksSome || found.length > newest.length };
}

/**
 * The lines of these channels and bridges within the window; none where the file is not there (yet). Throws witness_unusable when its
 * folder is not there or something cannot be read.
 */
export async function readCelLines(file: string, window: CelWindow): Promise<CelFound> {
  const found: CelFound = {
    lines: new Map(window.ids.map((id) => [id, []])),
    moves: new Map(window.members?.map((id) => [id, []])),
    knownTo: Number.POSITIVE_INFINITY,
    aliveTo: Number.NEGATIVE_INFINITY,
  };
  try {
    const { paths, lacksSome } = await filesSince(file, window.from - disorderMs);
    if (lacksSome) found.knownTo = Number.NEGATIVE_INFINITY;
    for (const path of paths) {
      await search(path, window, found).catch((cause: unknown) => {
        // Renamed or removed in between: the next try finds it by its new name.
        if (errnoOf(cause) !== 'ENOENT') throw cause;
        found.knownTo = Number.NEGATIVE_INFINITY;
      });
    }
  } catch (cause) {
    throw unusable(file, cause);
  }

  for (const lines of [...found.lines.values(), ...found.moves.values()]) lines.sort((one, other) => one.at - other.at);

  return found;
}
