import { endUnseen } from '../../../../src/call/watch/endUnseen.ts';
import type { ChannelId } from '../../../../src/core/ids.ts';
import { countingIds, someFacts, stateAt } from '../../../support/call/calls.ts';

const facts = someFacts(countingIds());
const { callerChannel, order, startedAt } = facts;

describe('a recorded talk whose serve died in it', () => {
  test('ends with an end that nobody saw, and was unwatched since the last mark', () => {
    const end = endUnseen(stateAt('talking', facts), startedAt + 9_000);
    expect(end?.ended).toMatchObject({
      kind: 'ended',
      endedAt: undefined,
      outcome: { result: 'recorded' },
      recorder: { kind: 'finished', finishedAt: undefined },
    });
    expect(end?.interval).toEqual({
      from: startedAt + 9_000,
      to: null,
      heardAgainAt: null,
      why: 'process_ended',
      bridge: order.bridge,
      parties: [callerChannel, order.destination],
    });
  });

  test.each([undefined, startedAt - 61_000])('was unwatched from its beginning where the mark is %s', (mark) => {
    expect(endUnseen(stateAt('talking', facts), mark)?.interval.from).toBe(startedAt);
  });

  test('has no parties that CEL could tell of, where one is behind a Local/ channel', () => {
    const behind = { ...facts, farEnds: { destination: ['a' as ChannelId] } };
    expect(endUnseen(stateAt('talking', behind), undefined)?.interval.parties).toEqual([]);
  });
});

test.each(['announcing', 'dialling', 'ended'] as const)('a call that is %s is left alone', (kind) => {
  expect(endUnseen(stateAt(kind, facts), undefined)).toBeUndefined();
});
