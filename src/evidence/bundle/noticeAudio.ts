import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promptFile } from '../../prompts/library.ts';
import { isNotThere, readIfPresent } from '../../core/files.ts';
import { sha256Of } from '../../core/crypto/sha256.ts';

async function wavsOf(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => name.endsWith('.wav')).toSorted();
  } catch (thrown) {
    if (isNotThere(thrown)) return [];
    throw thrown;
  }
}

/**
 * The sound that was played, by its hash: under its own name, else under any name in the folder of its language, where
 * somebody may have kept it. undefined when no file there has this hash; another one is never given in its place.
 */
export async function soundHeard(
  soundsFolder: string,
  { prompt, language, sha256 }: { prompt: string; language: string; sha256: string },
): Promise<Buffer | undefined> {
  const own = promptFile(soundsFolder, { id: prompt, language }, 'wav');
  const found = await readIfPresent(own);
  if (found !== undefined && sha256Of(found) === sha256) return found;
  const folder = join(soundsFolder, language);
  for (const name of await wavsOf(folder)) {
    const other = await readIfPresent(join(folder, name));
    if (other !== undefined && sha256Of(other) === sha256) return other;
  }

  return undefined;
}
