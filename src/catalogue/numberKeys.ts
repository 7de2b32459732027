import { makeNumberReader } from '../call/plan/callerStore.ts';
import { bareHash, hashKeyId, keyOfHash } from '../call/plan/preferences.ts';
import type { Config } from '../config/schema.ts';
import { asPreavisError, PreavisError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { CataloguePart } from './catalogue.ts';

/** Whether callers are kept under the keys that are configured: a person's calls under another one are not found. */

/**
 * What a person's number is looked up by: what was kept of them before hashes named their key is found as well from now on.
 *
 * @returns the ids of other keys that some calls are kept under
 * @throws PreavisError `number_key_wrong` where all are; and what the catalogue throws
 */
export async function prepareSearch(
  catalogue: CataloguePart<{ callers: 'hashKeys' | 'claim' }>,
  hash: string,
): Promise<string[]> {
  await catalogue.callers.claim(hash, bareHash(hash));

  return otherHashKeys(catalogue, keyOfHash(hash));
}

async function otherHashKeys(catalogue: CataloguePart<{ callers: 'hashKeys' }>, own: string): Promise<string[]> {
  const used = await catalogue.callers.hashKeys();
  if (used.length > 0 && !used.includes(own)) {
    throw new PreavisError(
      'number_key_wrong',
      `privacy.hashKey has the id ${own}, and all calls are kept under ${used.join(' and ')}`,
    );
  }

  return used.filter((id) => id !== own);
}

/**
 * What is to be told of the configured keys, if anything.
 *
 * @param catalogue undefined before there is one
 * @throws PreavisError `number_key_wrong` where no call from before would be found, or no number be read; and what the catalogue throws
 */
export async function numberKeyWarning(
  { privacy: { hashKey, numberKey } }: Pick<Config, 'privacy'>,
  catalogue: CataloguePart<{ callers: 'hashKeys' | 'newestSealed' }> | undefined,
): Promise<string | undefined> {
  if (hashKey === undefined) {
    const kept = (await catalogue?.callers.hashKeys()) ?? [];
    if (kept.length === 0) return 'cannot be answered: without privacy.hashKey it is not kept whose call it was';
    throw new PreavisError(
      'number_key_wrong',
      `privacy.hashKey is missing, and calls are kept under ${kept.join(' and ')}`,
    );
  }
  if (catalogue === undefined) return undefined;
  const others = await otherHashKeys(catalogue, hashKeyId(hashKey));
  const newest = numberKey === undefined ? undefined : await catalogue.callers.newestSealed();
  if (newest !== undefined && makeNumberReader(numberKey)(newest) === undefined) {
    throw new PreavisError('number_key_wrong', 'privacy.numberKey does not open the newest number that is kept');
  }

  return others.length === 0
    ? undefined
    : `calls that are kept under another privacy.hashKey (${others.join(', ')}) are not found by it`;
}

/** For `serve`, which goes on: the keys may have been changed on purpose, and calls are kept under those of now. */
export async function tellWrongNumberKeys(
  config: Pick<Config, 'privacy'>,
  catalogue: CataloguePart<{ callers: 'hashKeys' | 'newestSealed' }>,
  log: Logger,
): Promise<void> {
  try {
    await numberKeyWarning(config, catalogue);
  } catch (thrown) {
    const { code, message } = asPreavisError(thrown);
    if (code !== 'number_key_wrong') throw thrown;
    log.warn({ code, problem: message }, 'earlier calls not searchable by number');
  }
}
