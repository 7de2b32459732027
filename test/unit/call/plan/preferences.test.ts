import {
  makeCallerHash,
  hashKeyId,
  keyOfHash,
  makePreferences,
  type PreferenceTable,
} from '../../../../src/call/plan/preferences.ts';

const key = 'k'.repeat(32);
const hash = (number: string, hashKey = key): string | undefined => makeCallerHash(hashKey, 'BE')(number);

describe('the hash that stands for a caller', () => {
  const belgian = [
    '+3292661234',
    '003292661234',
    '092661234',
    '3292661234',
    '+32 9 266 12 34',
    '+32-9-266-12-34',
    '09/266.12.34',
    '(09) 266 12 34',
    '+32 (0)9 266 12 34',
  ];
  const french = ['+33142685300', '0033142685300', '33142685300', '+33 1 42 68 53 00'];

  test.each([[belgian], [french]])('is one for a number in every form that a trunk may give it: %j', (forms) => {
    const [first = ''] = forms;
    expect(new Set(forms.map((form) => hash(form)))).toEqual(new Set([hash(first)]));
    expect(hash(first)).toMatch(/^k[0-9a-f]{15}\.[0-9a-f]{64}$/);
  });

  test('is another one for another number, and with another key', () => {
    expect(hash('+3292661235')).not.toBe(hash('+3292661234'));
    expect(hash('+3292661234', 'x'.repeat(32))).not.toBe(hash('+3292661234'));
  });

  test('begins with the id of its key, which says nothing of a number', () => {
    expect(keyOfHash(hash('+3292661234') ?? '')).toBe(hashKeyId(key));
    expect(keyOfHash(hash('+3292661235') ?? '')).toBe(hashKeyId(key));
    expect(hashKeyId('x'.repeat(32))).not.toBe(hashKeyId(key));
  });

  test('is not the hash that anybody could make without the key', () => {
    expect(hash('+3292661234')).not.toContain('3292661234');
  });

  test.each([
    '',
    'anonymous',
    'Anonymous',
    'unavailable',
    'restricted',
    'asterisk',
    '1001',
    '202345',
    '+3292661234 ext. 5',
    '١٢٣٤٥٦٧٨',
    '+',
    '\u0000',
    '+32',
    'sip:+3292661234@example.org',
    'tel:+3292661234',
    '"Zebra" <+3292661234>',
    '+3292661234;phone-context=example.org',
    "'; DROP TABLE preferences; --",
    '9'.repeat(65_536),
    `+3292661234${' '.repeat(65_536)}`,
  ])('is none for %j', (number) => {
    expect(hash(number)).toBeUndefined();
  });
});

describe('what is remembered', () => {
  function stage(hashKey: string | undefined = key) {
    const written: [string, string, number][] = [];
    const asked: string[] = [];
    const table: PreferenceTable = {
      find: (caller) => {
        asked.push(caller);
        return Promise.resolve('nl');
      },
      set: (...row) => {
        written.push(row);
        return Promise.resolve();
      },
    };
    const options = { table, keepDays: 30, defaultCountry: 'BE', clock: { now: () => 1_000 } } as const;

    return { preferences: makePreferences({ ...options, hashKey }), written, asked };
  }

  test('is the language under the hash, until so many days from now', async () => {
    const { preferences, written } = stage();
    await preferences.remember('09 266 12 34', 'nl');
    expect(written).toEqual([[hash('+3292661234'), 'nl', 1_000 + 30 * 86_400_000]]);
    expect(JSON.stringify(written)).not.toContain('266');
  });

  test('is found by the same number in another form', async () => {
    const { preferences, asked } = stage();
    expect(await preferences.find('+3292661234')).toBe('nl');
    expect(asked).toEqual([hash('092661234')]);
  });

  test('is nothing for a caller who is not known', async () => {
    const { preferences, written, asked } = stage();
    await preferences.remember('anonymous', 'nl');
    expect(await preferences.find('anonymous')).toBeUndefined();
    expect([written, asked]).toEqual([[], []]);
  });

  test('is nothing at all without a key', async () => {
    const { written, asked } = stage();
    const table: PreferenceTable = {
      find: () => Promise.reject(new Error('asked')),
      set: () => Promise.reject(new Error('written')),
    };
    const without = makePreferences({
      table,
      hashKey: undefined,
      keepDays: 30,
      defaultCountry: 'BE',
      clock: { now: () => 0 },
    });
    await without.remember('+3292661234', 'nl');
    expect(await without.find('+3292661234')).toBeUndefined();
    expect([written, asked]).toEqual([[], []]);
  });
});
