import * as z from 'zod';
import { makeFieldCipher } from '../core/crypto/fieldEncryption.ts';
import { RequestInvalid } from './problems.ts';

/**
 * Where a list goes on, for the program that has read a page of it. What a list has looked at may be out of the reader's scope: so a cursor is
 * sealed, and tells nothing but to this installation. It counts for the list, the filters and the reader that it was made for.
 */

export const cursor = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,600}$/, 'is not a cursor of this list')
  .describe('`next` of the page before, asked by the same user or program with the same filters.');

/** The pages of one list, for one reader. */
export type Pages = {
  /**
   * Where this page begins; undefined: the first one.
   *
   * @throws RequestInvalid for what was made up, changed, or made for another list, other filters or another reader
   */
  begin<Place>(form: z.ZodType<Place>): Place | undefined;
  /** The cursor of the next page. */
  next(place: unknown): string | null;
};

type Asked = Readonly<Record<string, unknown>>;

/** What a list is asked for: how much of it at a time is no part of that. */
function placeOf(list: string, reader: string, parts: readonly unknown[]): string {
  const filters = parts.map((part) =>
    Object.entries((part ?? {}) as Asked)
      .filter(([name, value]) => name !== 'cursor' && name !== 'limit' && value !== undefined)
      .toSorted(([one], [other]) => (one < other ? -1 : 1)),
  );

  return JSON.stringify([list, reader, filters]);
}

/** @param secret that all processes of an installation share */
export function makeCursors(secret: string): {
  of: (list: string, reader: string, asked: { params?: unknown; query?: unknown; body?: unknown }) => Pages;
} {
  const cipher = makeFieldCipher(secret, 'preavis web cursors');

  return {
    of: (list, reader, { params, query, body }) => {
      const where = placeOf(list, reader, [params, query, body]);
      const refused = (part: string): RequestInvalid =>
        new RequestInvalid([{ where: `${part}.cursor`, message: 'is not a cursor of this list' }]);

      return {
        begin: (form) => {
          const inQuery = (query as Asked | undefined)?.['cursor'];
          const given = inQuery ?? (body as Asked | undefined)?.['cursor'];
          if (typeof given !== 'string') return undefined;
          const text = cipher.decrypt(given, where);
          if (text === undefined) throw refused(inQuery === undefined ? 'body' : 'query');

          // Sealed here: another form is one of another release.
          const read = form.safeParse(JSON.parse(text));
          if (!read.success) throw refused(inQuery === undefined ? 'body' : 'query');

          return read.data;
        },
        next: (place) => (place === undefined ? null : cipher.encrypt(JSON.stringify(place), where)),
      };
    },
  };
}
