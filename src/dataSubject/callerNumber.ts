import { dialledNumberOf } from '../call/plan/dialledNumber.ts';
import { makeCallerHash } from '../call/plan/preferences.ts';
import type { Config } from '../config/schema.ts';
import { PreavisError } from '../core/errors.ts';
import { isCountry } from '../core/countries.ts';

/** As people write numbers down and copy them: any white space, any dash. */
function tidied(number: string): string {
  return number
    .replace(/\s+/g, ' ')
    .replace(/[\u2010-\u2015]/g, '-')
    .trim();
}

/**
 * The number of a `tel:` URI (RFC 3966), which address books and web pages give; another text as it is. Of its parameters only
 * phone-context is of the number: the digits before it. A domain there is that of a private exchange, whose numbers mean others
 * elsewhere: such a text stays what it is, which is no number.
 */
function withoutUri(text: string): string {
  const [start = '', ...parameters] = text.split(';');
  if (!/^tel:/i.test(start)) return text;
  const number = start.slice('tel:'.length).trim();
  if (number.startsWith('+')) return number;
  const context = parameters.find((each) => /^phone-context=/i.test(each))?.slice('phone-context='.length) ?? '';

  return context === '' || context.startsWith('+') ? `${context}${number}` : text;
}

/**
 * The keyed hash of a number is all that is looked up; the number itself is in no message.
 * @param number in any national or international form, or a `tel:` URI; `-` is the first line of standard input, where no shell keeps it
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
  const given = withoutUri(tidied(number === '-' ? await input() : number));
  const hash = makeCallerHash(privacy.hashKey, defaultCountry)(given);
  if (hash === undefined) {
    throw new PreavisError('usage', '--number is not a telephone number', {
      hint: `Give it whole: with its country, as in +32 ..., or as it is dialled within ${defaultCountry} (notice.defaultCountry).`,
    });
  }

  return hash;
}

/**
 * A number of the company that calls are looked for by, as it is kept.
 *
 * @param number in any national or international form, or a `tel:` URI, or an extension
 * @returns undefined for what is none of these
 */
export function dialledNumberAsked(number: string, { notice }: Pick<Config, 'notice'>): string | undefined {
  const { defaultCountry } = notice;

  return isCountry(defaultCountry) ? dialledNumberOf(withoutUri(tidied(number)), defaultCountry) : undefined;
}

/** For people: the keys that what may be kept of the caller was not looked up by. */
export function notSearched(keys: readonly string[]): string[] {
  return keys.length === 0
    ? []
    : [`not searched: what is kept under another privacy.hashKey (${keys.join(', ')}); see docs/privacy.md`];
}
