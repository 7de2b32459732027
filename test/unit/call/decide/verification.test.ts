import { judge, proveNotice, type Played } from '../../../../src/call/decide/verification.ts';
import type { Sentence } from '../../../../src/call/decide/sentence.ts';
import type { PlaybackId } from '../../../../src/core/ids.ts';
import { aPrompt } from '../../../support/call/calls.ts';

const sentence: Sentence = { prompt: aPrompt({ lengthMs: 2_000 }), playbackId: 'preavis-1' as PlaybackId };

describe('a playback', () => {
  test.each([
    ['of the whole length is verified', 5_000, 7_000, 'done', 'verified'],
    ['longer than the prompt is verified', 5_000, 9_000, 'done', 'verified'],
    ['of exactly 95 % is verified', 5_000, 6_900, 'done', 'verified'],
    ['one ms short of 95 % was cut short', 5_000, 6_899, 'done', 'notice_cut_short'],
    ['that ended as it began was cut short', 5_000, 5_000, 'done', 'notice_cut_short'],
    ['that ended before it began was cut short', 7_000, 5_000, 'done', 'notice_cut_short'],
    ['whose start was never reported failed', undefined, 7_000, 'done', 'notice_failed'],
    ['that Asterisk calls failed has failed, however long', 5_000, 9_000, 'failed', 'notice_failed'],
  ] as const)('%s', (_, startedAt, finishedAt, outcome, verdict) => {
    expect(judge(sentence, startedAt, finishedAt, outcome)).toEqual({ sentence, startedAt, finishedAt, verdict });
  });

  test.each([
    [undefined, 'verified'],
    [1_900, 'verified'],
    [3_600_000, 'verified'],
    [1_899, 'notice_cut_short'],
    [0, 'notice_cut_short'],
    [-1, 'notice_cut_short'],
  ] as const)(
    'of the whole length by Asterisk, whose end came %p ms after it was asked for, is %s',
    (since, verdict) => {
      expect(judge(sentence, 5_000, 7_000, 'done', since).verdict).toBe(verdict);
    },
  );

  test('that Asterisk calls too short is never verified for having taken long', () => {
    expect(judge(sentence, 5_000, 6_899, 'done', 60_000).verdict).toBe('notice_cut_short');
  });

  test('of a prompt whose length is not a number is never verified', () => {
    const unknown = { ...sentence, prompt: aPrompt({ lengthMs: Number.NaN }) };
    expect(judge(unknown, 0, 10_000, 'done').verdict).toBe('notice_cut_short');
  });
});

describe('a notice', () => {
  const heard: Played = { sentence, startedAt: 0, finishedAt: 2_000, verdict: 'verified' };
  const later: Played = { ...heard, startedAt: 2_100, finishedAt: 4_100 };

  test('of verified sentences is proof, and ended with its last sentence', () => {
    expect(proveNotice([heard, later])).toEqual({ sentences: [heard, later], finishedAt: 4_100 });
  });

  test('without sentences proves nothing', () => {
    expect(proveNotice([])).toBeUndefined();
  });

  test.each(['notice_failed', 'notice_cut_short', 'notice_timeout'] as const)(
    'with one sentence that is %s proves nothing, wherever it stands',
    (verdict) => {
      expect(proveNotice([{ ...heard, verdict }, later])).toBeUndefined();
      expect(proveNotice([heard, { ...later, verdict }])).toBeUndefined();
    },
  );

  test('whose last sentence never ended proves nothing', () => {
    expect(proveNotice([heard, { ...later, finishedAt: undefined }])).toBeUndefined();
  });
});
