import { setTimeout as sleep } from 'node:timers/promises';
import { asLocalName, type AriEvent, type LocalName } from '../../../../src/ari/events.ts';
import { decide } from '../../../../src/call/decide/decide.ts';
import { FarEndWatch } from '../../../../src/call/watch/farEndWatch.ts';
import { BridgeMap } from '../../../../src/call/watch/bridgeMap.ts';
import { swapMs } from '../../../../src/call/watch/bridgeMap.ts';
import type { TimelineEntry } from '../../../../src/call/watch/timeline.ts';
import type { CallState, Effect } from '../../../../src/call/decide/state.ts';
import type { BridgeId, ChannelId } from '../../../../src/core/ids.ts';
import { someFacts, stateAt } from '../../../support/call/calls.ts';
import { eventually } from '../../../support/poll.ts';

const half = (text: string): LocalName => {
  const name = asLocalName(text);
  if (name === undefined) throw new Error(`${text} is no Local/ channel`);

  return name;
};

const facts = someFacts();
const { callerChannel } = facts;
const { bridge, destination } = facts.order;

/** One call in this state, and the watch that tells it; nothing else of a call is there. */
function stage(kind: CallState['kind'], { watchesBridges = true } = {}) {
  const effects: Effect['type'][] = [];
  const kept: TimelineEntry[] = [];
  const session = {
    state: stateAt(kind, facts),
    isAbandoned: false,
    handle: (event: Parameters<typeof decide>[1]): void => {
      const step = decide(session.state, event);
      session.state = step.state;
      effects.push(...step.effects.map(({ type }) => type));
    },
    note: (happening: TimelineEntry): void => void kept.push(happening),
  };
  const watch = new FarEndWatch({
    map: new BridgeMap(),
    isNeverRecorded: (channel) => channel === 'never',
    sessionOf: (channel) => (channel === callerChannel || channel === destination ? session : undefined),
    watchesBridges: () => watchesBridges,
  });
  const enters = (channel: string, into: string, localName?: string): void => {
    const name = localName === undefined ? undefined : half(localName);
    const event = {
      type: 'bridgeEntered',
      at: 5,
      bridgeId: into as BridgeId,
      channelId: channel as ChannelId,
    } as const;
    watch.handle(name === undefined ? event : { ...event, localName: name });
  };
  const leaves = (channel: string, from: string): void => {
    watch.handle({ type: 'bridgeLeft', at: 6, bridgeId: from as BridgeId, channelId: channel as ChannelId });
  };

  return { session, effects, kept, watch, enters, leaves };
}

/** The destination is a Local/ channel, and an agent behind it has the call. */
function withAgent(kind: CallState['kind'] = 'talking') {
  const set = stage(kind);
  set.enters(callerChannel, bridge);
  set.enters(destination, bridge, 'Local/600@ring-1;1');
  set.enters('far', 'b', 'Local/600@ring-1;2');
  set.enters('agent', 'b');

  return set;
}

const isUntold = (state: CallState): boolean | undefined => ('untold' in state ? state.untold : undefined);

test('who is first behind a destination is the destination, and is kept', () => {
  const { session, effects, kept } = withAgent();
  expect(session.state.facts.farEnds).toEqual({ destination: ['agent'] });
  expect(effects).toEqual(['save', 'save']);
  expect(kept).toEqual([]);
  expect(isUntold(session.state)).toBe(false);
});

test.each([
  [
    'who joins them',
    'joined',
    (set: ReturnType<typeof stage>) => {
      set.enters('next', 'b');
    },
  ],
  [
    'who takes their place',
    'transferred',
    (set: ReturnType<typeof stage>) => {
      set.leaves('agent', 'b');
      set.enters('next', 'b');
    },
  ],
] as const)('%s ends the recording, and is told of once', (_, change, act) => {
  const set = withAgent();
  act(set);
  expect(isUntold(set.session.state)).toBe(true);
  expect(set.effects.slice(2)).toEqual(['stopRecorder', 'save']);
  set.enters('next', 'b');
  expect(set.effects).toHaveLength(4);
  expect(set.kept).toEqual([{ kind: 'change', change, at: 5, party: 'destination', who: ['next'] }]);
});

