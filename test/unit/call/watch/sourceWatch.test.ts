import { jest } from '@jest/globals';
import type { AriEvent } from '../../../../src/ari/events.ts';
import type { ChannelId } from '../../../../src/core/ids.ts';
import type { TimelineEntry } from '../../../../src/call/watch/timeline.ts';
import { sourceVariable } from '../../../../src/call/watch/sourceQuestions.ts';
import { SourceWatch } from '../../../../src/call/watch/sourceWatch.ts';
import { mostRenewals } from '../../../../src/call/watch/sources.ts';
import type { CallState, In } from '../../../../src/call/decide/state.ts';
import { anOrder, countingIds, someFacts, stateAt } from '../../../support/call/calls.ts';
import { collectingLog } from '../../../support/logLines.ts';
import { scriptedAri, unlimited } from '../../../support/ari/scriptedAri.ts';

const ids = countingIds();
const order = anOrder(ids);
const facts = { ...someFacts(ids, { order }), order };
const { destination, bridge } = order;
const caller = facts.callerChannel;
const debian = { version: '22.10.1+dfsg+~cs6.17.60671434-1', node: 'test' };

function talking(over: Partial<In<'talking'>> = {}): In<'talking'> {
  const state = stateAt('talking', { ...facts, asterisk: debian });
  if (state.kind !== 'talking') throw new Error('they do not talk');

  return { ...state, ...over };
}

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
});

afterEach(() => {
  jest.useRealTimers();
});

const second = (): Promise<void> => jest.advanceTimersByTimeAsync(1_000);
async function seconds(count: number): Promise<void> {
  for (let each = 0; each < count; each += 1) await second();
}

/** A watch of a talk, whose looks are in `asked`. */
function stage({
  state = talking(),
  takenUp = undefined as CallState | undefined,
  isDestinationHeard = true,
  limits = { looks: unlimited, moves: unlimited },
} = {}) {
  const ari = scriptedAri();
  const { log, lines } = collectingLog();
  const [kept, counted, lost]: [TimelineEntry[], string[], string[]] = [[], [], []];
  const lookedAgain: string[] = [];
  const heardAgain: [ChannelId, number | undefined][] = [];
  const now: { talk: In<'talking'> | undefined } = { talk: state };
  const catalogue = { takes: true };
  const anew = { asked: 0, isTaken: true, isFresh: true };
  const looks: ChannelId[] = [];
  const rtp = ari.rtp.bind(ari);
  ari.rtp = (channel) => {
    looks.push(channel);
    return rtp(channel);
  };
  const comesFrom = (channel: ChannelId, ssrc: number, receivedPackets = 9): void => {
    ari.state.rtp[channel] = { sentPackets: 9, receivedPackets, reported: '', source: { ssrc, lost: 0 } };
  };
  comesFrom(caller, 1);
  if (isDestinationHeard) comesFrom(destination, 2);
  else ari.state.rtp[destination] = { sentPackets: 9, receivedPackets: 0, reported: '', source: undefined };
  const both = [caller, destination];
  ari.state.inBridge[bridge] = both;
  ari.state.channels = both.map((id) => ({ id, state: 'Up' }));
  ari.state.owned = { channels: both, bridges: [bridge] };
  const watch = new SourceWatch(
    {
      ari,
      limits,
      log,
      talk: () => now.talk,
      inTurn: (step) => step(),
      keep: (happening) => {
        kept.push(happening);
        return Promise.resolve(catalogue.takes);
      },
      counted: (outcome) => counted.push(outcome),
      heardAgain: (...args) => {
        heardAgain.push(args);
        return Promise.resolve();
      },
      lost: () => lost.push('lost'),
      recordAnew: () => {
        anew.asked += 1;
        return anew.isTaken;
      },
      isRecorderFresh: () => anew.isFresh,
      lookAgain: () => {
        lookedAgain.push(`after ${asked().length}`);
        now.talk = undefined;
        return Promise.resolve();
      },
    },
    takenUp,
  );
  /** What follows is to be of the same talk. */
  const becomes = (talk: In<'talking'>): void => {
    now.talk = talk;
    watch.follow(talk);
  };
  becomes(state);
  const end = (): void => {
    now.talk = undefined;
    watch.follow(stateAt('ended', { ...facts, asterisk: debian }));
  };
  const asked = (): string[] => ari.asked.filter((each) => each.startsWith('addToBridge'));
  const moved = (type: 'bridgeLeft' | 'bridgeEntered', channelId: ChannelId, at: number): void => {
    watch.take({ type, at, channelId, bridgeId: bridge } satisfies AriEvent);
  };
  /** Asterisk says that it has moved them, and they are in no bridge. */
  const doesNotComeIn = (channel: ChannelId, others: readonly ChannelId[]): void => {
    const add = ari.addToBridge.bind(ari);
    ari.addToBridge = async (id, channels) => {
      await add(id, channels);
      if (channels.includes(channel)) ari.state.inBridge[bridge] = [...others];
    };
  };
  const changes = (): unknown[] =>
    kept.map((each) => (each.kind === 'change' ? [each.change, each.at, each.party] : []));

  return {
    ...{ ari, watch, now, looks, comesFrom, becomes, end, asked, moved, doesNotComeIn },
    ...{ kept, catalogue, changes, counted, heardAgain, lost, lookedAgain, lines, anew },
  };
}

