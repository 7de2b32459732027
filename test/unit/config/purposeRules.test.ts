import { parseConfig } from '../../../src/config/load.ts';
import { makePolicy } from '../../../src/policy/policy.ts';
import { makePromptLibrary, type PromptLibrary } from '../../../src/prompts/library.ts';
import { PreavisError } from '../../../src/core/errors.ts';
import { aPurpose, noticeLibrary, purposesConfig, type PurposeTree } from '../../support/policy/purposes.ts';

function faultOf(step: () => unknown): string {
  try {
    step();
  } catch (thrown) {
    if (thrown instanceof PreavisError && thrown.code === 'config_invalid') return thrown.message;
    throw thrown;
  }
  throw new Error('nothing was refused');
}

const refused = (over: PurposeTree): string => faultOf(() => parseConfig(purposesConfig({ training: aPurpose(over) })));
const without = (key: string): PurposeTree =>
  Object.fromEntries(Object.entries(aPurpose()).filter(([each]) => each !== key));

const mifid = aPurpose({
  jurisdiction: 'EU',
  kind: 'obligation',
  consent: 'announce',
  keepDays: 1827,
  legalBasis: 'GDPR art. 6(1)(c); Directive 2014/65/EU art. 16(7)',
});

describe('a purpose', () => {
  test('needs few words; the rest has defaults', () => {
    expect(parseConfig(purposesConfig({ training: aPurpose() })).purposes['training']).toEqual({
      ...aPurpose(),
      kind: 'training',
      optInForCountries: [],
      holdsAllowed: false,
      lock: 'none',
      mayListen: [],
      recordPercent: 100,
      whenUnrecordable: 'goOn',
      checkedByCounsel: false,
    });
  });

  test.each([
    ['justification', /purposes\.training\.justification: is missing: why does this company record/],
    ['legalBasis', /purposes\.training\.legalBasis: is missing: on which legal basis/],
    ['jurisdiction', /purposes\.training\.jurisdiction: /],
    ['consent', /purposes\.training\.consent: /],
    ['keepDays', /purposes\.training\.keepDays: /],
    ['names', /purposes\.training\.names: lacks a name in fr, nl, languages of the notice/],
  ])('is refused without its %s', (key, fault) => {
    expect(faultOf(() => parseConfig(purposesConfig({ training: without(key) })))).toMatch(fault);
  });

  test.each<[string, PurposeTree, RegExp]>([
    [
      'a justification of two words',
      { justification: 'for training' },
      /justification: is too short \(at least \d+ characters\): why/,
    ],
    [
      'a justification of spaces',
      { justification: ' '.repeat(40) },
      /justification: is too short \(at least \d+ characters\): why/,
    ],
    [
      'a justification that lacks a language of the notice',
      { justification: { fr: 'Pour aider mieux ceux qui appellent.' } },
      /purposes\.training\.justification: lacks a text in nl, languages of the notice/,
    ],
    [
      'a legal basis that lacks a language of the notice',
      { legalBasis: { nl: 'AVG art. 6(1)(f)', en: 'GDPR art. 6(1)(f)' } },
      /purposes\.training\.legalBasis: lacks a text in fr, languages of the notice/,
    ],
    [
      'a justification of two words in one language',
      { justification: { fr: 'pour former', nl: 'x'.repeat(20) } },
      /justification\.fr: is too short \(at least \d+ characters\): why/,
    ],
    ['a justification in no language', { justification: {} }, /justification: has no text/],
    [
      'a justification in a language that is none',
      { justification: { french: 'x'.repeat(20) } },
      /justification: must be a text, or one for each language/,
    ],
    [
      'a justification that is a number',
      { justification: 7 },
      /justification: must be a text, or one for each language/,
    ],
    [
      'a duty that one language names no law for',
      { ...mifid, legalBasis: { fr: 'RGPD art. 6(1)(c)', nl: 'AVG art. 6(1)(f)' } },
      /legalBasis: must name GDPR art\. 6\(1\)\(c\)/,
    ],
    ['a name missing in one language', { names: { fr: 'formation' } }, /names: lacks a name in nl/],
    [
      'keeping longer than maximumDays',
      { keepDays: 20, maximumDays: 14 },
      /keepDays: is longer than the 14 days of maximumDays \(got 20\)/,
    ],
    [
      'keeping longer than the law',
      { keepDays: 32 },
      /keepDays: is longer than the 31 days for training in BE \(.*one month\) \(got 32\)/,
    ],
    ['a maximum above the law', { maximumDays: 365 }, /maximumDays: is more than the 31 days for training in BE/],
    ['French training above six months', { jurisdiction: 'FR', keepDays: 185 }, /184 days for training in FR/],
    [
      'announcing German training',
      { jurisdiction: 'DE', consent: 'announce' },
      /consent: is not enough, training in DE needs optIn \(DSK.*\) \(got "announce"\)/,
    ],
    ['opt-out for German training', { jurisdiction: 'DE', consent: 'optOut' }, /training in DE needs optIn/],
    [
      'opt-out for German evidence',
      { jurisdiction: 'DE', consent: 'optOut', kind: 'evidence' },
      /evidence in DE needs optIn/,
    ],
    ['opt-out for Swiss training', { jurisdiction: 'CH' }, /training in CH needs optIn \(Criminal Code, art\. 179bis/],
    ['opt-out for Austrian training', { jurisdiction: 'AT' }, /training in AT needs optIn/],
    [
      'more French calls for training than a sample',
      { jurisdiction: 'FR', recordPercent: 11 },
      /recordPercent: is more than the 10 % proposed for training in FR \(CNIL.*SAN-2023-008.*\); .*checkedByCounsel \(got 11\)/,
    ],
    ['all French calls for training', { jurisdiction: 'FR' }, /recordPercent: is more than the 10 %/],
    ['opt-out for training in Luxembourg', { jurisdiction: 'LU' }, /training in LU needs optIn/],
    ['a jurisdiction that is not known', { jurisdiction: 'XX' }, /jurisdiction: /],
    [
      'a country that does not exist',
      { optInForCountries: ['QQ'] },
      /optInForCountries: has QQ, which is not a country/,
    ],
    ['a duty that can be refused', { ...mifid, consent: 'optOut' }, /consent: must be announce/],
    ['a duty that some may refuse', { ...mifid, optInForCountries: ['DE'] }, /optInForCountries: must be empty/],
    [
      'callers who are turned away although no law wants them recorded',
      { whenUnrecordable: 'turnAway' },
      /training\.whenUnrecordable: must be goOn: only a caller whom the law wants recorded \(kind obligation\)/,
    ],
    ['a duty for some calls only', { ...mifid, recordPercent: 50 }, /recordPercent: must be 100/],
    ['a duty kept for eight years', { ...mifid, keepDays: 2922 }, /2557 days for obligation in EU/],
    [
      'a duty kept for less than the law wants',
      { ...mifid, keepDays: 1826 },
      /keepDays: is shorter than the 1827 days that the law wants for obligation in EU \(Directive.*\) \(got 1826\)/,
    ],
    [
      'training under the law of the EU',
      { jurisdiction: 'EU' },
      /jurisdiction: EU is for obligation only; training is/,
    ],
    [
      'evidence under the law of the EU',
      { jurisdiction: 'EU', kind: 'evidence' },
      /jurisdiction: EU is for obligation/,
    ],
    [
      'a duty in Germany that no law is named for',
      { ...mifid, jurisdiction: 'DE', legalBasis: 'GDPR art. 6(1)(f)' },
      /legalBasis: must name GDPR art\. 6\(1\)\(c\), the legal obligation, for kind obligation/,
    ],
    [
      'a duty on a legitimate interest, though a C. comes later',
      { ...mifid, legalBasis: 'GDPR art. 6(1)(f), C. civ. art. 1' },
      /legalBasis: must name GDPR art\. 6\(1\)\(c\)/,
    ],
    ...['AT', 'BE', 'CH', 'DE', 'ES', 'FR', 'IT', 'LU', 'NL'].map((jurisdiction): [string, PurposeTree, RegExp] => [
      `holds on training in ${jurisdiction}`,
      { jurisdiction, consent: 'optIn', holdsAllowed: true },
      new RegExp(`holdsAllowed: must be false for training in ${jurisdiction}: `),
    ]),
    ...(
      [
        ['NL', 'training', 184],
        ['NL', 'evidence', 1827],
        ['FR', 'evidence', 1827],
        ['DE', 'training', 90],
        ['DE', 'evidence', 1461],
        ['LU', 'training', 31],
        ['CH', 'training', 184],
        ['AT', 'training', 90],
        ['AT', 'evidence', 1096],
        ['ES', 'training', 184],
        ['ES', 'evidence', 1827],
        ['IT', 'training', 92],
        ['IT', 'evidence', 3653],
      ] as const
    ).map(([jurisdiction, kind, most]): [string, PurposeTree, RegExp] => [
      `more than the usual time for ${kind} in ${jurisdiction}, and no maximumDays`,
      { jurisdiction, kind, consent: 'optIn', keepDays: most + 1 },
      new RegExp(`keepDays: is longer than the ${most} days usual for ${kind} in ${jurisdiction}; .*set maximumDays`),
    ]),
    ['no call at all', { recordPercent: 0 }, /recordPercent: /],
    ['more than all calls', { recordPercent: 101 }, /recordPercent: /],
  ])('is refused with %s', (_, over, fault) => {
    expect(refused(over)).toMatch(fault);
  });

  test.each<[string, PurposeTree]>([
    ['Belgian training is announced only', { consent: 'announce' }],
    ['Luxembourg evidence is announced', { jurisdiction: 'LU', kind: 'evidence', consent: 'announce', keepDays: 395 }],
    ['German training is opt-in', { jurisdiction: 'DE', consent: 'optIn' }],
    ['a month is kept in Belgium', { keepDays: 31, maximumDays: 31 }],
    ['no rule is known', { jurisdiction: 'other', consent: 'announce', keepDays: 3653 }],
    ['a region uses the name of its language', { names: { fr_BE: 'formation', fr: 'formation', nl: 'opleiding' } }],
    ['the law demands it', mifid],
    ['the law of a country demands it', { ...mifid, jurisdiction: 'DE', legalBasis: 'Art. 6 Abs. 1 lit. c DSGVO' }],
    ['a tenth of French calls is for training', { jurisdiction: 'FR', recordPercent: 10 }],
    ['counsel allows more French calls', { jurisdiction: 'FR', recordPercent: 100, checkedByCounsel: true }],
    ['Swiss orders are announced', { jurisdiction: 'CH', kind: 'evidence', consent: 'announce' }],
    ['counsel allows more than is usual', { jurisdiction: 'NL', keepDays: 200, maximumDays: 365 }],
    [
      'its texts are given in each language of the notice',
      {
        justification: { fr: 'Pour aider mieux ceux qui appellent.', nl: 'Om bellers beter te helpen.' },
        legalBasis: { fr: 'RGPD art. 6(1)(f)', nl: 'AVG art. 6(1)(f)', de: 'DSGVO Art. 6 Abs. 1 lit. f' },
      },
    ],
    ['evidence is held', { kind: 'evidence', consent: 'announce', holdsAllowed: true }],
  ])('is taken where %s', (_, over) => {
    expect(() => parseConfig(purposesConfig({ training: aPurpose(over) }))).not.toThrow();
  });

  test('every fault is named at once', () => {
    expect(refused({ names: {}, maximumDays: 20, jurisdiction: 'LU' })).toMatch(
      /names: .*; .*keepDays: .*; .*consent: /,
    );
  });
});

describe('a line', () => {
  test('never mixes what the law demands with what a caller may refuse', () => {
    const fault = faultOf(() => parseConfig(purposesConfig({ mifid, training: aPurpose() })));
    expect(fault).toMatch(/^lines\.default\.purposes: mifid must be recorded by law, but a caller may refuse training/);
  });

  test('may have them apart from each other', () => {
    const lines = { default: ['training'], orders: ['mifid'] };
    expect(() => parseConfig(purposesConfig({ mifid, training: aPurpose() }, lines))).not.toThrow();
  });
});

test('what a line is called and what is said of transfers may be given by language, and then in each of the notice', () => {
  const tree = purposesConfig({ training: aPurpose() });
  const named = (names: unknown, transfers: unknown): unknown => ({
    ...tree,
    lines: { default: { purposes: ['training'], defaultLanguages: ['fr'], names } },
    controller: { transfers },
  });
  expect(() => parseConfig(named({ fr: 'Commandes', nl: 'Bestellingen' }, { fr: 'aucun', nl: 'geen' }))).not.toThrow();
  expect(() => parseConfig(named('Orders', 'none'))).not.toThrow();
  expect(faultOf(() => parseConfig(named({ fr: 'Commandes' }, { nl: 'geen' })))).toMatch(
    /controller\.transfers: lacks a text in fr, languages of the notice; lines\.default\.names: lacks a text in nl/,
  );
});

describe('a line for French agreements', () => {
  const agreement = (over: PurposeTree = {}): PurposeTree =>
    aPurpose({ jurisdiction: 'FR', kind: 'evidence', consent: 'announce', ...over });
  const config = (records: string, over: PurposeTree = {}): unknown => {
    const tree = purposesConfig({ agreement: agreement(over) });
    return { ...tree, lines: { default: { purposes: ['agreement'], defaultLanguages: ['fr'], records } } };
  };

  test('is refused where it records whole talks', () => {
    expect(faultOf(() => parseConfig(config('always')))).toMatch(
      /lines\.default\.records: must be onRequest for agreement, which is evidence in FR \(CNIL, 25 April 2022.*\); .*purposes\.agreement\.checkedByCounsel/,
    );
  });

  test.each<[string, string, PurposeTree]>([
    ['it records on request', 'onRequest', {}],
    ['counsel allows the whole talk', 'always', { checkedByCounsel: true }],
    ['the law is that of another country', 'always', { jurisdiction: 'BE' }],
  ])('is taken where %s', (_, records, over) => {
    expect(() => parseConfig(config(records, over))).not.toThrow();
  });
});

describe('the notice', () => {
  const policyFault = (over: PurposeTree, library: PromptLibrary): string =>
    faultOf(() => makePolicy(parseConfig(purposesConfig({ training: aPurpose(over) })), library));
  const library = noticeLibrary(['training']);
  /** A library whose notice is only some of its sentences. */
  const only = (kind: 'purpose' | 'storage'): PromptLibrary => ({
    ...library,
    noticeFor: (purposes, language) =>
      library.noticeFor(purposes, language)?.filter((sentence) => sentence.kind === kind),
  });

  test('is taken when it says why and how long', () => {
    expect(() => makePolicy(parseConfig(purposesConfig({ training: aPurpose() })), library)).not.toThrow();
  });

  test('is refused when it does not say why', () => {
    expect(policyFault({}, only('storage'))).toMatch(
      /lines\.default: no sentence in fr says that calls are recorded for training; .* in nl /,
    );
  });

  test.each(['training', 'obligation'])('is refused when it gives no number of days for %s', (kind) => {
    const ofLaw = { jurisdiction: 'EU', consent: 'announce', keepDays: 1827, legalBasis: 'GDPR art. 6(1)(c)' };
    const over = kind === 'training' ? {} : { ...ofLaw, kind };
    const vague = noticeLibrary(['training'], 'may', null);
    expect(policyFault(over, vague)).toMatch(
      /purposes\.training: prompt keep-training \(fr, nl\) gives callers no number of days/,
    );
    expect(() =>
      makePolicy(parseConfig(purposesConfig({ training: aPurpose({ kind: 'evidence', consent: 'announce' }) })), vague),
    ).not.toThrow();
  });

  test.each([
    ['FR', 'optOut'],
    ['NL', 'optOut'],
    ['DE', 'optIn'],
    ['CH', 'optIn'],
  ])('may leave the number of days to be told elsewhere for training in %s', (jurisdiction, consent) => {
    const vague = noticeLibrary(['training'], 'may', null);
    const training = aPurpose({ jurisdiction, consent, recordPercent: 10 });
    expect(() => makePolicy(parseConfig(purposesConfig({ training })), vague)).not.toThrow();
  });

  test('is refused when it does not say how long', () => {
    expect(policyFault({}, only('purpose'))).toMatch(
      /lines\.default: no sentence in fr says how long recordings for training are kept/,
    );
  });

  test('is refused when it is not there', () => {
    expect(policyFault({}, makePromptLibrary(['fr', 'nl'], []))).toMatch(
      /there is no notice for training in fr, nl: no sentence says why calls are recorded \(training\), nor for how long that is kept \(training\)/,
    );
  });

  test('is refused when recordings are kept longer than it says', () => {
    const short = makePromptLibrary(
      library.languages,
      library.prompts.map((prompt) =>
        prompt.kind === 'storage' ? { ...prompt, statesMaxDays: { training: 14 } } : prompt,
      ),
    );
    expect(policyFault({}, short)).toMatch(
      /purposes\.training\.keepDays: 28 days is longer than prompt keep-training \(fr, nl\) says \(14\)/,
    );
  });

  const is = noticeLibrary(['training'], 'is');
  test.each<[string, PurposeTree, RegExp]>([
    [
      'only some are',
      { consent: 'announce', recordPercent: 20 },
      /training records 20 % of its calls: it must say "may be"/,
    ],
    [
      'the caller may refuse',
      { consent: 'optOut' },
      /prompt notice-training \(fr\) says that the call is recorded, but the caller may refuse/,
    ],
    ['some callers are asked', { consent: 'announce', optInForCountries: ['DE'] }, /the caller may refuse/],
  ])('must not say that calls are recorded where %s', (_, over, fault) => {
    expect(policyFault(over, is)).toMatch(fault);
  });

  test('may say that calls are recorded where all of them are', () => {
    const config = parseConfig(purposesConfig({ training: aPurpose({ consent: 'announce' }) }));
    expect(() => makePolicy(config, is)).not.toThrow();
  });

  test('must not say so of one purpose when another of the line may be refused', () => {
    const agreement = aPurpose({ kind: 'evidence', consent: 'announce' });
    const fault = faultOf(() =>
      makePolicy(
        parseConfig(purposesConfig({ training: aPurpose(), agreement })),
        makePromptLibrary(library.languages, [
          ...noticeLibrary(['training'], 'may').prompts,
          ...noticeLibrary(['agreement'], 'is').prompts,
        ]),
      ),
    );
    expect(fault).toMatch(/lines\.default: prompt notice-agreement \(fr\) says that the call is recorded/);
  });

  test('of a purpose that no line has must be as true', () => {
    const purposes = { training: aPurpose({ consent: 'announce' }), sample: aPurpose({ recordPercent: 5 }) };
    const config = parseConfig(purposesConfig(purposes, { default: ['training'] }));
    expect(faultOf(() => makePolicy(config, noticeLibrary(['training', 'sample'], 'is')))).toMatch(
      /purposes\.sample: prompt notice-sample/,
    );
  });
});

test('callers may be turned away where the law wants their calls recorded', () => {
  const config = parseConfig(purposesConfig({ training: { ...mifid, whenUnrecordable: 'turnAway' } }));
  expect(config.purposes['training']).toMatchObject({ whenUnrecordable: 'turnAway' });
});
