/**
 * Puts sound files into Asterisk's sounds folder, all of them or none.
 *
 * They are written into a hidden folder beside their places, so on the same file systems, flushed and read back; then all are
 * renamed. When anything fails, what was renamed goes back. What a killed run leaves are its hidden folder, which a later run removes,
 * and at most some of the files, each complete.
 */
import { chmod, copyFile, lstat, mkdir, readdir, readFile, readlink, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errnoOf, PreavisError } from '../core/errors.ts';
import { flushFolder, writeFlushed } from '../core/files.ts';
import { isAlive } from '../core/processes.ts';

/** `source` becomes `<language>/preavis/<name>` below the sounds folder. */
export type SoundToPlace = { source: string; language: string; name: string };

/** `before`: a copy of what is replaced. */
type Move = { from: string; to: string; before: string | undefined };

const ownFolder = 'preavis';
const stagingName = `.preavis-install-${process.pid}`;
const anyStaging = /^\.preavis-install-(\d+)$/;
const mebibyte = 1024 * 1024;

/**
 * @param sounds Asterisk's sounds folder. Folders that are missing in it are made, for everybody to read; others stay as they are.
 * @throws PreavisError `prompts_missing` with the path at fault; nothing was changed then.
 */
export async function placeSounds(sounds: string, files: readonly SoundToPlace[]): Promise<void> {
  const stagings = new Set<string>();
  const done: Move[] = [];
  let bytes = 0;
  try {
    const moves: Move[] = [];
    for (const language of new Set(files.map((file) => file.language))) {
      const place = await placeOf(sounds, language);
      if (!stagings.has(place.staging)) {
        await named(place.staging, () => mkdir(place.staging, { mode: 0o700 }));
        stagings.add(place.staging);
      }
      for (const folder of place.made) await named(place.final, () => makeReadable(folder));
      const ofLanguage = files.filter((file) => file.language === language);
      for (const { source, name } of ofLanguage) {
        const to = join(place.final, name);
        const from = join(place.tree, name);
        await named(to, async () => {
          bytes += await writeAndReadBack(from, await readFile(source));
        });
        if (place.whole === undefined) moves.push({ from, to, before: await copyOf(to, `${from}.before`) });
      }
      if (place.whole !== undefined) moves.push({ ...place.whole, before: undefined });
    }
    for (const move of moves) {
      await named(move.to, () => rename(move.from, move.to));
      done.push(move);
    }
    for (const folder of new Set(done.map(({ to }) => dirname(to)))) await named(folder, () => flushFolder(folder));
  } catch (thrown) {
    const left = await undone(done);
    const error = thrown instanceof Unplaced ? refusal(thrown, bytes, left) : thrown;
    await removeStagings(stagings);
    throw error;
  }
  await removeStagings(stagings);
}

/** Where the files of a language are written first, and what is renamed: one folder as a whole where it is not there yet. */
type Place = {
  staging: string;
  tree: string;
  /** Folders to make in `staging`, in their order. */
  made: string[];
  final: string;
  whole: { from: string; to: string } | undefined;
};

async function placeOf(sounds: string, language: string): Promise<Place> {
  const folder = join(sounds, language);
  const final = join(folder, ownFolder);
  if (!(await isFolder(folder))) {
    const staging = join(sounds, stagingName);
    const from = join(staging, language);
    const tree = join(from, ownFolder);
    return { staging, tree, made: [from, tree], final, whole: { from, to: folder } };
  }
  if (!(await isFolder(final))) {
    const staging = join(folder, stagingName);
    const tree = join(staging, ownFolder);
    return { staging, tree, made: [tree], final, whole: { from: tree, to: final } };
  }
  const staging = join(final, stagingName);

  return { staging, tree: staging, made: [], final, whole: undefined };
}

/** What could not be done, at which path. */
class Unplaced extends Error {
  readonly path: string;
  readonly reason: string;

  constructor(path: string, reason: string, cause: unknown) {
    super(`${path} (${reason})`, { cause });
    this.path = path;
    this.reason = reason;
  }
}

