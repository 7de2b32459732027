import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { recordingFlags } from '../../../console/src/calls/flags.ts';
import { de } from '../../../console/src/messages/de.ts';
import { en } from '../../../console/src/messages/en.ts';
import { fr } from '../../../console/src/messages/fr.ts';
import { nl } from '../../../console/src/messages/nl.ts';
import { counted, fill, withFrenchSpaces } from '../../../console/src/text/fill.ts';
import { languageOf } from '../../../console/src/text/language.ts';
import { shaped } from '../../../console/src/text/shaped.ts';

/** What the console says, in each of its languages. */

/** Each text by its way through the groups: `list.columns.time`. */
function textsOf(value: unknown, way: string): [string, string][] {
  if (typeof value === 'string') return [[way, value]];

  return Object.entries(value as object).flatMap(([key, each]) => textsOf(each, way === '' ? key : `${way}.${key}`));
}

const english = new Map(textsOf(en, ''));
const others = { fr, nl, de };
const placesOf = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(([place]) => place).sort();

/** These are the same in both languages, and need no translation. */
const sameWords =
  /^(app\.menu|list\.named|app\.live|live\.title|list\.filters|.*\.fileHash|player\.pause|player\.kinds\.pause|live\.pause|roles\.\w+|notes\.collections|collections\.title|app\.collections|unrecorded\.days\.\w+|languageBecause|.*\.languageBecause|notes\.text|retention\.signature|.*\.tags|app\.system|system\.title|list\.collection|figures\.cause)$/;

describe.each(Object.entries(others))('the console in %s', (language, messages) => {
  const texts = new Map(textsOf(messages, ''));

  test('says all that it says in English, and nothing else', () => {
    expect([...texts.keys()].sort()).toEqual([...english.keys()].sort());
  });

  test('has the places of each text', () => {
    const wrong = [...texts].filter(([way, text]) => {
      const wanted = placesOf(english.get(way) ?? '');
      // The only day of a period needs no number.
      if (way === 'unrecorded.days.one') return false;

      return placesOf(text).join() !== wanted.join();
    });
    expect(wrong).toEqual([]);
  });

  test('is translated', () => {
    const same = [...texts].filter(([way, text]) => text === english.get(way) && !sameWords.test(way));
    expect(same).toEqual([]);
  });

  test('has no HTML, no empty text and no space too many', () => {
    expect([...texts].filter(([, text]) => /[<>]|&\w+;| {2}|^ | $/.test(text) || text === '')).toEqual([]);
  });

  test('uses the signs of its typesetting', () => {
    // In French an ordinary space stands before : ; ? !, which becomes one that no line breaks at.
    const wrong = language === 'fr' ? /[^ ][:;?!](?: |$)|\u00a0|'/ : /[^\s] [:;?!](?: |$)|'/;
    expect([...texts].filter(([, text]) => wrong.test(text))).toEqual([]);
  });
});

test('texts that are sent in the order of their keys stand where they were', () => {
  const shape = { one: 0, group: { two: 0, deeper: { three: 0 } }, four: 0 } as const;
  expect(shaped(shape, ['1', '2', '3', '4'])).toEqual({
    one: '1',
    group: { two: '2', deeper: { three: '3' } },
    four: '4',
  });
});

test('French gets spaces that no line breaks at', () => {
  expect(withFrenchSpaces({ asked: 'Vraiment ?', quoted: '« oui »' })).toEqual({
    asked: 'Vraiment\u00a0?',
    quoted: '«\u00a0oui\u00a0»',
  });
});

test('a place of which nothing is known stays, and what is put in is not read again', () => {
  expect(fill('{who} – {other}', { who: '{other}' })).toBe('{other} – {other}');
});

test('it is counted as each language counts', () => {
  const forms = { one: '{count} appel', other: '{count} appels' };
  expect([0, 1, 2].map((count) => counted('fr', forms, count))).toEqual(['0 appel', '1 appel', '2 appels']);
  expect(counted('en', { one: '{count} call', other: '{count} calls' }, 0)).toBe('0 calls');
});

test('the language is the chosen one, then the first of the browser that there is, then English', () => {
  expect(languageOf('nl', ['fr'])).toBe('nl');
  expect(languageOf(null, ['es-ES', 'de-AT', 'fr'])).toBe('de');
  expect(languageOf('xx', ['ja'])).toBe('en');
});

test('each flag of a recording has words, and is one of the page about recordings', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/operations/recordings.md'), 'utf8');
  const table = page.slice(page.indexOf('## Flags'), page.indexOf('## Fetch'));
  const told = [...table.matchAll(/^\| `(\w+)`/gm)].map(([, flag = '']) => flag);
  expect([...recordingFlags].sort()).toEqual(told.sort());
  expect(Object.keys(en.flags).sort()).toEqual(told.sort());
});
