import { randomBytes } from 'node:crypto';
import { link, mkdir, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Config } from '../config/schema.ts';
import { errnoOf, PreavisError } from '../core/errors.ts';
import { readIfPresent, writeNew } from '../core/files.ts';
import { besideCatalogue } from './catalogue.ts';

/**
 * The secret that every `preavis web` of an installation has in common: what one has sealed, the others open, also after a restart. Beside the
 * catalogue and not in it: whoever has a copy of the catalogue can seal nothing.
 */

const bytes = 32;
const form = /^[A-Za-z0-9_-]{43}$/;

/** Two processes that make it at once end with one. */
async function textOf(file: string): Promise<string> {
  const found = await readIfPresent(file);
  if (found !== undefined) return found.toString('utf8').trim();
  const made = randomBytes(bytes).toString('base64url');
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  // Whole when it gets its name: another process may read it in that moment.
  const temporary = `${file}.${process.pid}.${made.slice(0, 6)}`;
  try {
    await writeNew(temporary, `${made}\n`);
    await link(temporary, file);

    return made;
  } catch (cause) {
    if (errnoOf(cause) !== 'EEXIST') throw cause;
    return (await readIfPresent(file))?.toString('utf8').trim() ?? '';
  } finally {
    await rm(temporary, { force: true });
  }
}

/**
 * Made at its first use, for its owner only.
 *
 * @throws PreavisError `web_key_unusable`
 */
export async function openWebKey(config: Pick<Config, 'catalogue'>): Promise<string> {
  const file = besideCatalogue(config, 'web-key');
  try {
    const text = await textOf(file);
    if (((await stat(file)).mode & 0o007) !== 0) {
      throw new PreavisError('web_key_unusable', `every user can open the file ${file}`);
    }
    if (!form.test(text)) throw new PreavisError('web_key_unusable', `the file ${file} does not hold such a key`);

    return text;
  } catch (cause) {
    if (cause instanceof PreavisError) throw cause;
    throw new PreavisError('web_key_unusable', `the file ${file} cannot be used (${errnoOf(cause) ?? ''})`, { cause });
  }
}