const addOf = (channel: ChannelId): string => `addToBridge ${bridge} ${channel}`;

test('asks about each party once a second, while they talk, and no more', async () => {
  const { end, looks } = stage();
  await seconds(2);
  expect(looks).toEqual([caller, destination, caller, destination, caller, destination]);
  end();
  await second();
  expect(looks).toHaveLength(6);
});

test('asks more often in the first second until a party has sent something', async () => {
  const { comesFrom, looks } = stage({ isDestinationHeard: false });
  await jest.advanceTimersByTimeAsync(450);
  expect(looks.filter((each) => each === destination)).toHaveLength(3);
  comesFrom(destination, 2);
  await jest.advanceTimersByTimeAsync(500);
  expect(looks).toEqual([caller, ...Array<string>(4).fill(destination)]);
});

test('goes on to ask about a party whose RTP is there only after the first second', async () => {
  const { ari, comesFrom, asked } = stage();
  ari.state.rtp = {};
  await second();
  comesFrom(destination, 2);
  await second();
  comesFrom(destination, 22);
  await second();
  expect(asked()).toEqual([addOf(destination)]);
});

test('asks nothing of an Asterisk that drops nothing', async () => {
  const { looks } = stage({ state: talking({ facts }) });
  await second();
  expect(looks).toEqual([]);
});

test('moves a party whose source is another, in one request, and tells when by the clock of Asterisk', async () => {
  const { comesFrom, asked, moved, kept, counted, heardAgain } = stage();
  await second();
  comesFrom(destination, 22);
  await second();
  expect(asked()).toEqual([addOf(destination)]);
  moved('bridgeLeft', destination, 1_000_000);
  moved('bridgeEntered', destination, 1_000_002);
  await second();
  expect(kept).toEqual([
    { kind: 'change', change: 'unheard', at: 999_002, party: 'destination' },
    { kind: 'change', change: 'heardAgain', at: 1_000_002, party: 'destination' },
  ]);
  expect(counted).toEqual(['heardAgain']);
  expect(heardAgain).toEqual([[destination, 1_000_002]]);
  expect(asked()).toHaveLength(1);
});

test('moves a party whose source was another between two looks and is the first again', async () => {
  const { comesFrom, asked } = stage();
  comesFrom(destination, 2, 900);
  await second();
  comesFrom(destination, 2, 30);
  await second();
  expect(asked()).toEqual([addOf(destination)]);
});

test('takes a party who came into the bridge anew by others for one that is heard', async () => {
  const { comesFrom, becomes, asked, moved, changes } = stage();
  await second();
  becomes(talking({ holding: ['destination'] }));
  comesFrom(destination, 22);
  await second();
  await jest.advanceTimersByTimeAsync(10);
  moved('bridgeLeft', destination, 1_000_010);
  moved('bridgeEntered', destination, 1_000_910);
  becomes(talking());
  await second();
  expect(asked()).toEqual([]);
  expect(changes()).toEqual([
    ['unheard', 999_900, 'destination'],
    ['heardAgain', 1_000_910, 'destination'],
  ]);
});

