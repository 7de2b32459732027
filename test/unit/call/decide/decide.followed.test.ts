/** What the enumeration of followed calls leaves out: who is behind a Local/ channel, parts whose end was missed, news that come late. */
import { decide } from '../../../../src/call/decide/decide.ts';
import type { CallEvent } from '../../../../src/call/decide/events.ts';
import type { CallState, Effect } from '../../../../src/call/decide/state.ts';
import type { NewcomerRule } from '../../../../src/config/newcomers.ts';
import type { BridgeId, ChannelId } from '../../../../src/core/ids.ts';
import { aFollowed, callStart, course, heardNotice, typesOf } from '../../../support/call/calls.ts';

const agent = 'agent' as ChannelId;
const group = 'ring-group-local-1' as ChannelId;
const member = 'member-of-the-group' as ChannelId;
const staff = 'staff' as ChannelId;

const joined = (others: readonly ChannelId[], at: number, bridge = `bridge-${at}`): CallEvent => ({
  type: 'joined',
  bridge: bridge as BridgeId,
  others,
  at: callStart + at,
});
const parted = (at: number): CallEvent => ({ type: 'parted', at: callStart + at });
const seen = (channels: readonly ChannelId[], at: number, of: readonly ChannelId[] = []): CallEvent => ({
  type: 'farEndSeen',
  party: 'destination',
  channels,
  at: callStart + at,
  ...(of.length === 0 ? {} : { staff: of }),
});

/** A followed call after these events of its talks, with what the last of them asks for. */
function after(events: readonly CallEvent[], newcomers: NewcomerRule = 'tell'): { state: CallState; last: Effect[] } {
  const facts = aFollowed();
  const order = { ...facts.order, newcomers };
  const until = [
    { type: 'planned', order } as const,
    { type: 'ready' } as const,
    { type: 'callerAnswered' } as const,
    ...heardNotice(order),
    { type: 'callerReleased' } as const,
  ];
  let { state }: { state: CallState } = course({ ...facts, order }, until);
  let last: readonly Effect[] = [];
  for (const event of events) ({ state, effects: last } = decide(state, event));

  return { state, last: [...last] };
}

const started = (part: number, at: number): CallEvent => ({ type: 'recorderStarted', part, at: callStart + at });
const finished = (part: number, at: number): CallEvent => ({ type: 'recorderFinished', part, at: callStart + at });
const talkWithAgent = [joined([agent], 20_000), started(1, 20_010), parted(30_000), finished(1, 30_010)];
const startsOf = (effects: readonly Effect[]): number =>
  typesOf(effects).filter((type) => type === 'startRecorder').length;

describe('a told caller who is transferred to a ring group', () => {
  const transferred = [...talkWithAgent, joined([group], 35_000)];

  it('is recorded with who answers there only once they were told, while Local/ channels stand between', () => {
    const { state, last } = after([...transferred, seen([member], 35_002)]);
    expect(state).toMatchObject({ kind: 'talking', telling: [member], recorder: { kind: 'awaited' } });
    expect(startsOf(last)).toBe(0);
    expect(last).toContainEqual(expect.objectContaining({ type: 'tellNewcomer', channel: member }));
  });

  it('is so when Asterisk has taken the Local/ channels out of the way', () => {
    const { state, last } = after([...transferred, seen([member], 35_002), parted(35_007), joined([member], 35_007)]);
    expect(state).toMatchObject({ kind: 'talking', telling: [member] });
    expect(startsOf(last)).toBe(0);
  });

  it('is recorded at once with staff who answer there', () => {
    const { state, last } = after([...transferred, seen([staff], 35_002, [staff])]);
    expect(state).toMatchObject({ kind: 'talking', telling: [], recorder: { kind: 'requested' } });
    // A process that dies after the start would not look for what was to wait.
    expect(typesOf(last)).toEqual(['save', 'save', 'startRecorder', 'watchHolds']);
  });
});

describe('a told caller whose first destination is a ring group', () => {
  it('is recorded from the first sound on with who answers, also without the Local/ channels', () => {
    const { state, last } = after([
      joined([group], 20_000),
      seen([member], 20_002),
      parted(20_007),
      joined([member], 20_007),
    ]);
    expect(state).toMatchObject({ kind: 'talking', telling: [], untold: false });
    expect(startsOf(last)).toBe(1);
  });

  it('is not recorded untold with who is behind the group later', () => {
    const { state } = after([joined([group], 20_000), seen([member], 20_002), seen([member, staff], 25_000)]);
    expect(state).toMatchObject({ telling: [staff] });
  });
});

test('the end of an earlier part that was missed is no pause from the next talk on', () => {
  const { state } = after([
    joined([agent], 20_000),
    started(1, 20_010),
    { type: 'recorderFinished', part: 1, at: undefined },
    parted(30_000),
    joined([agent], 40_000),
  ]);
  expect(state).toMatchObject({ recorder: { kind: 'requested', resumes: { pausedAt: undefined, doneAt: undefined } } });
});

test('the end of a part that comes after the talk was left is kept', () => {
  const { state } = after([
    joined([agent], 20_000),
    started(1, 20_010),
    { type: 'thirdPartyJoined', channel: member, at: callStart + 25_000 },
    parted(25_005),
    finished(1, 25_020),
  ]);
  expect(state).toMatchObject({ recorder: { kind: 'finished', finishedAt: callStart + 25_020 } });
});

test('a second part that nobody wrote down is saved before the next is begun', () => {
  const { last } = after([
    joined([agent], 20_000),
    started(1, 20_010),
    { type: 'sourceChanged' },
    { type: 'thirdPartyJoined', channel: staff, at: callStart + 25_000, staff: [staff] },
  ]);
  expect(typesOf(last)).toEqual(['stopRecorder', 'save', 'startRecorder', 'save']);
});

test.each([
  ['is told before Asterisk says that they have gone on', ['widebandSeen', 'callerSentOn', 'callerReleased']],
  ['is told after it', ['callerSentOn', 'widebandSeen', 'callerReleased']],
])('the rate of the caller is saved, and a recorder is asked for with it, where that %s', (_, types) => {
  const facts = aFollowed();
  const known = course(facts, [
    { type: 'planned', order: facts.order },
    { type: 'ready' },
    { type: 'callerAnswered' },
    ...heardNotice(facts.order),
    ...types.map((type) => ({ type, at: callStart + 15_000 }) as CallEvent),
  ]);
  const withRate = { facts: { order: { isWideband: true } } };
  expect(known.state).toMatchObject({ kind: 'following', ...withRate });
  expect(known.effects.at(-1)).toEqual({ type: 'save' });
  const { effects } = decide(known.state, joined([agent], 20_000));
  expect(effects[0]).toMatchObject({ type: 'startRecorder', order: withRate.facts.order });
});
