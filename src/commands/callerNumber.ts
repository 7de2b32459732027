import { callerHash } from '../call/preferences.ts';
import type { Config } from '../config/schema.ts';
import { PreavisError } from '../core/errors.ts';
import { isCountry } from '../core/phoneNumbers.ts';

/** As people write numbers down and copy them: any white space, any dash. */
function tidied(number: string): string {
  return number
    .replace(/\s+/g, ' ')
    .replace(/[\u2010-\u2015]/g, '-')
    .trim();
}

/**
 * The keyed hash of a number is all that is looked up; the number itself is in no message.
 * @param number in any national or international form; `-` is the first line of standard input, where no shell keeps it
 * @param input gives that line
 * @throws PreavisError `usage` for what is no number, `config_invalid` without the key
 */
export async function hashOfNumber(
  number: string,
  input: () => Promise<string>,
  { notice, privacy }: Pick<Config, 'notice' | 'privacy'>,
): Promise<string> {
  const { defaultCountry } = notice;
  if (!isCountry(defaultCountry)) {
    throw new PreavisError('config_invalid', `notice.defaultCountry: ${defaultCountry} is not a country`);
  }
  if (privacy.hashKey === undefined) {
    throw new PreavisError('config_invalid', 'privacy.hashKey: is missing, and without it no caller is known again');
  }
  const hash = callerHash(tidied(number === '-' ? await input() : number), privacy.hashKey, defaultCountry);
  if (hash === undefined) throw new PreavisError('usage', '--number is not a telephone number');

  return hash;
}
