import fc from 'fast-check';
import { consentModes } from '../../../src/config/consent.ts';
import { jurisdictions, law } from '../../../src/config/law.ts';
import { purposeKinds } from '../../../src/config/purposeKinds.ts';
import type { CallId } from '../../../src/core/ids.ts';
import {
  earlierNotice,
  earlierNoticeCounts,
  neverShortened,
  shortenedModes,
  type HeardSentence,
} from '../../../src/policy/earlierNotice.ts';

const call = (name: string): CallId => name as CallId;
const heard = (name: string, sha256: string, finishedAt: number): HeardSentence => ({
  call: call(name),
  sha256,
  finishedAt,
});
const notice = (...hashes: string[]) => hashes.map((sha256) => ({ sha256 }));

describe('an earlier notice', () => {
  test('is that of the newest call in which all of its sentences were heard whole', () => {
    const all = [heard('b', 'one', 30), heard('b', 'two', 40), heard('a', 'one', 10), heard('a', 'two', 20)];
    expect(earlierNotice(notice('one', 'two'), all)).toEqual({ call: 'b', finishedAt: 40 });
  });

  test('is none of which a sentence was not heard, or only in another call', () => {
    expect(earlierNotice(notice('one', 'two'), [heard('a', 'one', 10), heard('b', 'two', 20)])).toBeUndefined();
  });

  test('is none whose sound was replaced since: it may have said something else', () => {
    expect(earlierNotice(notice('new'), [heard('a', 'old', 10)])).toBeUndefined();
  });

  test('is none where there is no notice', () => {
    expect(earlierNotice([], [heard('a', 'one', 10)])).toBeUndefined();
  });

  test('is always a call that has every sentence', () => {
    const hash = fc.constantFrom('one', 'two', 'three');
    const all = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), hash, fc.nat(100)), { maxLength: 12 });
    fc.assert(
      fc.property(fc.uniqueArray(hash, { minLength: 1 }), all, (hashes, entries) => {
        const sentences = entries.map((entry) => heard(...entry));
        const complete = ['a', 'b', 'c'].filter((name) =>
          hashes.every((wanted) => sentences.some((each) => each.call === name && each.sha256 === wanted)),
        );
        const found = earlierNotice(notice(...hashes), sentences);
        expect(found === undefined).toBe(complete.length === 0);
        if (found !== undefined) expect(complete).toContain(found.call);
      }),
    );
  });
});

describe('the law', () => {
  test.each([
    ['FR', 'training', 'optOut', true],
    ['NL', 'evidence', 'announce', true],
    ['CH', 'training', 'optIn', false],
    ['CH', 'evidence', 'announce', true],
    ['ES', 'training', 'optOut', true],
    ['IT', 'evidence', 'announce', true],
    ['AT', 'training', 'optIn', false],
    ['BE', 'training', 'optOut', false],
    ['BE', 'evidence', 'announce', false],
    ['LU', 'evidence', 'announce', false],
    ['DE', 'training', 'optIn', false],
    ['FR', 'training', 'optIn', false],
    ['EU', 'obligation', 'announce', false],
  ] as const)('of %s on %s with %s: an earlier notice counts is %s', (jurisdiction, kind, mode, counts) => {
    expect(earlierNoticeCounts([{ jurisdiction, kind }], mode)).toBe(counts);
  });

  test('lets none count where it wants the time told before, or a consent', () => {
    for (const jurisdiction of jurisdictions) {
      for (const kind of purposeKinds) {
        for (const mode of consentModes) {
          if (!earlierNoticeCounts([{ jurisdiction, kind }], mode)) continue;
          expect(law[jurisdiction][kind]).toMatchObject({ tellsDuration: false });
          expect(mode).not.toBe('optIn');
        }
      }
    }
  });

  test('of every purpose counts', () => {
    const french = { jurisdiction: 'FR', kind: 'training' } as const;
    const belgian = { jurisdiction: 'BE', kind: 'evidence' } as const;
    expect(earlierNoticeCounts([french, belgian], 'optOut')).toBe(false);
  });
});

describe('a line', () => {
  const training = (jurisdiction: 'BE' | 'NL', optInForCountries: string[] = []) =>
    ({ id: 'training', kind: 'training', jurisdiction, consent: 'optOut', optInForCountries }) as const;
  const line = {};

  test('has the shorter notice for those alone who are not asked', () => {
    expect(shortenedModes(line, [training('NL', ['DE'])])).toEqual(['optOut']);
    expect(neverShortened(line, [training('NL', ['DE'])])).toBeUndefined();
  });

  test('has it for nobody where the law wants all of it said each time, and says so', () => {
    expect(shortenedModes(line, [training('BE', ['DE'])])).toEqual([]);
    expect(neverShortened(line, [training('NL'), training('BE')])).toBe(
      'all of it is said before each recording for training (training in BE)',
    );
  });

  test('has it for nobody where everybody is asked, or a code adds a purpose', () => {
    expect(neverShortened(line, [{ ...training('NL'), consent: 'optIn' }])).toBe('its callers are asked (optIn)');
    const marked = { codes: { agreement: { code: '*7', purpose: 'agreement' }, pressedBy: 'agent' } } as const;
    expect(neverShortened(marked, [training('NL')])).toBe('it has codes.agreement');
  });
});
