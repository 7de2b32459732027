import { subjectLanguages } from '../../../src/dataSubject/languages.ts';
import { loadSubjectTexts } from '../../../src/dataSubject/texts.ts';

const texts = await Promise.all(
  subjectLanguages.map(async (language) => [language, await loadSubjectTexts(language)] as const),
);

/** Every text, by its place; what makes a text is called with values that show. */
function leaves(node: unknown, path = ''): [string, string][] {
  if (typeof node === 'string') return [[path, node]];
  if (typeof node === 'function') {
    const given = new Proxy({}, { get: (_none, name) => `<${String(name)}>` });

    return [[path, (node as (given: unknown) => string)(/\.(count|unreadable|length)$/.test(path) ? 7 : given)]];
  }

  return Object.entries(node as object).flatMap(([name, child]) => leaves(child, `${path}.${name}`));
}

describe('the words of an export', () => {
  const all = texts.map(([language, each]) => [language, new Map(leaves(each))] as const);

  test('are there in each language, and none is that of another', () => {
    const [[, first] = ['', new Map<string, string>()]] = all;
    const alike = /\.(contact)$/;
    for (const [language, words] of all) {
      expect([language, [...words.keys()]]).toEqual([language, [...first.keys()]]);
      for (const [path, text] of words) {
        expect([language, path, text.trim().length > 1]).toEqual([language, path, true]);
        if (alike.test(path) || path === '.locale') continue;
        const same = all.filter(([other, others]) => other !== language && others.get(path) === text);
        expect([path, same.map(([other]) => other)]).toEqual([path, []]);
      }
    }
  });

  test('put in all that they are given', () => {
    for (const [language, { recording, erased, erasedOn, erasedCertified, erasedOnCertified, made, calls }] of texts) {
      const made1 = [
        recording.hold({ why: 'ONE', from: 'TWO', until: 'THREE' }),
        recording.accessFor({ what: 'ONE', time: 'TWO', purpose: 'THREE' }),
      ];
      for (const text of made1) {
        expect([language, ['ONE', 'TWO', 'THREE'].every((each) => text.includes(each))]).toEqual([language, true]);
      }
      expect(recording.access({ what: 'ONE', time: 'TWO' })).toMatch(/TWO.*ONE/);
      expect(erasedOnCertified({ time: 'ONE', certificate: 7 })).toMatch(/ONE.*7/);
      expect(erasedOn({ time: 'ONE' })).toMatch(/ONE/);
      expect(erasedCertified({ certificate: 7 })).toMatch(/7/);
      expect(erased).not.toMatch(/null|\d/);
      expect(made({ time: 'ONE', timezone: 'TWO' })).toMatch(/ONE.*TWO/);
      expect(calls.unreadable(7)).toMatch(/^7 /);
    }
  });

  test('count seconds, and calls that cannot be read, as each language does', () => {
    const counted = texts.map(([language, { calls, recording }]) => [
      language,
      ...[1, 2].map(recording.length),
      ...[1, 2].map((count) => calls.unreadable(count).split('. ')[0]),
    ]);
    expect(counted).toEqual([
      ['fr', '1 seconde', '2 secondes', '1 de vos appels n’a pas pu être lu', '2 de vos appels n’ont pas pu être lus'],
      [
        'nl',
        '1 seconde',
        '2 seconden',
        '1 van uw gesprekken kon niet worden gelezen',
        '2 van uw gesprekken konden niet worden gelezen',
      ],
      [
        'de',
        '1 Sekunde',
        '2 Sekunden',
        '1 Ihrer Gespräche konnte nicht gelesen werden',
        '2 Ihrer Gespräche konnten nicht gelesen werden',
      ],
      ['en', '1 second', '2 seconds', '1 of your calls could not be read', '2 of your calls could not be read'],
    ]);
  });

  test('count calls as each language does', () => {
    const counted = texts.map(([language, { calls }]) => [language, ...[0, 1, 2, 1_000_000].map(calls.count)]);
    expect(counted).toEqual([
      ['fr', '0 appel', '1 appel', '2 appels', '1000000 appels'],
      ['nl', '0 gesprekken', '1 gesprek', '2 gesprekken', '1000000 gesprekken'],
      ['de', '0 Gespräche', '1 Gespräch', '2 Gespräche', '1000000 Gespräche'],
      ['en', '0 calls', '1 call', '2 calls', '1000000 calls'],
    ]);
  });
});
