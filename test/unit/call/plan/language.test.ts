import { decideLanguage, languagesOfHeader, type LanguageEvidence } from '../../../../src/call/plan/language.ts';
import type { Policy } from '../../../../src/policy/policy.ts';
import { configTree } from '../../../support/call/calls.ts';
import { aLibrary, aPolicy } from '../../../support/policy/policies.ts';
import { cpuMs } from '../../../support/cpuTime.ts';

const policy = aPolicy();
const line = (over: Partial<LanguageEvidence['line']> = {}): LanguageEvidence['line'] => ({
  name: 'default',
  purposes: ['training'],
  askLanguage: false,
  newcomers: 'stop',
  defaultLanguages: ['fr', 'nl'],
  calledParty: 'untold',
  internalCalls: 'leave',
  records: 'always',
  sound: 'mono',
  ...over,
});
const given = (over: Partial<LanguageEvidence>): LanguageEvidence => ({
  argument: undefined,
  preference: undefined,
  line: line(),
  channelLanguage: 'en',
  callerNumber: '',
  purposes: ['training'],
  ...over,
});

/** What is decided, and whether the header had to be asked for. */
async function decided(over: Partial<LanguageEvidence>, header = '', by: Policy = policy) {
  let asked = false;
  const decision = await decideLanguage(given(over), by, () => {
    asked = true;
    return Promise.resolve(header);
  });

  return { decision, asked };
}

const all = {
  argument: 'de',
  preference: 'nl',
  line: line({ language: 'fr', defaultLanguages: ['nl'] }),
  channelLanguage: 'de_DE',
  callerNumber: '+3292661234',
};

describe('the language of the notice', () => {
  test.each<[string, Partial<LanguageEvidence>, string, string, string]>([
    ['the argument, before everything', all, 'en', 'de', 'argument'],
    ['what the caller chose before, before the line', { ...all, argument: undefined }, 'en', 'nl', 'preference'],
    [
      'the language of the line, before the channel',
      { ...all, argument: undefined, preference: undefined },
      'en',
      'fr',
      'line',
    ],
    [
      'that of the channel, before the number',
      { channelLanguage: 'de_DE', callerNumber: '+3292661234' },
      'fr',
      'de',
      'channel',
    ],
    ['that of the number, before the header', { callerNumber: '+3292661234' }, 'de', 'nl', 'number'],
    ['both of Brussels', { callerNumber: '+3225501234' }, '', 'fr nl', 'number'],
    ['that of the header, before the default of the line', {}, 'de-BE, en;q=0.5', 'de', 'acceptLanguage'],
    [
      'both of the header only where it wants them alike',
      {},
      'en;q=0.1, nl;q=0.8, de;q=0.8',
      'nl de',
      'acceptLanguage',
    ],
    ['the best of the header in one language', {}, 'nl-BE, nl;q=0.9, de;q=0.9', 'nl', 'acceptLanguage'],
    ['the default of the line when nothing says more', { callerNumber: 'anonymous' }, '', 'fr nl', 'lineDefault'],
  ])('is %s', async (_, evidence, header, languages, reason) => {
    expect((await decided(evidence, header)).decision).toEqual({
      languages: languages.split(' '),
      reason,
      unavailable: [],
    });
  });

  test('of a channel that has merely the default of Asterisk says nothing', async () => {
    expect((await decided({ channelLanguage: 'en' })).decision?.reason).toBe('lineDefault');
    expect((await decided({ channelLanguage: 'en_GB' })).decision?.reason).toBe('lineDefault');
    expect((await decided({ channelLanguage: '' })).decision?.reason).toBe('lineDefault');
    const french = { ...policy, asteriskDefaultLanguage: 'fr' };
    expect((await decided({ channelLanguage: 'en' }, '', french)).decision?.reason).toBe('channel');
  });

  test('is the next best of the header where the best have no prompts', async () => {
    expect((await decided({}, 'pl, uk, nl;q=0.5, fr;q=0.5, de;q=0.2')).decision?.languages).toEqual(['nl', 'fr']);
  });

  test('asks for the header only when nothing stronger has decided', async () => {
    expect((await decided({ callerNumber: '+3292661234' })).asked).toBe(false);
    expect((await decided({ callerNumber: '+32475123456' })).asked).toBe(true);
  });

  test('passes over languages without prompts, names each with its reason, and claims none of them', async () => {
    const evidence = { argument: 'it', preference: 'es', callerNumber: '+390612345678' };
    expect((await decided(evidence, 'pl, nl;q=0.1')).decision).toEqual({
      languages: ['nl'],
      reason: 'acceptLanguage',
      unavailable: [
        { language: 'it', reason: 'argument' },
        { language: 'es', reason: 'preference' },
        { language: 'it', reason: 'number' },
        { language: 'pl', reason: 'acceptLanguage' },
      ],
    });
    expect((await decided({}, 'pl, uk')).decision).toEqual({
      languages: ['fr', 'nl'],
      reason: 'lineDefault',
      unavailable: [
        { language: 'pl', reason: 'acceptLanguage' },
        { language: 'uk', reason: 'acceptLanguage' },
      ],
    });
    expect((await decided({}, 'es, fr, it, pt;q=0.1')).decision).toEqual({
      languages: ['fr'],
      reason: 'acceptLanguage',
      unavailable: [{ language: 'es', reason: 'acceptLanguage' }],
    });
  });

  test('with a region is found by what is told without one', async () => {
    const tags = ['fr_BE', 'nl', 'de', 'en'];
    const lines = { default: { purposes: ['training'], defaultLanguages: ['nl'] } };
    const regional = aPolicy({ ...configTree(), notice: { languages: tags }, lines }, aLibrary(tags));
    const taken = async (over: Partial<LanguageEvidence>, header = ''): Promise<unknown> =>
      (await decided(over, header, regional)).decision;
    const french = (reason: string) => ({ languages: ['fr_BE'], reason, unavailable: [] });
    expect(await taken({ callerNumber: '+3242221234' })).toEqual(french('number'));
    expect(await taken({ channelLanguage: 'fr_FR' })).toEqual(french('channel'));
    expect(await taken({ argument: 'fr' })).toEqual(french('argument'));
    expect(await taken({}, 'fr-CH, fr;q=0.9')).toEqual(french('acceptLanguage'));
    expect(await taken({ preference: 'fr_BE' })).toEqual(french('preference'));
  });

  test('is that of the region where a channel has the very tag, and of the language without region before another', async () => {
    const tags = ['fr_BE', 'fr', 'nl'];
    const lines = { default: { purposes: ['training'], defaultLanguages: ['nl'] } };
    const both = aPolicy({ ...configTree(), notice: { languages: tags }, lines }, aLibrary(tags));
    expect((await decided({ channelLanguage: 'fr_BE' }, '', both)).decision?.languages).toEqual(['fr_BE']);
    expect((await decided({ channelLanguage: 'fr_CH' }, '', both)).decision?.languages).toEqual(['fr']);
  });

  test('passes over a language in which this call has no notice, though another purpose has', async () => {
    const narrow = aPolicy({ ...configTree(), notice: { languages: ['fr', 'nl'] } }, aLibrary(['fr', 'nl']));
    const onlyTraining: Policy = {
      ...narrow,
      notice: (purposes, language) =>
        language === 'nl' && purposes.includes('agreement') ? undefined : narrow.notice(purposes, language),
    };
    const evidence = { callerNumber: '+3292661234', purposes: ['agreement'] };
    expect((await decided(evidence, '', onlyTraining)).decision).toEqual({
      languages: ['fr'],
      reason: 'lineDefault',
      unavailable: [{ language: 'nl', reason: 'number' }],
    });
    const { decision } = await decided({ ...evidence, purposes: ['training'] }, '', onlyTraining);
    expect(decision?.languages).toEqual(['nl']);
  });

  test('is at most two languages, however many the line lists', async () => {
    const { decision } = await decided({ line: line({ defaultLanguages: ['fr', 'nl', 'de'] }) });
    expect(decision?.languages).toEqual(['fr', 'nl']);
    expect((await decided({}, 'de, en, nl, fr')).decision?.languages).toEqual(['de', 'en']);
  });

  test('is undefined when not even the default of the line has a notice', async () => {
    expect((await decided({ line: line({ defaultLanguages: ['it'] }) })).decision).toBeUndefined();
    expect((await decided({ purposes: ['fun'] })).decision).toBeUndefined();
  });

  test.each([['\u0000'], ['+'.repeat(65_536)], ["'; DROP TABLE calls"], ['sip:+3292661234@example.org']])(
    'is the default of the line for the hostile number %j',
    async (callerNumber) => {
      expect((await decided({ callerNumber })).decision?.reason).toBe('lineDefault');
    },
  );
});

