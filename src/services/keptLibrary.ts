import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import type { PromptLibrary } from '../prompts/library.ts';
import { loadLibrary, soundsFolder } from './prompts.ts';

export type KeptLibrary = () => Promise<PromptLibrary>;

/** What shows that a file is another one; none of one that is gone. */
async function markOf(file: string): Promise<string> {
  const found = await stat(file).catch(() => undefined);

  return found === undefined ? '' : [file, found.ino, found.size, found.mtimeMs, found.ctimeMs].join(' ');
}

const within = (folder: string): Promise<string[]> =>
  readdir(folder).then(
    (names) => names.map((name) => join(folder, name)),
    // A file, or gone.
    () => [],
  );

/** Of all that a library is read from. */
async function marksOf(config: Config): Promise<string> {
  const top = await within(soundsFolder(config));
  const all = [...top, ...(await Promise.all(top.map(within))).flat()];

  return (await Promise.all(all.filter((file) => /\.(wav|yaml|json)$/.test(file)).map(markOf))).join('\n');
}

/**
 * The prompts, as their files are now. To read and to hash all of them takes 50 ms of processor time and more, so that is done again only where
 * a file has changed.
 *
 * @returns asks as `loadLibrary` does, and throws what it throws
 */
export function keepLibrary(config: Config): KeptLibrary {
  let kept: { marks: string; library: PromptLibrary } | undefined;
  let reading: Promise<PromptLibrary> | undefined;
  const readAnew = async (marks: string): Promise<PromptLibrary> => {
    const library = await loadLibrary(config);
    // Files that changed meanwhile have other marks than these.
    kept = { marks, library };

    return library;
  };

  return async () => {
    const marks = await marksOf(config);
    if (kept?.marks === marks) return kept.library;

    return (reading ??= readAnew(marks).finally(() => {
      reading = undefined;
    }));
  };
}
