import { PreavisError } from '../core/errors.ts';

/** What is typed after an option. All of these throw usage, which repeats nothing of it. */

/** How many a list shows at most, as --limit has it. */
export function parseLimit(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new PreavisError('usage', '--limit is a number from 1');

  return Number(text);
}

/** A time limit of at most an hour, in ms. */
export function parseSeconds(option: string, text: string): number {
  const seconds = /^[1-9]\d{0,3}$/.test(text) ? Number(text) : 0;
  if (seconds === 0 || seconds > 3_600)
    throw new PreavisError('usage', `${option} is a number of seconds from 1 to 3600`);

  return seconds * 1_000;
}

export function oneOf<Word extends string>(option: string, text: string, words: readonly Word[]): Word {
  const found = words.find((word) => word === text);
  if (found === undefined) throw new PreavisError('usage', `${option} is one of ${words.join(', ')}`);

  return found;
}

/** Of --output, or another option that names a file. Standard output is for words. */
export function requireFileName(text: string, option = '--output'): void {
  if (text === '' || text === '-') throw new PreavisError('usage', `${option} is the name of a file`);
}

/** The form of a purpose's id. Anything else goes into no audit trail. */
export function requirePurposeName(text: string): void {
  if (!/^[a-z][a-z0-9-]{0,39}$/.test(text)) throw new PreavisError('usage', '--purpose is the name of a purpose');
}