test('one who goes and comes back is no other', () => {
  const { session, leaves, enters } = withAgent();
  leaves('agent', 'b');
  enters('agent', 'c');
  enters('far', 'c', 'Local/600@ring-1;2');
  expect(isUntold(session.state)).toBe(false);
});

test('a call that goes on elsewhere without them is recorded no more', async () => {
  const { session, leaves, effects } = withAgent();
  leaves('far', 'b');
  expect(isUntold(session.state)).toBe(false);
  await eventually(() => isUntold(session.state) === true);
  expect(effects).toContain('stopRecorder');
});

test('a call that waits for them in its bridge goes on being recorded', async () => {
  const { session, leaves } = withAgent();
  leaves('agent', 'b');
  await sleep(swapMs + 100);
  expect(isUntold(session.state)).toBe(false);
});

test('who has come while it rings makes the talk an unrecorded one', () => {
  const { session, enters, effects } = withAgent('dialling');
  enters('next', 'b');
  session.handle({ type: 'destinationAnswered', at: 9 });
  expect(session.state).toMatchObject({ kind: 'talking', recorder: { kind: 'withheld', why: 'untold_party' } });
  expect(effects).not.toContain('startRecorder');
});

describe('a caller that is a Local/ channel', () => {
  const arrival = (localName: string): AriEvent => {
    const event = {
      type: 'channelArrived',
      at: 1,
      channelId: callerChannel,
      args: [] as string[],
      callerNumber: '',
      language: '',
    } as const;

    return { ...event, replaces: undefined, localName: half(localName) };
  };

  test('is who is behind it when the notice begins', () => {
    const { session, watch, enters } = stage('announcing');
    watch.handle(arrival('Local/600@in-1;2'));
    enters('half', 'x', 'Local/600@in-1;1');
    enters('customer', 'x');
    expect(session.state).toMatchObject({ kind: 'announcing', facts: { farEnds: { caller: ['customer'] } } });
    enters('another', 'x');
    expect(session.state).toMatchObject({
      kind: 'announcing',
      facts: { farEnds: { caller: ['customer', 'another'] } },
    });
  });

  test('was not told where nobody was behind it then', () => {
    const { session, watch, enters } = stage('talking');
    watch.handle(arrival('Local/600@in-1;2'));
    expect(isUntold(session.state)).toBe(false);
    enters('half', 'x', 'Local/600@in-1;1');
    enters('customer', 'x');
    expect(isUntold(session.state)).toBe(true);
    // Their keys are nobody's who was told.
    expect(session.state.facts.toldChannel).toBe(callerChannel);
  });

  /** Two are behind the caller in this state. */
  function withTwo(kind: CallState['kind']) {
    const set = stage(kind);
    set.watch.handle(arrival('Local/600@in-1;2'));
    set.enters('half', 'x', 'Local/600@in-1;1');
    for (const channel of ['customer', 'partner']) set.enters(channel, 'x');

    return set;
  }

  test.each(['answering', 'announcing'] as const)(
    'was not told where they left before the end of the notice: %s',
    async (kind) => {
      const { session, leaves, enters } = withTwo(kind);
      expect(session.state.facts.farEnds).toEqual({ caller: ['customer', 'partner'] });
      leaves('customer', 'x');
      await eventually(() => session.state.facts.farEnds?.caller?.length === 1);
      expect(session.state.kind).toBe(kind);
      const { facts: known } = session.state;
      session.state = { ...stateAt('talking', facts), facts: { ...facts, farEnds: known.farEnds } };
      enters('customer', 'x');
      expect(isUntold(session.state)).toBe(true);
    },
  );

  test('is told nothing when the last of them has left', async () => {
    const { session, leaves } = withTwo('announcing');
    leaves('customer', 'x');
    leaves('partner', 'x');
    await eventually(() => session.state.kind === 'ended');
    expect(session.state).toMatchObject({ outcome: { result: 'unrecorded', reason: 'untold_party' } });
  });

  test('has heard the notice where Asterisk only moves them to another bridge', async () => {
    const { session, leaves, enters } = withTwo('announcing');
    leaves('customer', 'x');
    enters('customer', 'x');
    await sleep(300);
    expect(session.state.kind).toBe('announcing');
    expect(session.state.facts.farEnds?.caller).toHaveLength(2);
  });

  test('is who stays when the notice ends just after one has left, also where events are missed then', () => {
    const { session, leaves, watch } = withTwo('announcing');
    leaves('customer', 'x');
    const { facts: known } = session.state;
    session.state = { ...stateAt('talking', facts), facts: { ...facts, farEnds: known.farEnds } };
    watch.connectionLost();
    expect(session.state.facts.farEnds).toEqual({ caller: ['partner'] });
    expect(isUntold(session.state)).toBe(false);
  });

  test('may leave once they were told, and come back', async () => {
    const { session, leaves, enters, effects } = withTwo('announcing');
    const { facts: known } = session.state;
    session.state = { ...stateAt('talking', facts), facts: { ...facts, farEnds: known.farEnds } };
    leaves('customer', 'x');
    await sleep(300);
    enters('customer', 'x');
    expect(isUntold(session.state)).toBe(false);
    expect(effects).toEqual([]);
  });

  test('is not announced where it cannot be seen who is behind it', () => {
    const { session, watch } = stage('announcing', { watchesBridges: false });
    watch.handle(arrival('Local/600@in-1;2'));
    expect(session.state).toMatchObject({ kind: 'ended', outcome: { reason: 'untold_party' } });
  });
});

