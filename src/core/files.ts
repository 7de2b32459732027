import { readFile } from 'node:fs/promises';
import { errnoOf } from './errors.ts';

/** The file's bytes; undefined if there is no such file. Throws what Node throws for any other fault. */
export async function readIfPresent(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (thrown) {
    if (errnoOf(thrown) === 'ENOENT') return undefined;
    throw thrown;
  }
}
