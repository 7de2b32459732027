import { parseConfig } from '../../../src/config/load.ts';
import { purposeWarnings } from '../../../src/policy/storageWarnings.ts';
import { aPurpose, noticeLibrary, purposesConfig, type PurposeTree } from '../../support/policy/purposes.ts';

/** The library of the makers, whose sentences give no number, or give this one. */
function warnings(over: PurposeTree, days: number | null = null): ReturnType<typeof purposeWarnings> {
  const { purposes } = parseConfig(purposesConfig({ training: aPurpose(over) }));
  const prompts = noticeLibrary(['training']).prompts.map((prompt) =>
    prompt.kind === 'storage' ? { ...prompt, statesMaxDays: { training: days } } : prompt,
  );

  return purposeWarnings(purposes, prompts);
}

describe('a sentence that does not say for how many days', () => {
  test.each<[string, PurposeTree]>([
    ['training in BE', {}],
    ['evidence in BE', { kind: 'evidence', consent: 'announce' }],
    ['evidence in LU', { kind: 'evidence', jurisdiction: 'LU', consent: 'announce' }],
  ])('is named where the law wants it said: %s', (where, over) => {
    expect(warnings(over).duration).toEqual([
      `keep-training give callers no number of days for training, and ${where} must say how long`,
    ]);
    expect(warnings(over, 400).duration).toEqual([]);
  });

  test.each<[string, PurposeTree]>([
    ['in Germany', { jurisdiction: 'DE', consent: 'optIn' }],
    ['where no rule is known', { jurisdiction: 'other' }],
  ])('is not named %s', (_, over) => {
    expect(warnings(over).duration).toEqual([]);
  });
});

describe('a purpose that is kept as long as the law allows', () => {
  test('is named, for it is erased only at the next run', () => {
    expect(warnings({ keepDays: 31 }).lastDay).toEqual([
      'training keeps the whole 31 days that the law or its sentences allow for training in BE. It is erased only at ' +
        'the next run of schedule.retention after them: keep it at least a day less',
    ]);
  });

  test('is named where its sentence promises less than the law allows', () => {
    expect(warnings({ keepDays: 28 }, 28).lastDay).toEqual([
      expect.stringMatching(/^training keeps the whole 28 days/),
    ]);
    expect(warnings({ keepDays: 27 }, 28).lastDay).toEqual([]);
  });

  test('is not named where the law wants it kept so long', () => {
    const mifid = { kind: 'obligation', jurisdiction: 'EU', consent: 'announce', legalBasis: 'GDPR art. 6(1)(c)' };
    expect(warnings({ ...mifid, keepDays: 1827 }, 1827).lastDay).toEqual([]);
  });

  test('is not named with a day less, nor where the time is only usual', () => {
    expect(warnings({ keepDays: 30 }).lastDay).toEqual([]);
    expect(warnings({ jurisdiction: 'NL', keepDays: 184 }).lastDay).toEqual([]);
  });
});