async function named<T>(path: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    if (cause instanceof Unplaced) throw cause;
    const code = errnoOf(cause);
    if (code === undefined) throw cause;
    throw new Unplaced(path, code, cause);
  }
}

/** A link to a folder is one; a link that leads nowhere is a fault, and so is anything else. */
async function isFolder(path: string): Promise<boolean> {
  return named(path, async () => {
    const entry = await lstat(path).catch((thrown: unknown) => {
      if (errnoOf(thrown) === 'ENOENT') return undefined;
      throw thrown;
    });
    if (entry === undefined) return false;
    const end = entry.isSymbolicLink() ? await linked(path) : entry;
    if (end.isDirectory()) return true;
    throw new Unplaced(path, 'it is not a folder', undefined);
  });
}

async function linked(path: string): ReturnType<typeof stat> {
  try {
    return await stat(path);
  } catch (cause) {
    const code = errnoOf(cause);
    if (code !== 'ENOENT' && code !== 'ELOOP') throw cause;
    throw new Unplaced(path, `a link to ${await readlink(path)}, which is not there`, cause);
  }
}

/** What a run has left that was killed, also where nothing is to be placed any more. What cannot be removed is in nobody's way. */
export async function removeLeftStagings(sounds: string, languages: readonly string[]): Promise<void> {
  const ofLanguages = languages.flatMap((language) => [join(sounds, language), join(sounds, language, ownFolder)]);
  for (const folder of [sounds, ...ofLanguages]) {
    for (const name of await readdir(folder).catch(() => [])) {
      const [, pid] = anyStaging.exec(name) ?? [];
      if (pid === undefined || (Number(pid) !== process.pid && isAlive(Number(pid)))) continue;
      await rm(join(folder, name), { recursive: true, force: true }).catch(() => undefined);
    }
  }
}

/** Whatever the umask. */
async function makeReadable(folder: string): Promise<void> {
  await mkdir(folder);
  await chmod(folder, 0o755);
}

async function writeAndReadBack(path: string, bytes: Buffer): Promise<number> {
  await writeFlushed(path, bytes, 'wx');
  if (!(await readFile(path)).equals(bytes)) throw new Unplaced(path, 'it does not read back as written', undefined);

  return bytes.length;
}

/** Of what is replaced; undefined where nothing is. */
async function copyOf(file: string, copy: string): Promise<string | undefined> {
  return named(file, async () => {
    try {
      await copyFile(file, copy);
      return copy;
    } catch (thrown) {
      if (errnoOf(thrown) === 'ENOENT') return undefined;
      throw thrown;
    }
  });
}

/** Takes back what was renamed, the last first; gives the paths where that did not work. */
async function undone(moves: readonly Move[]): Promise<string[]> {
  const left: string[] = [];
  for (const { from, to, before } of [...moves].reverse()) {
    await (before === undefined ? rename(to, from) : rename(before, to)).catch(() => left.push(to));
  }

  return left;
}

/** What is left is taken away by the next run. */
async function removeStagings(stagings: ReadonlySet<string>): Promise<void> {
  for (const staging of stagings) await rm(staging, { recursive: true, force: true }).catch(() => undefined);
}

function hintOf(reason: string, bytes: number): string {
  switch (reason) {
    case 'EACCES':
    case 'EPERM':
      return 'Run it as a user who may write there, for example with sudo.';
    case 'EROFS':
      return 'That file system is read-only: mount it for writing, then run it again.';
    case 'ENOSPC':
    case 'EDQUOT':
      return `Free space on its disk, then run it again: it was full after ${Math.floor(bytes / mebibyte)} MiB.`;
    default:
      return 'Mend or remove that path, then run it again.';
  }
}

function refusal(thrown: Unplaced, bytes: number, left: readonly string[]): PreavisError {
  const state = left.length === 0 ? 'Nothing was copied' : `These could not be taken back: ${left.join(', ')}`;

  return new PreavisError('prompts_missing', `${state}: ${thrown.message}`, {
    cause: thrown,
    hint: hintOf(thrown.reason, bytes),
  });
}
