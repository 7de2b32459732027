import { objection, wasTold, whyNotRecordable, type Grounds } from '../../../../src/call/decide/recordable.ts';

describe('recording', () => {
  test.each([
    ['may begin where the caller is told and says nothing', 'announce', 'none', undefined],
    ['may begin where the caller did not refuse', 'optOut', 'none', undefined],
    ['never begins after a refusal', 'optOut', 'refused', 'refused'],
    ['never begins after silence where a yes is asked for', 'optIn', 'none', 'no_consent'],
    ['may begin after a yes', 'optIn', 'accepted', undefined],
    ['never begins after a no', 'optIn', 'refused', 'refused'],
    ['never begins after a refusal, even where none was offered', 'announce', 'refused', 'refused'],
  ] as const)('%s', (_, mode, answer, why) => {
    expect(objection(mode, answer)).toBe(why);
  });
});

test.each([
  [[], false],
  [['verified'], true],
  [['verified', 'answered'], true],
  [['answered'], false],
  [['verified', 'notice_cut_short'], false],
  [['notice_on_hold', 'verified'], false],
])('a notice of sentences that were %j counts as told: %s', (verdicts, told) => {
  expect(wasTold(verdicts)).toBe(told);
});

describe('a recording that was found', () => {
  const grounds: Grounds = { verdicts: ['verified'], mode: 'optOut', answer: 'none', reason: null };

  test.each<[string, Partial<Grounds>, string | undefined]>([
    ['is kept where the caller was told', {}, undefined],
    ['is kept though the recorder failed for us', { reason: 'recorder_failed' }, undefined],
    ['is not where they refused', { answer: 'refused' }, 'refused'],
    ['is not where they were asked and said nothing', { mode: 'optIn' }, 'no_consent'],
    ['is not where a refusal may have been missed', { reason: 'interrupted' }, 'no_consent'],
    [
      'is kept where nobody could refuse, and something was missed',
      { mode: 'announce', reason: 'interrupted' },
      undefined,
    ],
    ['is not where the lot left the call out', { reason: 'not_sampled' }, 'not_sampled'],
    ['is not where somebody was there who was not told', { reason: 'untold_party' }, 'untold_party'],
    ['is not where a sentence was cut short', { verdicts: ['verified', 'notice_cut_short'] }, 'not_told'],
    ['is not where nothing was said', { verdicts: [] }, 'not_told'],
  ])('%s', (_, over, why) => {
    expect(whyNotRecordable({ ...grounds, ...over })).toBe(why);
  });
});