test('tells it without times where the events of Asterisk do not come', async () => {
  const { comesFrom, changes } = stage();
  await second();
  comesFrom(caller, 11);
  await seconds(2);
  expect(changes()).toEqual([
    ['unheard', undefined, 'caller'],
    ['heardAgain', undefined, 'caller'],
  ]);
});

test('leaves a party alone while one holds the other, and moves them, one by one, when both are back', async () => {
  const { becomes, comesFrom, asked, ari } = stage();
  await second();
  becomes(talking({ holding: ['destination'] }));
  comesFrom(destination, 22);
  comesFrom(caller, 11);
  await seconds(2);
  expect(asked()).toEqual([]);
  becomes(talking());
  const release = ari.hold('addToBridge');
  await seconds(2);
  expect(asked()).toEqual([addOf(caller)]);
  release();
  await second();
  expect(asked()).toEqual([addOf(caller), addOf(destination)]);
});

test('leaves a party alone where nothing is mixed: without a recorder, and without a third one', async () => {
  const { becomes, comesFrom, asked, looks } = stage();
  await second();
  becomes(talking({ recorder: { kind: 'withheld', why: 'interrupted' } }));
  comesFrom(destination, 22);
  const before = looks.length;
  await second();
  expect(looks).toHaveLength(before);
  becomes(talking({ recorder: { kind: 'withheld', why: 'untold_party' }, others: ['a-stranger' as ChannelId] }));
  await seconds(2);
  // What changed meanwhile was heard all the time: it begins anew.
  expect(asked()).toEqual([]);
  comesFrom(destination, 33);
  await second();
  expect(asked()).toEqual([addOf(destination)]);
});

test('keeps that a party was not heard until nothing was mixed any more, and no longer', async () => {
  const { ari, becomes, comesFrom, changes, end } = stage();
  await second();
  ari.hold('addToBridge');
  comesFrom(destination, 22);
  await second();
  becomes(talking({ recorder: { kind: 'withheld', why: 'interrupted' } }));
  expect(changes()).toEqual([['unheard', undefined, 'destination']]);
  end();
  expect(changes()).toHaveLength(1);
});

test('sees who is behind a Local/ channel within the first second, whatever was asked before', async () => {
  const behind = 'PJSIP-behind' as ChannelId;
  const { ari, becomes, comesFrom, looks } = stage({ isDestinationHeard: false });
  // The answer to the first question, about the Local/ channel, is on the way.
  ari.state.rtp = {};
  becomes(talking({ facts: { ...facts, asterisk: debian, farEnds: { destination: [behind] } } }));
  comesFrom(behind, 5);
  await jest.advanceTimersByTimeAsync(250);
  expect(looks).toContain(behind);
});

test('asks about who is behind a Local/ channel, and moves that channel', async () => {
  const behind = 'PJSIP-behind' as ChannelId;
  const { ari, becomes, comesFrom, asked, looks } = stage({ isDestinationHeard: false });
  // Who is there is known only after some looks.
  ari.state.rtp = {};
  comesFrom(caller, 1);
  await seconds(4);
  becomes(talking({ facts: { ...facts, asterisk: debian, farEnds: { destination: [behind] } } }));
  comesFrom(behind, 5);
  await second();
  looks.length = 0;
  comesFrom(behind, 55);
  await second();
  expect(looks).toEqual([caller, behind]);
  expect(asked()).toEqual([addOf(destination)]);
});

test('a party who has taken the place of another begins anew', async () => {
  const { becomes, comesFrom, asked, looks } = stage();
  await second();
  const other = 'another-destination' as ChannelId;
  becomes(talking({ facts: { ...facts, asterisk: debian, order: { ...order, destination: other } } }));
  comesFrom(other, 33);
  await seconds(2);
  expect(looks.at(-1)).toBe(other);
  expect(asked()).toEqual([]);
});

test('does not fetch back a party who was taken out of the bridge by others', async () => {
  const { ari, comesFrom, asked } = stage();
  await second();
  ari.state.inBridge[bridge] = [caller];
  comesFrom(destination, 22);
  await seconds(4);
  expect(asked()).toEqual([]);
});

