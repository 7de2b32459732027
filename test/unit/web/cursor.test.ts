import fc from 'fast-check';
import * as z from 'zod';
import { makeCursors } from '../../../src/web/cursor.ts';

const cursors = makeCursors('k'.repeat(43));
const place = fc.oneof(
  fc.integer(),
  fc.string({ maxLength: 40 }),
  fc.record({ keepUntil: fc.nat(), id: fc.string({ maxLength: 26 }) }),
);
const filters = fc.dictionary(fc.constantFrom('line', 'purpose', 'from', 'held'), fc.string({ maxLength: 8 }), {
  maxKeys: 3,
});
const asked = fc.record({
  list: fc.constantFrom('GET /calls', 'GET /recordings', 'GET /retention/held'),
  reader: fc.constantFrom('user:anna', 'user:ben', 'token:crm'),
  filters,
});
type Asked = { list: string; reader: string; filters: Record<string, unknown> };

const pagesOf = ({ list, reader, filters: query }: Asked, cursor?: string) =>
  cursors.of(list, reader, { query: { ...query, limit: 50, ...(cursor === undefined ? {} : { cursor }) } });
const sealed = (of: Asked, at: unknown): string => pagesOf(of).next(at) ?? '';
const refused = expect.objectContaining({ code: 'request_invalid' }) as unknown;

test('a cursor leads back to its place, for the same list, filters and reader, whatever the size of the page', () => {
  fc.assert(
    fc.property(asked, place, fc.nat(200), (of, at, limit) => {
      const cursor = sealed(of, at);
      const again = cursors.of(of.list, of.reader, { query: { limit, cursor, ...of.filters } });
      expect(again.begin(z.unknown())).toEqual(at);
    }),
  );
});

test('a cursor counts for no other list, filters or reader', () => {
  fc.assert(
    fc.property(asked, asked, place, (one, other, at) => {
      const names = ({ list, reader, filters: by }: Asked): string =>
        JSON.stringify([list, reader, Object.entries(by).toSorted()]);
      fc.pre(names(one) !== names(other));
      expect(() => pagesOf(other, sealed(one, at)).begin(z.unknown())).toThrow(refused as Error);
    }),
  );
});

test('a cursor with a change anywhere, or of another installation, is refused', () => {
  const of = { list: 'GET /calls', reader: 'user:anna', filters: {} };
  const cursor = sealed(of, 'Z'.repeat(26));
  fc.assert(
    fc.property(fc.nat(cursor.length - 1), fc.constantFrom('A', 'B', '_', '9'), (at, letter) => {
      const changed = `${cursor.slice(0, at)}${letter}${cursor.slice(at + 1)}`;
      const bytes = (text: string): string => Buffer.from(text.slice(2), 'base64url').toString('hex');
      fc.pre(bytes(changed) !== bytes(cursor) || !changed.startsWith('1.'));
      expect(() => pagesOf(of, changed).begin(z.unknown())).toThrow(refused as Error);
    }),
  );
  const elsewhere = makeCursors('j'.repeat(43)).of(of.list, of.reader, { query: {} });
  expect(() => pagesOf(of, elsewhere.next('x') ?? '').begin(z.unknown())).toThrow(refused as Error);
});

test('a cursor has nothing of its place in it, and as many letters for one place as for another of its kind', () => {
  const of = { list: 'GET /retention/held', reader: 'user:anna', filters: {} };
  fc.assert(
    fc.property(fc.nat(), fc.nat(), (one, other) => {
      const [first, second] = [sealed(of, one), sealed(of, other)];
      expect(first).toHaveLength(second.length);
      expect(first).not.toBe(sealed(of, one));
    }),
  );
  const id = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
  const cursor = sealed(of, id);
  expect(`${cursor}${Buffer.from(cursor, 'base64url').toString('latin1')}`).not.toContain(id.slice(0, 8));
});