test('where the bridges of others are not told of, nothing is recorded with a Local/ destination, and all with another', () => {
  const local = stage('dialling', { watchesBridges: false });
  local.enters(destination, bridge, 'Local/600@ring-1;1');
  expect(isUntold(local.session.state)).toBe(true);
  const other = stage('dialling', { watchesBridges: false });
  other.enters(destination, bridge);
  expect(isUntold(other.session.state)).toBe(false);
});

describe('a destination behind which nobody was seen', () => {
  const found = (mayRecord: boolean) => {
    const set = stage('talking');
    set.enters(destination, bridge, 'Local/600@ring-1;1');
    expect(set.session.state.facts.farEnds).toEqual({ destination: [] });
    expect(set.effects).toEqual(['save']);
    set.watch.connectionLost();
    set.watch.fill({
      channels: [],
      listed: new Map(),
      localNames: new Map([
        [destination, half('Local/600@ring-1;1')],
        ['far' as ChannelId, half('Local/600@ring-1;2')],
      ]),
      bridges: [{ id: 'b' as BridgeId, isOurs: false, members: ['far', 'next'] as ChannelId[], answered: [] }],
    });
    set.watch.compare(set.session, mayRecord);

    return set;
  };

  test('is whoever is found after events were missed, where nothing was recorded meanwhile', () => {
    const { session, kept } = found(false);
    expect(session.state).toMatchObject({ untold: false, facts: { farEnds: { destination: ['next'] } } });
    expect(kept).toEqual([]);
  });

  test('is not known where a recorder ran: another may have been there before', () => {
    const { session, kept, effects } = found(true);
    expect(isUntold(session.state)).toBe(true);
    expect(effects).toContain('stopRecorder');
    expect(kept).toEqual([
      { kind: 'change', change: 'transferred', at: undefined, party: 'destination', who: ['next'] },
    ]);
  });
});

test('what happened while events were missed is seen by who is there afterwards', () => {
  const { session, watch, kept } = withAgent();
  watch.connectionLost();
  watch.fill({
    channels: [],
    listed: new Map(),
    localNames: new Map([
      [destination, half('Local/600@ring-1;1')],
      ['far' as ChannelId, half('Local/600@ring-1;2')],
    ]),
    bridges: [{ id: 'b' as BridgeId, isOurs: false, members: ['far', 'next'] as ChannelId[], answered: [] }],
  });
  expect(isUntold(session.state)).toBe(false);
  watch.compare(session, true);
  expect(isUntold(session.state)).toBe(true);
  expect(kept).toEqual([{ kind: 'change', change: 'transferred', at: undefined, party: 'destination', who: ['next'] }]);
});