test('moves nobody while the state of the call may be behind that of Asterisk', async () => {
  const { now, comesFrom, asked, looks } = stage();
  await second();
  comesFrom(destination, 22);
  now.talk = undefined;
  const before = looks.length;
  await second();
  expect(looks).toHaveLength(before);
  now.talk = talking();
  await second();
  expect(asked()).toHaveLength(1);
});

test('moves nobody where events begin to be missed while Asterisk tells who is in the bridge', async () => {
  const { ari, now, comesFrom, asked } = stage();
  await second();
  const channelsIn = ari.channelsIn.bind(ari);
  ari.channelsIn = (id) => {
    now.talk = undefined;
    return channelsIn(id);
  };
  comesFrom(destination, 22);
  await second();
  expect(asked()).toEqual([]);
});

test('tells whether somebody is out of the bridge because of it, and when that is over', async () => {
  const { ari, watch, comesFrom } = stage();
  await second();
  const release = ari.hold('addToBridge');
  comesFrom(destination, 22);
  await second();
  let isMoved = false;
  void watch.moved().then(() => (isMoved = true));
  await second();
  expect([isMoved, watch.isMoving]).toEqual([false, true]);
  release();
  await second();
  expect([isMoved, watch.isMoving]).toEqual([true, false]);
});

describe('a party that Asterisk says to have moved, and that is in no bridge', () => {
  test('is fetched back by the next try, as one who was not heard until then', async () => {
    const { ari, comesFrom, asked, doesNotComeIn, changes, counted, moved } = stage();
    await second();
    const add = ari.addToBridge.bind(ari);
    doesNotComeIn(destination, [caller]);
    comesFrom(destination, 22);
    await second();
    await jest.advanceTimersByTimeAsync(600);
    expect([changes(), counted]).toEqual([[], []]);
    ari.addToBridge = (id, channels) => {
      ari.state.inBridge[bridge] = [caller, destination];
      return add(id, channels);
    };
    await jest.advanceTimersByTimeAsync(500);
    expect(asked()).toEqual([addOf(destination), addOf(destination)]);
    moved('bridgeEntered', destination, 1_000_000);
    await jest.advanceTimersByTimeAsync(200);
    expect(changes()).toEqual([
      // The look before the change was 2.1 s ago.
      ['unheard', 997_900, 'destination'],
      ['heardAgain', 1_000_000, 'destination'],
    ]);
    expect(counted).toEqual(['heardAgain']);
  });

  test('is left where they are, if others have taken them elsewhere meanwhile', async () => {
    const { ari, comesFrom, asked, doesNotComeIn, lost, watch } = stage();
    await second();
    doesNotComeIn(destination, [caller]);
    comesFrom(destination, 22);
    await jest.advanceTimersByTimeAsync(1_600);
    ari.state.inBridge['elsewhere'] = [destination];
    await seconds(6);
    expect(asked()).toHaveLength(1);
    expect(lost).toEqual([]);
    expect(watch.isMoving).toBe(false);
  });

  test('is not moved again where the other is in none either: the bridge was dissolved as soon as it had come in', async () => {
    const { comesFrom, asked, doesNotComeIn, lookedAgain, moved } = stage();
    await second();
    doesNotComeIn(destination, []);
    comesFrom(destination, 22);
    await second();
    moved('bridgeLeft', destination, 1_000_000);
    moved('bridgeEntered', destination, 1_000_002);
    moved('bridgeLeft', destination, 1_000_003);
    moved('bridgeLeft', caller, 1_000_003);
    await seconds(2);
    expect(asked()).toHaveLength(1);
    expect(lookedAgain).toEqual(['after 1']);
  });

  test('each time, is tried without a recorder, and then it is asked where both are', async () => {
    const { becomes, comesFrom, asked, doesNotComeIn, lost, counted, lookedAgain, changes } = stage();
    await second();
    doesNotComeIn(destination, [caller]);
    comesFrom(destination, 22);
    await seconds(4);
    expect(lost).toEqual(['lost']);
    expect(asked().length).toBeLessThanOrEqual(mostRenewals + 1);
    becomes(talking({ recorder: { kind: 'withheld', why: 'interrupted' } }));
    await seconds(8);
    expect(counted).toEqual(['recorderStopped']);
    expect(changes()).toEqual([['unheard', undefined, 'destination']]);
    expect(lookedAgain).toEqual([`after ${2 * mostRenewals + 1}`]);
  });

  test.each([
    ['the recorder has ended', { recorder: { kind: 'finished', startedAt: 1, finishedAt: 2 } }],
    ['one holds the other', { holding: ['caller'] }],
  ] as [string, Partial<In<'talking'>>][])('is fetched back also when %s meanwhile', async (_, over) => {
    const { ari, becomes, comesFrom, asked, doesNotComeIn, watch } = stage();
    await second();
    const add = ari.addToBridge.bind(ari);
    doesNotComeIn(destination, [caller]);
    comesFrom(destination, 22);
    await second();
    await jest.advanceTimersByTimeAsync(600);
    expect(watch.isMoving).toBe(true);
    becomes(talking(over));
    ari.addToBridge = (id, channels) => {
      ari.state.inBridge[bridge] = [caller, destination];
      return add(id, channels);
    };
    await seconds(2);
    expect(asked()).toHaveLength(2);
    expect(watch.isMoving).toBe(false);
  });

  test('is not taken for one that came in by its event alone, when that comes late', async () => {
    const { ari, comesFrom, changes, moved, watch } = stage();
    await second();
    ari.refuse('addToBridge', 'ari_unreachable', 1);
    comesFrom(destination, 22);
    await second();
    await jest.advanceTimersByTimeAsync(500);
    ari.state.inBridge[bridge] = [caller];
    moved('bridgeEntered', destination, 1_000_000);
    await jest.advanceTimersByTimeAsync(200);
    expect([changes(), watch.isMoving]).toEqual([[], true]);
  });

  test('is not taken for heard where Asterisk tells that they talk', async () => {
    const { comesFrom, doesNotComeIn, watch, changes } = stage();
    await second();
    watch.hear(destination, performance.now() + 5_000);
    await second();
    doesNotComeIn(destination, [caller]);
    comesFrom(destination, 22);
    await second();
    await jest.advanceTimersByTimeAsync(600);
    expect(watch.isMoving).toBe(true);
    watch.hear(destination, performance.now() + 5_000);
    expect(changes()).toEqual([]);
  });

  test('is not heard again since an event of an earlier move', async () => {
    const { ari, comesFrom, moved, changes } = stage();
    await second();
    const release = ari.hold('addToBridge');
    comesFrom(destination, 22);
    await second();
    moved('bridgeLeft', destination, 1_000_000);
    await jest.advanceTimersByTimeAsync(10);
    moved('bridgeEntered', destination, 999_000);
    release();
    await second();
    expect(changes().at(-1)).toEqual(['heardAgain', undefined, 'destination']);
  });

  test('is not sought where somebody else has taken their place', async () => {
    const { becomes, comesFrom, asked, doesNotComeIn, watch } = stage();
    await second();
    doesNotComeIn(destination, [caller]);
    comesFrom(destination, 22);
    await second();
    await jest.advanceTimersByTimeAsync(600);
    const other = 'another-destination' as ChannelId;
    becomes(talking({ facts: { ...facts, asterisk: debian, order: { ...order, destination: other } } }));
    await seconds(3);
    expect(asked()).toHaveLength(1);
    expect(watch.isMoving).toBe(false);
  });
});

