import { stat } from 'node:fs/promises';
import { errnoOf, PreavisError } from '../core/errors.ts';
import { readSmall, TooLarge } from '../core/text/yaml.ts';

/** The first line is the secret; a key of 4096 bits in any spelling fits. */
const mostBytes = 16 * 1024;
const others = 0o007;

/**
 * As ssh does with its keys: what everybody on the machine can read is no secret, and what another user owns or anybody
 * can change is not the operator's. The group may read: the service's own, as docs/install.md makes it.
 *
 * @param key whose secret is in the file
 * @throws PreavisError `config_invalid`, with the command that mends it.
 */
export async function refuseOpenSecret(file: string, key: string): Promise<void> {
  const { mode, uid } = await stat(file).catch((cause: unknown) => {
    throw unreadable(key, errnoOf(cause) ?? 'error', cause);
  });
  const me = process.geteuid?.();
  // For root every file is readable whoever owns it, and `sudo preavis check` must work.
  if (me !== undefined && me !== 0 && uid !== 0 && uid !== me) {
    throw new PreavisError('config_invalid', `${key}: the file ${file} belongs to another user (${uid})`, {
      hint: `Give it to root: chown root ${file}`,
    });
  }
  if ((mode & others) === 0) return;
  const shown = (mode & 0o777).toString(8).padStart(4, '0');
  throw new PreavisError('config_invalid', `${key}: every user can open the file ${file} (mode ${shown})`, {
    hint: `Run: chmod o= ${file}. If others have seen it, choose another secret.`,
  });
}

/** The first line of a file that holds a secret. Throws config_invalid, also when others can open it. */
export async function readSecret(file: string, key: string): Promise<string> {
  await refuseOpenSecret(file, key);
  try {
    return ((await readSmall(file, mostBytes)).split('\n')[0] ?? '').trim();
  } catch (cause) {
    throw unreadable(key, cause instanceof TooLarge ? 'it is too large' : (errnoOf(cause) ?? 'error'), cause);
  }
}

function unreadable(key: string, why: string, cause: unknown): PreavisError {
  return new PreavisError('config_invalid', `${key}: the file cannot be read (${why})`, { cause });
}
