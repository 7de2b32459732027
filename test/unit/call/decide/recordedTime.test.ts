import { decide } from '../../../../src/call/decide/decide.ts';
import type { CallEvent } from '../../../../src/call/decide/events.ts';
import { secondsForPart } from '../../../../src/call/decide/recordedTime.ts';
import type { CallState } from '../../../../src/call/decide/state.ts';
import type { BridgeId, ChannelId } from '../../../../src/core/ids.ts';
import { agent, followed, goneOn } from '../../../support/call/followedStage.ts';
import { typesOf } from '../../../support/call/calls.ts';

const facts = followed();
const maximumSeconds = 600;
const limited = { ...facts, order: { ...facts.order, maximumSeconds } };

const joins = (at: number): CallEvent => ({ type: 'joined', bridge: `bridge-${at}` as BridgeId, others: [agent], at });
const began = (part: number, at: number | undefined): CallEvent => ({ type: 'recorderStarted', at, part });
const ended = (part: number, at: number | undefined): CallEvent => ({ type: 'recorderFinished', at, part });
const parts = (at: number): CallEvent => ({ type: 'parted', at });

const after = (...events: readonly CallEvent[]): CallState =>
  events.reduce((state, event) => decide(state, event).state, goneOn(limited));
const leftIn = (state: CallState): number => secondsForPart(state.facts, limited.order);

describe('the time of a recording', () => {
  test('is what all parts have together, without the time between them', () => {
    const first = after(joins(1_000), began(1, 1_000), parts(101_000), ended(1, 101_000));
    expect(leftIn(first)).toBe(500);
    const second = [joins(900_000), began(2, 900_000), parts(1_100_000), ended(2, 1_100_000)];
    expect(leftIn(second.reduce((state, event) => decide(state, event).state, first))).toBe(300);
  });

  test('counts a part whose end is told only after the next has begun', () => {
    const changed = after(joins(1_000), began(1, 1_000), { type: 'sourceChanged' }, ended(1, 61_000), began(2, 61_050));
    expect(leftIn(changed)).toBe(540);
    const late = after(joins(1_000), began(1, 1_000), { type: 'sourceChanged' }, began(2, 61_000), ended(1, 61_010));
    expect(leftIn(late)).toBe(540);
  });

  test('does not count what nobody saw the end of', () => {
    expect(leftIn(after(joins(1_000), began(1, 1_000), ended(1, undefined)))).toBe(maximumSeconds);
  });

  test('begins once where each side has a recorder', () => {
    expect(leftIn(after(joins(1_000), began(1, 1_000), began(1, 1_020), ended(1, 101_000)))).toBe(500);
  });
});

test.each([
  [600_400, false],
  [599_100, false],
  [300_000, true],
])('a talk is recorded only while time is left of the recording: after %d ms of it, %s', (ms, isRecorded) => {
  const state = after(joins(0), began(1, 0), ended(1, ms), parts(ms + 9_000));
  const { effects } = decide(state, joins(900_000));
  expect(typesOf(effects).includes('startRecorder')).toBe(isRecorded);
});

describe('once a recorder was stopped for want of room', () => {
  const stopped = [joins(1_000), began(1, 1_000), ended(1, 2_000), { type: 'roomSpent' as const }];

  test('no later talk of the call is recorded', () => {
    const state = after(...stopped, parts(3_000));
    expect(typesOf(decide(state, joins(9_000)).effects)).toEqual(['save']);
  });

  test('nor is one that has begun meanwhile, or that was over', () => {
    const between = after(joins(1_000), began(1, 1_000), parts(2_000), { type: 'roomSpent' });
    expect(typesOf(decide(between, joins(9_000)).effects)).toEqual(['save']);
    const next = after(joins(1_000), began(1, 1_000), parts(2_000), ended(1, 2_000), joins(2_010));
    expect(decide(next, { type: 'roomSpent' }).effects).toMatchObject([
      { type: 'stopRecorder', part: 2 },
      { type: 'save' },
    ]);
  });

  test('nobody is told any more of a recording that will not be', () => {
    const tells = goneOn({ ...limited, order: { ...limited.order, newcomers: 'tell' } });
    const newcomer: CallEvent = { type: 'thirdPartyJoined', channel: 'newcomer' as ChannelId, at: 2_500 };
    const telling = [joins(1_000), began(1, 1_000), newcomer].reduce(
      (state, event) => decide(state, event).state,
      tells,
    );
    expect(decide(telling, { type: 'roomSpent' }).state).toMatchObject({ telling: [], recorder: { kind: 'finished' } });
  });
});
