import fc from 'fast-check';
import { callerCountryOf } from '../../../../src/call/plan/numberParsing.ts';
import { decideLanguage, languagesOfHeader } from '../../../../src/call/plan/language.ts';
import { languagesOfNumber, parseCallerNumber } from '../../../../src/call/plan/numberParsing.ts';
import { makeCallerHash } from '../../../../src/call/plan/preferences.ts';
import { hostileText } from '../../../support/hostileValues.ts';
import { aPolicy } from '../../../support/policy/policies.ts';
import { tried } from '../../../support/properties.ts';
import { cpuMs } from '../../../support/cpuTime.ts';

const digits = fc.stringMatching(/^\+?[0-9 ().\-/]{0,60}$/);
const number = fc.oneof(hostileText(), digits);

test('any number gives languages of its prefix, or none', () => {
  fc.assert(
    fc.property(number, (text) => {
      const found = languagesOfNumber(text, 'BE');
      makeCallerHash('k'.repeat(32), 'BE')(text);
      expect(callerCountryOf(text, 'BE') ?? 'BE').toMatch(/^[A-Z]{2}$/);
      if (found === undefined) return;
      expect(found.languages.length).toBeGreaterThan(0);
      expect(found.languages.every((language) => /^[a-z]{2,3}$/.test(language))).toBe(true);
      // A zone or a country and never the number (P7).
      expect(found.prefix).toMatch(/^[0-9]{1,6}$/);
    }),
    tried(400),
  );
});

test('any header gives languages, best first and each once, or none', () => {
  const range = fc
    .tuple(
      fc.constantFrom('fr', 'nl-BE', '*', 'de-1996', 'x', ''),
      fc.constantFrom('', ';q=0.5', '; q=1.001', ';q=', ';;'),
    )
    .map((parts) => parts.join(''));
  const header = fc.oneof(
    hostileText(),
    fc.array(range, { maxLength: 8 }).map((ranges) => ranges.join(',')),
  );
  fc.assert(
    fc.property(header, (text) => {
      const wanted = languagesOfHeader(text);
      expect(wanted.every(({ language, weight }) => /^[a-z]{2,3}$/.test(language) && weight > 0)).toBe(true);
      const weights = wanted.map(({ weight }) => weight);
      expect(weights).toEqual([...weights].sort((one, other) => other - one));
      expect(new Set(wanted.map(({ language }) => language)).size).toBe(wanted.length);
    }),
    tried(400),
  );
});

test('whatever a caller sends, the language is one that can be spoken', async () => {
  const policy = aPolicy();
  const line = policy.lines.get('default');
  if (line === undefined) throw new Error('there is no line named default');
  await fc.assert(
    fc.asyncProperty(
      number,
      hostileText(),
      hostileText(),
      hostileText(),
      async (callerNumber, channel, chose, header) => {
        const decision = await decideLanguage(
          {
            argument: undefined,
            preference: chose,
            line,
            channelLanguage: channel,
            callerNumber,
            purposes: ['training'],
          },
          policy,
          () => Promise.resolve(header),
        );
        expect(decision?.languages.every((language) => policy.languages.includes(language))).toBe(true);
        expect(decision?.languages.length).toBeGreaterThan(0);
      },
    ),
    tried(200),
  );
});

test.each([
  ['a number of digits', '9'.repeat(1_000_000)],
  ['a number of brackets', '('.repeat(1_000_000)],
  ['a number of spaces', `+32${' '.repeat(1_000_000)}x`],
  ['a header of ranges', 'fr;q=0.5,'.repeat(100_000)],
  ['a header of subtags', `fr${'-abcdefgh'.repeat(100_000)};`],
  ['a header of spaces', `fr${' '.repeat(1_000_000)};q=`],
])('%s of a megabyte costs no time', (_, text) => {
  const cost = cpuMs(() => {
    for (let count = 0; count < 100; count += 1) {
      parseCallerNumber(text, 'BE');
      languagesOfNumber(text, 'BE');
      languagesOfHeader(text);
    }
  });
  // A hundred of them, while a call waits 3 s at most for its plan.
  expect(cost).toBeLessThan(3_000);
});
