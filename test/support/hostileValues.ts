import fc from 'fast-check';

/** Values that nobody expects, for the properties of hostile input. */

const surrogates = { first: 0xd800, count: 0x800 };

/**
 * Any code point that can stand alone: what fast-check has as the unit `binary`. That one lists all of them, to find out what a
 * given text is made of, and needs a second for it in each file of tests.
 */
export const anyCodePoint: fc.Arbitrary<string> = fc.nat({ max: 0x10ffff - surrogates.count }).map(
  (index) => String.fromCodePoint(index < surrogates.first ? index : index + surrogates.count),
  (text) => {
    const point = typeof text === 'string' ? (text.codePointAt(0) ?? -1) : -1;
    const isSurrogate = point >= surrogates.first && point < surrogates.first + surrogates.count;
    if (point < 0 || isSurrogate || String.fromCodePoint(point) !== text) throw new Error('not one code point');

    return point < surrogates.first ? point : point - surrogates.count;
  },
);

/** Texts that programs stumble over: of any Unicode, lone surrogates, names of methods, long, with control characters. */
export function hostileText(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: anyCodePoint }),
    fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 }).map((units) => String.fromCharCode(...units)),
    fc.constantFrom(
      '',
      ' ',
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      '\u0000',
      '\ud800',
      '\u202e',
      '../../etc/passwd',
      '%2e%2e%2f',
      "'; DROP TABLE calls;--",
      '${HOOK(x)}',
      'NaN',
      '-0',
      '1e999',
      '9'.repeat(400),
    ),
    fc
      .tuple(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 3 }), fc.integer({ min: 1, max: 20_000 }))
      .map(([text, count]) => text.repeat(count)),
  );
}

/** Any JSON, with keys and texts of that kind. */
export function hostileJson(): fc.Arbitrary<unknown> {
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.oneof(
        hostileText(),
        fc.double(),
        fc.integer(),
        fc.constantFrom(null, true, false, Number.NaN, Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER + 1),
        fc.constantFrom(...['[]', '{}', '{"__proto__":{"polluted":1}}'].map((json): unknown => JSON.parse(json))),
        fc.integer({ min: 10, max: 4_000 }).map(deep),
      ),
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.array(fc.tuple(hostileText(), tie('tree')), { maxLength: 4 }).map(ownKeys),
    ),
  }));

  return tree;
}

/** As JSON.parse makes it: `__proto__` is a key like any other. */
function ownKeys(entries: [string, unknown][]): unknown {
  return Object.fromEntries(entries);
}

function deep(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { a: value };

  return value;
}

type Change = { place: number; how: 'drop' | 'replace' | 'add'; key: string; value: unknown };

/** What commonly stands where another kind of value should. */
const wrongValues: readonly unknown[] = [
  undefined,
  null,
  true,
  '',
  ' ',
  'x',
  '9'.repeat(10_000),
  -1,
  1.5,
  1e308,
  Number.NaN,
  [],
  [1],
  [[]],
  {},
  { id: 1 },
];

/** The sample with each of its places, however deep, replaced by each of those values in turn. */
export function* everyReplacement(sample: unknown, values = wrongValues): Generator {
  const count = places(sample).length;
  for (let place = 0; place < count; place += 1) {
    for (const value of values) yield changed(structuredClone(sample), { place, how: 'replace', key: '', value });
  }
}

/** The sample with a few of its places dropped, replaced or added to, however deep they lie. */
export function mutated(samples: readonly unknown[], most = 3): fc.Arbitrary<unknown> {
  const change: fc.Arbitrary<Change> = fc.record({
    place: fc.nat(),
    how: fc.constantFrom('drop', 'replace', 'add'),
    key: hostileText(),
    value: hostileJson(),
  });

  return fc
    .tuple(fc.constantFrom(...samples), fc.array(change, { minLength: 1, maxLength: most }))
    .map(([sample, changes]) => changes.reduce(changed, structuredClone(sample)));
}

type Place = { holder: Record<string, unknown>; key: string };

function places(value: unknown, found: Place[] = []): Place[] {
  if (typeof value !== 'object' || value === null) return found;
  const holder = value as Record<string, unknown>;
  for (const key of Object.keys(holder)) {
    found.push({ holder, key });
    if (found.length < 500) places(holder[key], found);
  }

  return found;
}

function changed(value: unknown, { place, how, key, value: other }: Change): unknown {
  const all = places(value);
  const chosen = all[place % Math.max(1, all.length)];
  if (chosen === undefined) return other;
  const { holder } = chosen;
  if (how === 'drop') Reflect.deleteProperty(holder, chosen.key);
  else if (how === 'replace') define(holder, chosen.key, other);
  else define(holder, key, other);

  return value;
}

/** Assignment to `__proto__` would be another thing. */
function define(holder: object, key: string, value: unknown): void {
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Bytes of a file with some of them changed, taken out, doubled or cut off. */
export function mutatedBytes(samples: readonly Buffer[]): fc.Arbitrary<Buffer> {
  const edit = fc.record({
    at: fc.nat(),
    how: fc.constantFrom('flip', 'cut', 'remove', 'insert', 'repeat'),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 16 }),
  });

  return fc.tuple(fc.constantFrom(...samples), fc.array(edit, { minLength: 1, maxLength: 4 })).map(([sample, edits]) =>
    edits.reduce((content, { at, how, bytes }) => {
      const place = at % Math.max(1, content.length);
      const [before, after] = [content.subarray(0, place), content.subarray(place)];
      if (how === 'cut') return Buffer.from(before);
      if (how === 'insert') return Buffer.concat([before, bytes, after]);
      if (how === 'remove') return Buffer.concat([before, after.subarray(bytes.length)]);
      if (how === 'repeat') return Buffer.concat([before, after.subarray(0, bytes.length), after]);

      return Buffer.concat([before, bytes, after.subarray(bytes.length)]);
    }, sample),
  );
}
