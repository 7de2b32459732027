import { PreavisError } from '../core/errors.ts';

/** How many a list shows at most, as --limit has it. Throws usage. */
export function parseLimit(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new PreavisError('usage', '--limit is a number from 1');

  return Number(text);
}
