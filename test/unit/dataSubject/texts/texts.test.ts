import { texts } from '../../../../src/dataSubject/texts/texts.ts';

/** Every text, by its place; what makes a text is called with values that show. */
function leaves(node: unknown, path = ''): [string, string][] {
  if (typeof node === 'string') return [[path, node]];
  if (typeof node === 'function') return [[path, (node as (...given: unknown[]) => string)('ONE', 'TWO', 'THREE')]];

  return Object.entries(node as object).flatMap(([name, child]) => leaves(child, `${path}.${name}`));
}

describe('the words of an export', () => {
  const all = Object.entries(texts).map(([language, each]) => [language, new Map(leaves(each))] as const);

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
    for (const [language, { recording, erased, made }] of Object.entries(texts)) {
      const made1 = [recording.hold('ONE', 'TWO', 'THREE'), recording.access('ONE', 'TWO', 'THREE')];
      for (const text of made1) {
        expect([language, ['ONE', 'TWO', 'THREE'].every((each) => text.includes(each))]).toEqual([language, true]);
      }
      expect(erased('ONE', 7)).toMatch(/ONE.*7/);
      expect(erased(null, null)).not.toMatch(/null|\d/);
      expect(made('ONE', 'TWO')).toMatch(/ONE.*TWO/);
    }
  });
});
