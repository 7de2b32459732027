import {
  consentFor,
  mixFault,
  possibleModes,
  sampledPurposes,
  type ConsentMode,
  type ConsentPurpose,
} from '../../../src/config/consent.ts';

const purpose = (
  id: string,
  consent: ConsentMode,
  optInForCountries: string[] = [],
  kind: ConsentPurpose['kind'] = 'training',
): ConsentPurpose => ({ id, kind, consent, optInForCountries });

const training = purpose('training', 'optOut', ['DE', 'LU']);
const agreement = purpose('agreement', 'announce', ['DE'], 'evidence');
const german = purpose('german', 'optIn');
const mifid = purpose('mifid', 'announce', [], 'obligation');

describe('the consent of a call', () => {
  test.each<[string, ConsentPurpose[], string | undefined, ReturnType<typeof consentFor>]>([
    ['one purpose', [agreement], 'BE', { mode: 'announce', reason: 'purpose', purposes: ['agreement'] }],
    ['the stricter of two', [agreement, training], 'BE', { mode: 'optOut', reason: 'purpose', purposes: ['training'] }],
    [
      'the strictest of three',
      [agreement, german, training],
      'BE',
      { mode: 'optIn', reason: 'purpose', purposes: ['german'] },
    ],
    [
      'a caller from a country of one purpose',
      [agreement, training],
      'LU',
      { mode: 'optIn', reason: 'callerCountry', purposes: ['training'] },
    ],
    [
      'a caller from a country of both',
      [agreement, training],
      'DE',
      { mode: 'optIn', reason: 'callerCountry', purposes: ['agreement', 'training'] },
    ],
    [
      'opt-in anyway, so the country adds nothing',
      [german, training],
      'DE',
      { mode: 'optIn', reason: 'purpose', purposes: ['german'] },
    ],
    ['a withheld number', [training], undefined, { mode: 'optOut', reason: 'purpose', purposes: ['training'] }],
    ['what the law demands', [mifid], 'DE', { mode: 'announce', reason: 'purpose', purposes: ['mifid'] }],
  ])('%s', (_, purposes, country, expected) => {
    expect(consentFor(purposes, country)).toEqual(expected);
  });

  test('a call without a purpose has no consent', () => {
    expect(() => consentFor([], 'BE')).toThrow(TypeError);
  });

  test.each<[ConsentPurpose[], ConsentMode[]]>([
    [[mifid], ['announce']],
    [[agreement], ['announce', 'optIn']],
    [
      [training, agreement],
      ['optOut', 'optIn'],
    ],
    [[german, training], ['optIn']],
  ])('the modes that a line can need (case %#)', (purposes, expected) => {
    expect(possibleModes(purposes)).toEqual(expected);
  });
});

describe('purposes of one call', () => {
  test.each([[[mifid]], [[training, agreement]], [[mifid, purpose('other', 'announce', [], 'evidence')]], [[]]])(
    'go together (case %#)',
    (purposes) => {
      expect(mixFault(purposes)).toBeUndefined();
    },
  );

  test.each<[ConsentPurpose, RegExp]>([
    [training, /mifid must be recorded by law, but a caller may refuse training/],
    [german, /refuse german/],
    [agreement, /refuse agreement/],
  ])('what the law demands is never lost with the refusal of another (case %#)', (other, fault) => {
    expect(mixFault([mifid, other])).toMatch(fault);
    expect(mixFault([other, mifid])).toMatch(fault);
  });
});

describe('drawing lots', () => {
  const rare = { id: 'rare', recordPercent: 5 };
  const every = { id: 'every', recordPercent: 100 };

  test.each([
    [0, ['rare', 'every']],
    [4.99, ['rare', 'every']],
    [5, ['every']],
    [99.99, ['every']],
  ])('a draw of %p', (draw, ids) => {
    expect(sampledPurposes([rare, every], draw).map(({ id }) => id)).toEqual(ids);
  });
});
