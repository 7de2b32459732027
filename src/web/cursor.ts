import * as z from 'zod';
import { isUlid, type CallId } from '../core/ids.ts';

/**
 * Where a list goes on: `1.` and the id of the last call that was looked at. Whoever makes one up gets a list from another place on, of
 * what they may see, and nothing else: so it is checked and not signed. The number is the version of this form.
 */
const version = '1.';

export const cursorOf = (last: CallId | undefined): string | null =>
  last === undefined ? null : Buffer.from(version + last, 'latin1').toString('base64url');

export const cursor = z
  .string()
  .max(100)
  .transform((text, context): CallId => {
    const read = Buffer.from(text, 'base64url').toString('latin1');
    const id = read.startsWith(version) ? read.slice(version.length) : '';
    if (isUlid(id)) return id as CallId;
    context.addIssue('is not a cursor of this list');

    return z.NEVER;
  });