describe('an Accept-Language header', () => {
  test.each([
    ['fr', ['fr']],
    ['fr-BE', ['fr']],
    ['FR-be', ['fr']],
    ['nl, fr;q=0.5', ['nl', 'fr']],
    ['fr;q=0.5, nl', ['nl', 'fr']],
    ['fr;q=0.2, nl; q=0.9, de ;q=0.5', ['nl', 'de', 'fr']],
    ['en-GB, en-US, en;q=0.1', ['en']],
    ['fr;q=0, nl;q=0.001', ['nl']],
    ['zh-Hant-TW', ['zh']],
    ['nl-BE, fr;q=0.7, *;q=0.1', ['nl', 'fr']],
    // As many implementations that have no opinion say.
    ['*', []],
    ['', []],
  ])('%j says %j', (header, languages) => {
    expect(languagesOfHeader(header).map(({ language }) => language)).toEqual(languages);
  });

  test.each([
    ['a weight that is none', 'fr;q=best'],
    ['a weight of many digits', 'fr;q=0.99999'],
    ['a weight above one', 'fr;q=2'],
    ['another parameter', 'fr;level=1'],
    ['an empty range', 'fr,,nl'],
    ['a word', 'French'],
    ['a path', '../../fr'],
    ['a command', 'fr; DROP TABLE calls'],
    ['a function of the dialplan', 'fr,\${SHELL(id)}'],
    ['another header behind it', 'fr\r\nX-Other: nl'],
    ['a control character', 'fr\u0000'],
    ['letters that only look like it', 'fr\u200b'],
    ['more ranges than a telephone has', Array(100).fill('fr').join()],
    ['64 kB of ranges', 'fr,'.repeat(21_846)],
    ['64 kB of one range', `fr${'-a'.repeat(32_768)}`],
    ['64 kB of blanks', `fr${' '.repeat(65_536)}`],
  ])('with %s says nothing', (_, header) => {
    expect(languagesOfHeader(header)).toEqual([]);
  });

  test('costs nothing, however it is forged', () => {
    const forged = [
      'fr' + '-aaaaaaaa'.repeat(28) + '!',
      ` ${' '.repeat(250)}fr;`,
      'fr;q='.repeat(50),
      'a'.repeat(1 << 16),
    ];
    const cost = cpuMs(() => {
      for (let count = 0; count < 1_000; count += 1) for (const header of forged) languagesOfHeader(header);
    });
    expect(cost).toBeLessThan(1_000);
  });
});