test('where Asterisk refuses each time, says so, once, and keeps that the rest may be missing', async () => {
  const { ari, comesFrom, asked, lost, counted, changes, lines, lookedAgain, watch } = stage();
  watch.take({ type: 'recorderStarted', at: 500_000, name: 'this' });
  await second();
  ari.refuse('addToBridge', 'ari_request_failed', 99);
  comesFrom(destination, 22);
  await seconds(8);
  expect(asked()).toHaveLength(mostRenewals);
  expect(lost).toEqual(['lost']);
  expect(counted).toEqual(['recorderStopped']);
  expect(changes()).toEqual([['unheard', 501_000, 'destination']]);
  expect(lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  expect(lookedAgain).toEqual([]);
});

test('stops the recorder once events are not missed any more, where that was decided before', async () => {
  const { ari, now, comesFrom, lost, counted } = stage();
  await second();
  ari.refuse('addToBridge', 'ari_request_failed', 99);
  comesFrom(destination, 22);
  const { talk } = now;
  const rtp = ari.rtp.bind(ari);
  await seconds(mostRenewals);
  ari.rtp = (channel) => {
    now.talk = undefined;
    return rtp(channel);
  };
  await seconds(2);
  expect(lost).toEqual([]);
  ari.rtp = rtp;
  now.talk = talk;
  await second();
  expect([lost, counted]).toEqual([['lost'], ['recorderStopped']]);
});

describe('a party who changes again right after a move', () => {
  /** Moved for one change, and then for none: the next one. */
  async function changedAgain(isDetected: boolean) {
    const set = stage();
    await second();
    set.watch.take({ type: 'recorderStarted', at: performance.now() + 5_000, name: 'this' });
    for (const ssrc of [22, 33]) {
      set.comesFrom(destination, ssrc);
      await seconds(2);
    }
    // They began to talk since the move, or had nothing to say.
    if (isDetected) set.watch.hear(destination, performance.now() + 5_000);
    await jest.advanceTimersByTimeAsync(100);
    set.comesFrom(destination, 44);
    await second();
    await jest.advanceTimersByTimeAsync(100);
    return set;
  }

  test('is left alone where Asterisk tells that they talk: their sound gets through', async () => {
    const { watch, asked, changes, counted, ari } = await changedAgain(true);
    const before = changes().length;
    const moves = asked().length;
    watch.hear(destination, performance.now() + 5_000);
    await seconds(9);
    expect(asked()).toHaveLength(moves);
    // Some of it may have been lost before.
    expect(changes().slice(before)).toEqual([
      ['unheard', expect.any(Number), 'destination'],
      ['heardAgain', expect.any(Number), 'destination'],
    ]);
    expect(counted.at(-1)).toBe('getsThrough');
    expect(ari.asked.findLast((each) => each.startsWith('setVariable'))).toContain(
      `${destination} ${sourceVariable} 44`,
    );
  });

  test.each([
    ['what happened before', true, 3_000],
    ['something, and did not since the move', false, 5_000],
  ])('is moved where it tells %s', async (_, isDetected, ahead) => {
    const { watch, asked } = await changedAgain(isDetected);
    const moves = asked().length;
    watch.hear(destination, performance.now() + ahead);
    await seconds(5);
    expect(asked()).toHaveLength(moves + 1);
  });

  test('is moved where it tells of music on hold, and the receipt says nothing of that', async () => {
    const { watch, becomes, asked, kept } = await changedAgain(true);
    const [moves, before] = [asked().length, kept.length];
    becomes(talking({ holding: ['caller'] }));
    watch.hear(destination, performance.now() + 5_000);
    expect(kept).toHaveLength(before);
    becomes(talking());
    await seconds(5);
    expect(asked()).toHaveLength(moves + 1);
  });

  test.each([
    ['somebody takes their place', { order: { ...order, destination: 'another' as ChannelId } }],
    ['another one speaks behind their channel', { farEnds: { destination: ['behind' as ChannelId] } }],
  ])('and was not heard until %s: the receipt says so', async (_, over) => {
    const { becomes, changes } = await changedAgain(false);
    const before = changes().length;
    becomes(talking({ facts: { ...facts, asterisk: debian, ...over } }));
    expect(changes().slice(before)).toEqual([['unheard', expect.any(Number), 'destination']]);
  });

  test('is moved though an event of the move before comes late', async () => {
    const { watch, asked, moved } = await changedAgain(false);
    const moves = asked().length;
    moved('bridgeEntered', destination, Math.floor(performance.now()) + 3_000);
    await seconds(5);
    expect(watch.isMoving).toBe(false);
    expect(asked()).toHaveLength(moves + 1);
  });
});

describe('two that are moved by each other', () => {
  test('move more seldom, and each span until a move is one', async () => {
    const { comesFrom, asked, counted, changes } = stage();
    await second();
    let ssrc = 100;
    for (let count = 0; count < 200; count += 1) {
      // What the other one has done by what was done here.
      if (counted.length >= ssrc - 100) comesFrom(destination, (ssrc += 1));
      await second();
    }
    expect(asked().length).toBeLessThanOrEqual(52);
    expect(asked().length).toBeGreaterThan(40);
    expect(changes()).toHaveLength(2 * counted.length);
  });
});

describe('the end of a call', () => {
  test('keeps that a party was not heard until then, once', async () => {
    const { ari, comesFrom, end, changes, moved, counted } = stage();
    await second();
    ari.hold('addToBridge');
    comesFrom(destination, 22);
    await second();
    moved('bridgeLeft', destination, 1_000_000);
    end();
    expect(changes()).toEqual([['unheard', 999_000, 'destination']]);
    moved('bridgeEntered', destination, 1_000_002);
    await seconds(2);
    expect(changes()).toHaveLength(1);
    expect(counted).toEqual([]);
  });

  test('on hold keeps nothing of music that came from elsewhere', async () => {
    const { becomes, comesFrom, end, changes } = stage();
    await second();
    becomes(talking({ holding: ['destination'] }));
    comesFrom(destination, 22);
    await second();
    end();
    expect(changes()).toEqual([]);
  });

  test('of this process alone keeps nothing: the next one sees it', async () => {
    const { ari, comesFrom, watch, changes } = stage();
    await second();
    ari.hold('addToBridge');
    comesFrom(destination, 22);
    await second();
    watch.stop();
    expect(changes()).toEqual([]);
  });
});

describe('questions without an answer', () => {
  test('are asked ever more seldom, each half minute at last, and what is late is counted', async () => {
    const { ari, looks, counted, lines } = stage();
    await second();
    const rtp = ari.rtp.bind(ari);
    ari.rtp = async (channel) => {
      if (channel !== destination) return rtp(channel);
      looks.push(channel);
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      ari.refuse('ring', 'ari_unreachable');
      await ari.ring(caller);
      return undefined;
    };
    looks.length = 0;
    await seconds(60);
    expect(looks.filter((each) => each === destination)).toHaveLength(4);
    expect(looks.filter((each) => each === caller)).toHaveLength(60);
    expect(counted).toEqual(['askedLate', 'askedLate', 'askedLate', 'notAsked', 'askedLate']);
    expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });
});

describe('a talk from an earlier process', () => {
  const before = talking();

  test('is left alone where each party is as that one has seen it last', async () => {
    const set = stage({ takenUp: before });
    set.ari.state.variables[`${caller} ${sourceVariable}`] = '1 3 0';
    set.ari.state.variables[`${destination} ${sourceVariable}`] = '2 3 0';
    await seconds(3);
    expect([set.asked(), set.kept, set.counted]).toEqual([[], [], []]);
  });

  test('has those moved who go on from another source: nobody knows since when they were not heard', async () => {
    const { ari, asked, changes, counted } = stage({ takenUp: before });
    ari.state.variables[`${caller} ${sourceVariable}`] = '1 3 0';
    ari.state.variables[`${destination} ${sourceVariable}`] = '77 3 0';
    await seconds(3);
    expect(asked()).toEqual([addOf(destination)]);
    expect(changes()).toEqual([
      ['unheard', undefined, 'destination'],
      ['heardAgain', undefined, 'destination'],
    ]);
    expect(counted).toEqual(['heardAgain']);
  });

  test('has both moved once, without a word, where nobody knows what they were', async () => {
    const { asked, kept, counted } = stage({ takenUp: before });
    await seconds(3);
    expect(asked()).toHaveLength(2);
    expect([kept, counted]).toEqual([[], []]);
  });

  test('that it left before the answer is the same, unless this one has heard the answer', async () => {
    const takenUp = stateAt('dialling', { ...facts, asterisk: debian });
    const missed = stage({ takenUp, state: talking({ answeredAt: undefined }) });
    const heard = stage({ takenUp, state: talking({ answeredAt: 7 }) });
    await seconds(3);
    expect(missed.asked()).toHaveLength(2);
    expect(heard.asked()).toEqual([]);
  });

  test('finds nothing new at a channel whose change the catalogue does not have yet', async () => {
    const { ari, catalogue, comesFrom } = stage();
    await second();
    catalogue.takes = false;
    comesFrom(destination, 22);
    await seconds(2);
    expect(ari.asked).not.toContain(`setVariable ${destination} ${sourceVariable} 22 9 0`);
  });

  test('finds at the channels what was seen: at first, and after each move', async () => {
    const { ari, comesFrom } = stage();
    await second();
    comesFrom(destination, 22);
    await seconds(2);
    expect(ari.asked.filter((each) => each.startsWith('setVariable'))).toEqual([
      `setVariable ${caller} ${sourceVariable} 1 9 0`,
      `setVariable ${destination} ${sourceVariable} 2 9 0`,
      `setVariable ${destination} ${sourceVariable} 22 9 0`,
    ]);
  });
});

describe('a followed talk, in a bridge of others', () => {
  const request = { way: 'follow', line: 'default', purposes: ['training'], language: undefined } as const;
  const followed = (over: Partial<In<'talking'>> = {}): In<'talking'> =>
    talking({ facts: { ...facts, asterisk: debian, request, order: { ...order, request, part: 1 } }, ...over });
  const begins = (set: ReturnType<typeof stage>, at: number): void => {
    set.watch.take({ type: 'recorderStarted', at, name: 'preavis-2' });
  };

  test('is looked at every two seconds', async () => {
    const { looks } = stage({ state: followed() });
    await seconds(4);
    expect(looks).toHaveLength(6);
  });

  test('is recorded anew where a source is another, and nobody is moved; the receipt has the span', async () => {
    const set = stage({ state: followed() });
    set.watch.take({ type: 'bridgeLeft', at: 1_000, channelId: caller, bridgeId: bridge });
    await seconds(2);
    set.comesFrom(destination, 22);
    await seconds(2);
    expect(set.anew.asked).toBe(1);
    begins(set, 5_000);
    await seconds(4);
    expect([set.anew.asked, set.asked(), set.counted]).toEqual([1, [], ['heardAgain']]);
    expect(set.changes()).toEqual([
      ['unheard', 3_000, 'destination'],
      ['heardAgain', 5_000, 'destination'],
    ]);
  });

  test('is recorded anew once for both, and not again while the fresh recorder is awaited', async () => {
    const set = stage({ state: followed() });
    await seconds(2);
    set.comesFrom(destination, 22);
    set.comesFrom(caller, 11);
    await seconds(4);
    expect(set.anew.asked).toBe(1);
    begins(set, 9_000);
    await seconds(2);
    expect(set.counted).toEqual(['heardAgain', 'heardAgain']);
  });

  test('is tried again where the fresh recorder shares what the one before has left, and recorded on all the same', async () => {
    const set = stage({ state: followed() });
    set.anew.isFresh = false;
    await seconds(2);
    set.comesFrom(destination, 22);
    for (let each = 0; each < 6; each += 1) {
      await seconds(2);
      begins(set, 9_000 + each);
    }
    expect([set.anew.asked, set.counted]).toEqual([mostRenewals, ['stillUnheard']]);
    expect(set.changes()).toHaveLength(1);
  });

  test('is left alone while the recorder does not run: then nothing is recorded anew', async () => {
    const set = stage({ state: followed() });
    set.anew.isTaken = false;
    await seconds(2);
    set.comesFrom(destination, 22);
    await seconds(4);
    begins(set, 9_000);
    expect([set.anew.asked, set.kept]).toEqual([2, []]);
  });

  test('from an earlier process is recorded anew once; a later talk of it is not', async () => {
    const same = stage({ state: followed(), takenUp: followed() });
    const later = stage({
      state: followed({ facts: { ...followed().facts, order: { ...order, request, part: 2 } } }),
      takenUp: followed(),
    });
    await seconds(1);
    begins(same, 9_000);
    await seconds(3);
    expect([same.anew.asked, later.anew.asked, same.kept]).toEqual([1, 0, []]);
  });
});
