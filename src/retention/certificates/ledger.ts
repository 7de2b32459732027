import { constants, statSync } from 'node:fs';
import { access, mkdir, open, readdir, rename, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { noLedgerLock, type LedgerLock } from '../../catalogue/ledgerLock.ts';
import { sha256Of } from '../../core/crypto/sha256.ts';
import { errnoOf, PreavisError } from '../../core/errors.ts';
import { requireLedgerLock, withLedgerLock } from './ledgerLock.ts';
import { giveAsThere, likeThatThere, nearestFolder } from './ledgerOwner.ts';

/**
 * The erasure ledger: a file with one certificate a line, only ever added to. It is kept apart from the catalogue, so that a
 * restored old backup of that does not bring back what was erased since.
 */
export type Ledger = {
  readonly file: string;
  /** Whether it can be read, locked and added to, or made where it is not there yet. Changes nothing. */
  check(): Promise<void>;
  /** On the disk when it returns. */
  append(jws: string): Promise<void>;
  /** Its lines from this byte on (from the first one when none begins there), at most so many, and where each ends. */
  lines(from: number, most?: number): AsyncIterable<{ line: string; end: number }>;
  /** Keeps only the lines for which `isKept` holds. What others add meanwhile waits for it. */
  prune(isKept: (line: string) => boolean | Promise<boolean>): Promise<void>;
};

/** So many are looked for in one reading of the ledger. */
const wantedAtOnce = 250_000;

/** Those whose line is not in the ledger. */
export async function* missingFrom<Line extends { sha256: string }>(
  ledger: Ledger,
  lines: AsyncIterable<Line>,
  signal?: AbortSignal,
): AsyncGenerator<Line> {
  const wanted = new Map<string, Line>();
  const missing = async function* (): AsyncGenerator<Line> {
    for await (const { line } of wanted.size === 0 ? [] : ledger.lines(0)) {
      signal?.throwIfAborted();
      wanted.delete(sha256Of(line));
      if (wanted.size === 0) break;
    }
    yield* wanted.values();
    wanted.clear();
  };
  for await (const line of lines) {
    wanted.set(line.sha256, line);
    if (wanted.size >= wantedAtOnce) yield* missing();
  }
  yield* missing();
}

const newline = 0x0a;
/** No line is longer, bytes. A file without lines would be read into memory whole. */
const longestLine = 1024 * 1024;

function unusable(file: string, cause: unknown): PreavisError {
  return new PreavisError('ledger_unusable', `${file} cannot be used (${errnoOf(cause) ?? 'error'})`, { cause });
}

async function check(file: string): Promise<void> {
  try {
    await (await open(file, constants.O_RDWR | constants.O_APPEND)).close();
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw cause;
    await access(await nearestFolder(dirname(file)), constants.W_OK | constants.X_OK);
  }
  await requireLedgerLock(file);
}

async function openIfThere(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, constants.O_RDONLY);
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined;
    throw cause;
  }
}

/** Whether a line begins there. It may have been so in the file that was in this one's place, before lines were taken out of that. */
async function isBegin(handle: FileHandle, at: number): Promise<boolean> {
  if (at === 0) return true;
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(1), 0, 1, at - 1);

  return bytesRead === 1 && buffer[0] === newline;
}

/** Of one file, also where another one takes its place meanwhile. A last line without an end, as a power cut leaves one, is none. */
async function* linesOf(file: string, from: number): AsyncGenerator<{ line: string; end: number }> {
  const handle = await openIfThere(file);
  if (handle === undefined) return;
  try {
    let end = (await isBegin(handle, from)) ? from : 0;
    let rest = Buffer.alloc(0);
    for await (const chunk of handle.createReadStream({ start: end, autoClose: false }) as AsyncIterable<Buffer>) {
      rest = Buffer.concat([rest, chunk]);
      for (let at = rest.indexOf(newline); at !== -1; at = rest.indexOf(newline)) {
        const line = rest.subarray(0, at).toString('utf8');
        rest = rest.subarray(at + 1);
        end += at + 1;
        if (line !== '') yield { line, end };
      }
      if (rest.length > longestLine) throw noLedger(file);
    }
  } finally {
    await handle.close();
  }
}

