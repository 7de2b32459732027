import { longWaits, neverShorterInWords, waitsInWords, waitsOf, type LineWait } from '../../../src/policy/waits.ts';
import { makePromptLibrary, type Prompt } from '../../../src/prompts/library.ts';
import { aPrompt, configTree } from '../../support/call/calls.ts';
import { aLibrary, aPolicy } from '../../support/policy/policies.ts';

type Tree = { purposes: Record<string, object>; lines: Record<string, object>; consent?: object };

/** The makers' library has sentences of one second each; two of them are a notice. */
function waits(
  change: (tree: Tree) => void,
  replaced: (prompt: Prompt) => Prompt = (prompt) => prompt,
  more: Prompt[] = [],
): LineWait[] {
  const tree = structuredClone(configTree()) as Tree;
  delete tree.lines['orders'];
  tree.lines['default'] = { purposes: ['training'], defaultLanguages: ['fr'] };
  change(tree);
  const library = aLibrary();

  return waitsOf(aPolicy(tree, makePromptLibrary(library.languages, [...library.prompts.map(replaced), ...more])));
}

const nothing = (): void => undefined;
const seconds = (list: readonly LineWait[]): string[] =>
  list.map(({ languages, consent, spokenMs }) => `${languages.join('+')} ${consent} ${spokenMs / 1_000}`);

describe('what a caller waits', () => {
  test('is the notice in each language of the line', () => {
    expect(seconds(waits(nothing))).toEqual(['fr announce 2', 'nl announce 2', 'de announce 2', 'en announce 2']);
  });

  test('is both of two default languages, each whole', () => {
    const two = waits((tree) => {
      tree.lines['default'] = { purposes: ['training'], defaultLanguages: ['fr', 'nl'] };
    });
    expect(seconds(two).at(-1)).toBe('fr+nl announce 4');
  });

  test('has the question of each mode that a caller can have, and the wait for who says nothing', () => {
    const asked = waits((tree) => {
      Object.assign(tree.purposes['training'] ?? {}, { consent: 'optOut', optInForCountries: ['DE'] });
      tree.consent = { waitSeconds: 7 };
    });
    expect(seconds(asked.filter(({ languages }) => languages[0] === 'fr'))).toEqual(['fr optOut 3', 'fr optIn 3']);
    expect(asked.map(({ silenceMs }) => silenceMs / 1_000)).toEqual([0, 0, 0, 0, 7, 7, 7, 7]);
  });

  test('has the languages that are offered before, and the wait for a key', () => {
    const offered = waits((tree) => {
      tree.lines['default'] = { purposes: ['training'], defaultLanguages: ['fr'], askLanguage: true };
    });
    expect(offered[0]?.menuMs).toBe(4_000 + 4_000);
  });

  test('has the sentences of the company, which are not held to a length', () => {
    const company = aPrompt({ id: 'company', kind: 'company', purposes: [], wording: null, lengthMs: 9_000 });
    const [french] = waits(nothing, undefined, [company]);
    expect(french).toMatchObject({ spokenMs: 11_000, noticeMs: 2_000 });
    expect(longWaits(french === undefined ? [] : [french])).toEqual([]);
  });
});

describe('with notice.shorterWithinDays', () => {
  const shorter = (jurisdiction: string) => {
    const tree = structuredClone(configTree()) as Tree & { notice: object; privacy: object };
    Object.assign(tree.purposes['training'] ?? {}, { jurisdiction, keepDays: 27, checkedByCounsel: true });
    tree.lines = { default: { purposes: ['training'], defaultLanguages: ['fr', 'nl'] } };
    tree.notice = { ...tree.notice, shorterWithinDays: 30 };
    tree.privacy = { hashKey: 'h'.repeat(32) };
    const library = aLibrary();
    const again = library.languages.map((language) =>
      aPrompt({ id: 'again', kind: 'again', language, purposes: [], wording: null, lengthMs: 500 }),
    );

    return aPolicy(tree, makePromptLibrary(library.languages, [...library.prompts, ...again]));
  };

  test('it is told what those wait who have heard the notice lately', () => {
    const [french] = waitsOf(shorter('NL'));
    expect(french).toMatchObject({ spokenMs: 2_000, againMs: 500 });
    expect(waitsInWords(waitsOf(shorter('NL')))).toEqual([
      expect.stringContaining(
        '; who heard it lately: fr 0.5 s, nl 0.5 s, de 0.5 s, en 0.5 s, fr and nl 1.0 s',
      ) as string,
    ]);
    expect(neverShorterInWords(shorter('NL'))).toEqual([]);
  });

  test('a line is named on which it changes nothing, and why', () => {
    expect(waitsOf(shorter('BE')).every(({ againMs }) => againMs === null)).toBe(true);
    expect(neverShorterInWords(shorter('BE'))).toEqual([
      'default: nobody hears the shorter notice: all of it is said before each recording for training (training in BE)',
    ]);
  });
});

describe('a notice', () => {
  const long = (lengthMs: number) => (prompt: Prompt) => (prompt.kind === 'purpose' ? { ...prompt, lengthMs } : prompt);

  test('beyond its length is named, with its line, language and seconds', () => {
    expect(longWaits(waits(nothing, long(7_500)))).toEqual([]);
    expect(longWaits(waits(nothing, long(7_501)))).toEqual(
      ['fr', 'de', 'en'].map(
        (language) => `default, announce: notice and question in ${language} take 8.5 s, more than 8.5 s`,
      ),
    );
    expect(longWaits(waits(nothing, long(9_100)))).toHaveLength(4);
  });

  test('may be longer for several purposes, and with the question of an opt-in', () => {
    const both = waits((tree) => {
      tree.lines['default'] = { purposes: ['training', 'agreement'], defaultLanguages: ['fr'] };
    });
    expect(both[0]?.longestMs).toBe(13_000);
    const asked = waits((tree) => Object.assign(tree.purposes['training'] ?? {}, { consent: 'optIn' }));
    expect(asked.map(({ languages, longestMs }) => `${languages.join()} ${longestMs}`)).toEqual([
      'fr 11000',
      'nl 12500',
      'de 11000',
      'en 11000',
    ]);
  });

  test('is told in words, one line of text for each line and mode', () => {
    const told = waitsInWords(
      waits((tree) => {
        Object.assign(tree.purposes['training'] ?? {}, { consent: 'optIn' });
        tree.lines['default'] = { purposes: ['training'], defaultLanguages: ['fr', 'nl'], askLanguage: true };
      }),
    );
    expect(told).toEqual([
      'default, optIn: fr 3.0 s, nl 3.0 s, de 3.0 s, en 3.0 s, fr and nl 6.0 s; ' +
        '8.0 s before, where no language is known; 5.0 s more for who says nothing',
    ]);
  });
});
