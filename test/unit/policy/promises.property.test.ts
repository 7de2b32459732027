import fc from 'fast-check';
import { codeFaults, companyFaults, keepFaults, type Promising } from '../../../src/policy/promises.ts';
import { law, type Jurisdiction } from '../../../src/config/law.ts';
import { maximumDays } from '../../../src/config/purposeRules.ts';
import type { PurposeConfig } from '../../../src/config/purposeSchema.ts';
import { parseConfig } from '../../../src/config/load.ts';
import { obligedTree } from '../../support/call/calls.ts';

const purposeOf = (over: Partial<PurposeConfig>): PurposeConfig => {
  const [any] = Object.values(parseConfig(obligedTree()).purposes);
  if (any === undefined) throw new Error('the tree has a purpose');

  return { ...any, ...over };
};

const days = fc.integer({ min: 1, max: 3_653 });
const purposes = fc
  .record({
    keepDays: days,
    holdsAllowed: fc.boolean(),
    maximumDays: fc.option(days, { nil: undefined }),
    kind: fc.constantFrom<PurposeConfig['kind']>('training', 'evidence', 'obligation'),
    jurisdiction: fc.constantFrom<Jurisdiction>('BE', 'FR', 'NL', 'DE', 'LU', 'CH', 'EU', 'other'),
  })
  .map(purposeOf);
/** Near the times of the other side, so that equal ones come up. */
const around = (keepDays: number): fc.Arbitrary<number> =>
  fc.oneof(days, fc.constantFrom(keepDays, Math.max(1, keepDays - 1), keepDays + 1));

const cases = purposes.chain((purpose) =>
  fc.record({
    purpose: fc.constant(purpose),
    most: fc.option(around(purpose.keepDays), { nil: null }),
    least: fc.option(around(purpose.keepDays), { nil: undefined }),
    held: fc.option(fc.oneof(days, around(maximumDays(purpose) ?? 1)), { nil: undefined }),
  }),
);

type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never;

const sentenceOf = ({ most, least, held }: Omit<Case, 'purpose'>): Promising => ({
  id: 'notice',
  language: 'fr',
  kind: 'whole',
  keys: null,
  statesMaxDays: { why: most },
  ...(least === undefined ? {} : { statesMinDays: { why: least } }),
  ...(held === undefined ? {} : { statesHeldDays: { why: held } }),
});

/** Day by day: a recording that is there after so many days, without a hold and with one. */
const existsAfter = (day: number, { keepDays }: PurposeConfig): boolean => day <= keepDays;
const canBeHeldUntil = (day: number, purpose: PurposeConfig): boolean =>
  purpose.holdsAllowed && day <= (maximumDays(purpose) ?? Infinity);

function isTrue({ purpose, most, least, held }: Case): boolean {
  const says =
    most !== null || purpose.kind === 'evidence' || law[purpose.jurisdiction][purpose.kind]?.tellsDuration === false;
  const keepsNoLonger = most === null || !existsAfter(most + 1, purpose);
  const keepsAsLong = least === undefined || existsAfter(least, purpose);
  const holdsAsLong = held === undefined || canBeHeldUntil(held, purpose);

  return says && keepsNoLonger && keepsAsLong && holdsAsLong;
}

test('a sentence is refused exactly where it promises what the configuration does not keep', () => {
  let [kept, broken] = [0, 0];
  fc.assert(
    fc.property(cases, (each) => {
      const faults = keepFaults(new Map([['why', each.purpose]]), [sentenceOf(each)]);
      if (isTrue(each)) kept += 1;
      else broken += 1;
      expect(faults.length === 0).toBe(isTrue(each));
    }),
    { numRuns: 2_000 },
  );
  expect(Math.min(kept, broken)).toBeGreaterThan(100);
});

test('a sentence that tells another code than the one that is obeyed is refused, and no other', () => {
  const code = fc.stringMatching(/^[0-9*#]{2,6}$/);
  fc.assert(
    fc.property(code, fc.option(code, { nil: undefined }), (obeyed, other) => {
      const told = other ?? obeyed;
      const sentence: Promising = {
        id: 'refuse-later',
        language: 'nl',
        kind: 'refuseLater',
        keys: { code: told },
        statesMaxDays: null,
      };
      expect(codeFaults(obeyed, [sentence]).length === 0).toBe(told === obeyed);
      expect(codeFaults(obeyed, [{ ...sentence, kind: 'more', keys: null }])).toEqual([]);
    }),
  );
});

test('a sentence that speaks of one company is refused where the lines belong to several', () => {
  const more: Promising = { id: 'more', language: 'fr', kind: 'more', keys: null, statesMaxDays: null };
  const company: Promising = { ...more, id: 'name', kind: 'company' };
  const own = { default: {}, sales: {} };
  expect(companyFaults(own, [more, company])).toEqual([]);
  expect(companyFaults({ default: { controller: 'acme' } }, [more, company])).toEqual([]);
  expect(companyFaults({ ...own, acme: { controller: 'acme' } }, [more, company])).toEqual(
    ['more', 'name'].map(
      (id) => `prompt ${id} (fr) speaks of one company, and the lines belong to several (lines.*.controller)`,
    ),
  );
  expect(companyFaults({ ...own, acme: { controller: 'acme' } }, [{ ...more, kind: 'whole' }])).toEqual([]);
});
