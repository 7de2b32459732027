/**
 * P1 and consent by enumeration, the second way: all short sequences of events, each step by `decide` and the oracle themselves.
 * Two are merged only where state and history are equal in every part, which Node is asked too; nothing less is taken to be equal.
 * What follows is then walked once, and counted for each of them.
 */
import type { CallEvent } from '../../../../src/call/decide/events.ts';
import type { PlaybackId } from '../../../../src/core/ids.ts';
import { stranger } from '../../../support/call/calls.ts';
import { digits, everyEvent, plainTimes } from '../../../support/enumeration/events.ts';
import { factsWith } from '../../../support/enumeration/oracle.ts';
import { sequences } from '../../../support/enumeration/sequences.ts';

describe('every sequence, merged only where state and history are equal in every part,', () => {
  const facts = factsWith({ sentenceCount: 1 });
  const { order } = facts;
  const playbackId = order.script.sentences[0]?.playbackId ?? ('' as PlaybackId);
  const another = 'preavis-another' as PlaybackId;

  test('of five events from the answering on, more than a million, keeps every rule', () => {
    const events: CallEvent[] = [
      { type: 'noticeConfirmed' },
      { type: 'noticeDenied', why: 'notice_not_received' },
      { type: 'callerAnswered' },
      { type: 'playbackStarted', playbackId, at: 0 },
      { type: 'playbackStarted', playbackId, at: 100 },
      { type: 'playbackStarted', playbackId: another, at: 0 },
      { type: 'playbackFinished', playbackId, at: 949, outcome: 'done' },
      { type: 'playbackFinished', playbackId, at: 950, outcome: 'done' },
      { type: 'playbackFinished', playbackId, at: 950, outcome: 'failed' },
      { type: 'playbackFinished', playbackId: another, at: 950, outcome: 'done' },
      { type: 'destinationAnswered', at: 0 },
      { type: 'destinationLeft', at: 5_000, cause: 17 },
      { type: 'recorderStarted', at: 6_000 },
      { type: 'thirdPartyJoined', channel: stranger },
      { type: 'callerHeld', at: 4_000 },
      { type: 'callerLeft', at: 8_000 },
      { type: 'interrupted' },
      { type: 'eventsMissed' },
      { type: 'stepFailed', step: 'play' },
      { type: 'timeUp', timer: 'playback' },
    ];
    const explored = sequences(facts, events, 5, [{ type: 'planned', order }, { type: 'ready' }]);
    expect(explored.found).toEqual([]);
    expect(explored.visited).toBeGreaterThan(1_000_000);
    expect([...explored.states].sort()).toEqual([
      'announcing',
      'answering',
      'confirming',
      'dialling',
      'ended',
      'talking',
    ]);
  });

  test('of four events from the end of the notice on, more than 850,000, keeps every rule', () => {
    const told: CallEvent[] = [
      { type: 'planned', order },
      { type: 'ready' },
      { type: 'callerAnswered' },
      { type: 'playbackStarted', playbackId, at: 0 },
      { type: 'playbackFinished', playbackId, at: 950, outcome: 'done' },
      { type: 'noticeConfirmed' },
    ];
    const events = everyEvent(facts, plainTimes);
    const explored = sequences(facts, events, 4, told);
    expect(explored.found).toEqual([]);
    expect(explored.visited).toBeGreaterThan(850_000);
    expect([...explored.states].sort()).toEqual(['closing', 'dialling', 'ended', 'talking']);
  });

  test.each(['optOut', 'optIn'] as const)('of keys and what a call with %s may hear between them', (mode) => {
    const asking = factsWith({ mode, sentenceCount: 1 });
    const [notice, question] = asking.order.script.sentences.map((sentence) => sentence.playbackId);
    if (notice === undefined || question === undefined) throw new Error('there is a notice and a question');
    const events: CallEvent[] = [
      ...digits.map((digit): CallEvent => ({ type: 'digit', digit, at: 3_000 })),
      ...[notice, question].flatMap((id): CallEvent[] => [
        { type: 'playbackStarted', playbackId: id, at: 0 },
        { type: 'playbackFinished', playbackId: id, at: 1_000, outcome: 'done' },
      ]),
      { type: 'noticeConfirmed' },
      { type: 'timeUp', timer: 'consent' },
      { type: 'destinationAnswered', at: 0 },
      { type: 'recorderStarted', at: 6_000 },
      { type: 'thirdPartyJoined', channel: stranger },
      { type: 'eventsMissed' },
    ];
    const answered: CallEvent[] = [
      { type: 'planned', order: asking.order },
      { type: 'ready' },
      { type: 'callerAnswered' },
    ];
    const before: CallEvent[] = [...answered, { type: 'playbackStarted', playbackId: notice, at: 0 }];
    const explored = sequences(asking, events, 5, before);
    expect(explored.found).toEqual([]);
    expect(explored.visited).toBeGreaterThan(250_000);
  });
});
