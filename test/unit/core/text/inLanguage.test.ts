import { inLanguage, languagesWithout, wordingsOf } from '../../../../src/core/text/inLanguage.ts';

const text = { nl: 'kwaliteit', fr: 'qualité', en: 'quality' };

test.each([
  ['one for all', 'qualité', 'nl', 'qualité'],
  ['that of the language', text, 'fr', 'qualité'],
  ['that of the language for a region', text, 'fr_BE', 'qualité'],
  ['that of the region, where it has one', { ...text, fr_BE: 'qualité (BE)' }, 'fr_BE', 'qualité (BE)'],
  ['the English one for other readers', text, 'de', 'quality'],
  ['the first one where there is no English', { nl: 'kwaliteit', fr: 'qualité' }, 'de', 'kwaliteit'],
  ['no property of objects', { fr: 'qualité' }, 'constructor', 'qualité'],
])('a reader gets %s', (_, given, language, expected) => {
  expect(inLanguage(given, language)).toBe(expected);
});

test('the languages that a text lacks are named', () => {
  expect(languagesWithout('qualité', ['fr', 'de'])).toEqual([]);
  expect(languagesWithout(text, ['fr_BE', 'de', 'nl', 'it'])).toEqual(['de', 'it']);
});

test('all wordings of a text are known', () => {
  expect(wordingsOf('qualité')).toEqual(['qualité']);
  expect(wordingsOf(text)).toEqual(['kwaliteit', 'qualité', 'quality']);
});
