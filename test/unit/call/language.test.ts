import { decideLanguage, type LanguageEvidence } from '../../../src/call/language.ts';
import { aLibrary, aPolicy, configTree } from '../../support/calls.ts';

const policy = aPolicy();
const line = (over: Partial<LanguageEvidence['line']> = {}): LanguageEvidence['line'] => ({
  name: 'default',
  purposes: ['training'],
  defaultLanguages: ['fr', 'nl'],
  ...over,
});
const given = (over: Partial<LanguageEvidence>): LanguageEvidence => ({
  argument: undefined,
  line: line(),
  callerNumber: '',
  purposes: ['training'],
  ...over,
});

describe('the language of the notice', () => {
  test.each([
    [
      'the argument, before everything',
      { argument: 'de', line: line({ language: 'nl' }), callerNumber: '+32475' },
      'de',
      'argument',
    ],
    [
      'the language of the line, before the number',
      { line: line({ language: 'nl' }), callerNumber: '+33142685300' },
      'nl',
      'line',
    ],
    ['the number, before the default of the line', { callerNumber: '+3292661234' }, 'nl', 'number'],
    ['both languages of Brussels', { callerNumber: '+3225501234' }, 'fr nl', 'number'],
    ['the default of the line when the number says nothing', { callerNumber: 'anonymous' }, 'fr nl', 'lineDefault'],
  ] as const)('is %s', (_, evidence, languages, reason) => {
    expect(decideLanguage(given(evidence), policy)).toEqual({ languages: languages.split(' '), reason });
  });

  test('passes over a language without prompts: it is never claimed', () => {
    expect(decideLanguage(given({ argument: 'it', callerNumber: '+390612345678' }), policy)).toEqual({
      languages: ['fr', 'nl'],
      reason: 'lineDefault',
    });
  });

  test('passes over a language in which this call has no notice, though another purpose has', () => {
    const tree = { ...configTree(), notice: { languages: ['fr', 'nl'] } };
    const library = aLibrary(['fr', 'nl']);
    const narrow = aPolicy(tree, library);
    const onlyTraining = {
      ...narrow,
      notice: (purposes: readonly string[], language: string) =>
        language === 'nl' && purposes.includes('agreement') ? undefined : narrow.notice(purposes, language),
    };
    const evidence = given({ callerNumber: '+3292661234', purposes: ['agreement'] });
    expect(decideLanguage(evidence, onlyTraining)).toEqual({ languages: ['fr'], reason: 'lineDefault' });
    expect(decideLanguage({ ...evidence, purposes: ['training'] }, onlyTraining)?.languages).toEqual(['nl']);
  });

  test('is at most two languages, however many the line lists', () => {
    expect(decideLanguage(given({ line: line({ defaultLanguages: ['fr', 'nl', 'de'] }) }), policy)?.languages).toEqual([
      'fr',
      'nl',
    ]);
  });

  test('is undefined when not even the default of the line has a notice', () => {
    expect(decideLanguage(given({ line: line({ defaultLanguages: ['it'] }) }), policy)).toBeUndefined();
    expect(decideLanguage(given({ purposes: ['fun'] }), policy)).toBeUndefined();
  });

  test.each([['\u0000'], ['+'.repeat(65_536)], ["'; DROP TABLE calls"], ['sip:+3292661234@example.org']])(
    'is the default of the line for the hostile number %j',
    (callerNumber) => {
      expect(decideLanguage(given({ callerNumber }), policy)?.reason).toBe('lineDefault');
    },
  );
});