function noLedger(file: string): PreavisError {
  return new PreavisError('ledger_unusable', `${file} has a line of more than ${longestLine} bytes: it is no ledger`, {
    hint: 'Restore it from its copy, or move it away and run preavis certificates replay (docs/operations/certificates.md).',
  });
}

/** Copies of lines that a process has left that was killed while it shortened the ledger: under the lock, they are nobody's. */
async function removeLeft(file: string): Promise<void> {
  const start = `${basename(file)}.`;
  for (const name of await readdir(dirname(file))) {
    if (name.startsWith(start) && /^\d+\.tmp$/.test(name.slice(start.length))) {
      await rm(join(dirname(file), name), { force: true });
    }
  }
}

/** Only what certainly was not there is given away: a link in its place may lead to a file that is somebody else's. */
async function openToAppend(file: string): Promise<FileHandle> {
  try {
    const owner = likeThatThere(file);
    const handle = await open(file, 'ax+', 0o600);
    giveAsThere(handle.fd, owner);

    return handle;
  } catch (cause) {
    if (errnoOf(cause) !== 'EEXIST') throw cause;
    return open(file, 'a+', 0o600);
  }
}

type RequireLock = Parameters<Parameters<LedgerLock>[0]>[0];

async function append(file: string, jws: string, requireLock: RequireLock): Promise<void> {
  const handle = await openToAppend(file);
  try {
    const { size } = await handle.stat();
    const last = size === 0 ? undefined : (await handle.read(Buffer.alloc(1), 0, 1, size - 1)).buffer[0];
    await handle.appendFile(last === undefined || last === newline ? `${jws}\n` : `\n${jws}\n`);
    await handle.sync();
    // Else another file may have taken its place, without the line.
    await requireLock();
  } finally {
    await handle.close();
  }
}

async function prune(file: string, isKept: Parameters<Ledger['prune']>[0], requireLock: RequireLock): Promise<void> {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0) return;
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    const target = await open(temporary, 'wx', 0o600);
    try {
      giveAsThere(target.fd, likeThatThere(file));
      for await (const { line } of linesOf(file, 0)) if (await isKept(line)) await target.appendFile(`${line}\n`);
      await target.sync();
    } finally {
      await target.close();
    }
    // Else it may lack what another one has added.
    await requireLock();
    await rename(temporary, file);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw cause;
  }
}

/**
 * Its methods throw PreavisError `ledger_unusable`, and what the lock of the catalogue throws.
 *
 * @param inCatalogue the lock of all who share the catalogue; that of the file, on which one machine counts alone, is within
 */
export function makeLedger(file: string, inCatalogue: LedgerLock = noLedgerLock): Ledger {
  const guarded = async <T>(step: Promise<T>): Promise<T> => {
    try {
      return await step;
    } catch (cause) {
      throw cause instanceof PreavisError ? cause : unusable(file, cause);
    }
  };

  const changing = async <T>(step: (requireLock: RequireLock) => Promise<T>): Promise<T> => {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });

    return inCatalogue((requireLock) =>
      withLedgerLock(file, async () => {
        // What cannot be removed keeps no line out of the ledger: the next step tries it again.
        await removeLeft(file).catch(() => undefined);

        return step(requireLock);
      }),
    );
  };

  return {
    file,
    check: () => guarded(check(file)),
    append: (jws) => guarded(changing((requireLock) => append(file, jws, requireLock))),
    lines: async function* (from, most = Infinity) {
      let count = 0;
      try {
        for await (const each of linesOf(file, from)) {
          yield each;
          if ((count += 1) >= most) return;
        }
      } catch (cause) {
        throw cause instanceof PreavisError ? cause : unusable(file, cause);
      }
    },
    prune: (isKept) => guarded(changing((requireLock) => prune(file, isKept, requireLock))),
  };
}
