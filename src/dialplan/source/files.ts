import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errnoOf, PreavisError } from '../../core/errors.ts';
import type { ConfigFiles } from './statements.ts';

/** Files of Asterisk's configuration on the disk. */

/** Nobody writes so much by hand, and FreePBX generates some 2 MiB. */
const largestFile = 32 * 1_048_576;
const mostMatches = 1_000;

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Throws dialplan_unreadable; undefined where there is no such file. */
async function textOf(path: string): Promise<string | undefined> {
  const unreadable = (why: string, cause?: unknown): PreavisError =>
    new PreavisError('dialplan_unreadable', `${path}: ${why}`, { cause });
  try {
    const found = await stat(path);
    // Reading a pipe or a device may never end.
    if (!found.isFile()) throw unreadable(found.isDirectory() ? 'it is a folder' : 'it is no file');
    if (found.size > largestFile) throw unreadable(`it is larger than ${largestFile / 1_048_576} MiB`);
    const text = await readFile(path, 'utf8');
    if (text.includes('\0')) throw unreadable('it is no text');

    return text;
  } catch (thrown) {
    if (thrown instanceof PreavisError) throw thrown;
    if (errnoOf(thrown) === 'ENOENT' || errnoOf(thrown) === 'ENOTDIR') return undefined;
    throw unreadable(errnoOf(thrown) ?? 'error', thrown);
  }
}

/** `*`, `?` and `[...]` of a shell, in the name of one file or folder. */
function expressionOf(name: string): RegExp {
  const body = name.replace(/\[[^\]]*\]|[\\^$.*+?()[\]{}|]/g, (sign) => {
    if (sign === '*') return '[^/]*';
    if (sign === '?') return '[^/]';

    return /^\[.+\]$/.test(sign) ? `[${sign.slice(1, -1).replace(/[\\^]/g, '\\$&')}]` : `\\${sign}`;
  });
  try {
    return new RegExp(`^${body}$`);
  } catch {
    return /^\b$/;
  }
}

async function matches(pattern: string): Promise<string[]> {
  let found = [pattern.startsWith('/') ? '/' : ''];
  for (const part of pattern.split('/').filter((each) => each !== '')) {
    const isGlob = /[*?[]/.test(part);
    const expression = isGlob ? expressionOf(part) : undefined;
    const deeper = await Promise.all(
      found.map(async (folder) => {
        if (expression === undefined) return [join(folder, part)];
        const names = await readdir(folder === '' ? '.' : folder).catch(() => []);

        // As a shell does, and Asterisk with it: hidden files are not meant.
        return names.filter((name) => !name.startsWith('.') && expression.test(name)).map((name) => join(folder, name));
      }),
    );
    found = deeper.flat().slice(0, mostMatches);
  }
  const there = await Promise.all(found.map(exists));

  return found.filter((_, index) => there[index]).toSorted();
}

/**
 * @param etc Asterisk's configuration folder, where names of includes begin; undefined: the folder of the file that includes, then that of
 * the first file
 */
export function configFiles(first: string, etc: string | undefined): ConfigFiles {
  return {
    read: textOf,
    included: async (pattern, from) => {
      if (pattern.startsWith('/')) return matches(pattern);
      for (const folder of etc === undefined ? [dirname(from), dirname(first)] : [etc]) {
        const found = await matches(join(folder, pattern));
        if (found.length > 0) return found;
      }

      return [];
    },
  };
}
