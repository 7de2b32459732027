import { jest } from '@jest/globals';
import type { AriEvent } from '../../../src/ari/events.ts';
import type { ChannelId } from '../../../src/core/ids.ts';
import type { Happening } from '../../../src/call/ports.ts';
import { SourceWatch } from '../../../src/call/sourceWatch.ts';
import { mostRenewals } from '../../../src/call/sources.ts';
import type { CallState, In } from '../../../src/call/state.ts';
import { anOrder, countingIds, someFacts, stateAt } from '../../support/calls.ts';
import { collectingLog } from '../../support/logLines.ts';
import { scriptedAri } from '../../support/scriptedAri.ts';

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
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance'] });
});

afterEach(() => {
  jest.useRealTimers();
});

const second = (): Promise<void> => jest.advanceTimersByTimeAsync(1_000);

/** A watch of a talk, whose looks are in `asked`. */
function stage(state: CallState = talking(), isTakenUp = false, isDestinationHeard = true) {
  const ari = scriptedAri();
  const { log, lines } = collectingLog();
  const [kept, counted, lost]: [Happening[], string[], string[]] = [[], [], []];
  const now: { talk: In<'talking'> | undefined } = { talk: state.kind === 'talking' ? state : undefined };
  const looks: ChannelId[] = [];
  const rtp = ari.rtp.bind(ari);
  ari.rtp = (channel) => {
    looks.push(channel);
    return rtp(channel);
  };
  const comesFrom = (channel: ChannelId, ssrc: number): void => {
    ari.state.rtp[channel] = { sentPackets: 9, receivedPackets: 9, reported: '', source: { ssrc, lost: 0 } };
  };
  comesFrom(caller, 1);
  if (isDestinationHeard) comesFrom(destination, 2);
  else ari.state.rtp[destination] = { sentPackets: 9, receivedPackets: 0, reported: '', source: undefined };
  ari.state.inBridge[bridge] = [caller, destination];
  const watch = new SourceWatch(
    {
      ari,
      rtp: (channel) => ari.rtp(channel),
      log,
      talk: () => now.talk,
      inTurn: (step) => step(),
      keep: (happening) => {
        kept.push(happening);
        return Promise.resolve();
      },
      counted: (outcome) => counted.push(outcome),
      lost: () => lost.push('lost'),
    },
    isTakenUp ? state : undefined,
  );
  watch.follow(state);
  const asked = (): string[] => ari.asked.filter((each) => each.startsWith('addToBridge'));
  const moved = (type: 'bridgeLeft' | 'bridgeEntered', channelId: ChannelId, at: number): void => {
    watch.take({ type, at, channelId, bridgeId: bridge } satisfies AriEvent);
  };

  return { ari, watch, now, looks, comesFrom, asked, moved, kept, counted, lost, lines };
}

test('asks about each party once a second, while they talk, and no more', async () => {
  const { watch, looks } = stage();
  await second();
  await second();
  expect(looks).toEqual([caller, destination, caller, destination, caller, destination]);
  watch.follow(stateAt('ended', { ...facts, asterisk: debian }));
  await second();
  expect(looks).toHaveLength(6);
});

test('asks more often in the first second until a party has sent something', async () => {
  const { comesFrom, looks } = stage(talking(), false, false);
  await jest.advanceTimersByTimeAsync(450);
  expect(looks.filter((each) => each === destination)).toHaveLength(3);
  comesFrom(destination, 2);
  await jest.advanceTimersByTimeAsync(500);
  expect(looks).toEqual([caller, ...Array<string>(4).fill(destination)]);
});

test('asks nothing of an Asterisk that drops nothing', async () => {
  const { looks } = stage(talking({ facts }));
  await second();
  expect(looks).toEqual([]);
});

test('moves a party whose source is another, in one request, and tells when by the clock of Asterisk', async () => {
  const { comesFrom, asked, moved, kept, counted } = stage();
  await second();
  comesFrom(destination, 22);
  await second();
  expect(asked()).toEqual([`addToBridge ${bridge} ${destination}`]);
  moved('bridgeLeft', destination, 1_000_000);
  moved('bridgeEntered', destination, 1_000_002);
  await second();
  expect(kept).toEqual([
    { kind: 'change', change: 'unheard', at: expect.any(Number) as number, party: 'destination' },
    { kind: 'change', change: 'heardAgain', at: 1_000_002, party: 'destination' },
  ]);
  const [from] = kept;
  expect(from?.kind === 'change' ? from.at : 0).toBeLessThan(1_000_000);
  expect(counted).toEqual(['heardAgain']);
  expect(asked()).toHaveLength(1);
});

test('tells it without times where the events of Asterisk do not come', async () => {
  const { comesFrom, kept } = stage();
  await second();
  comesFrom(caller, 11);
  await second();
  await second();
  expect(kept.map((each) => (each.kind === 'change' ? [each.change, each.at, each.party] : []))).toEqual([
    ['unheard', undefined, 'caller'],
    ['heardAgain', undefined, 'caller'],
  ]);
});

test('leaves a party alone while one holds the other, and moves them when both are back', async () => {
  const { now, comesFrom, asked } = stage();
  await second();
  now.talk = talking({ holding: ['destination'] });
  comesFrom(destination, 22);
  comesFrom(caller, 11);
  await second();
  await second();
  expect(asked()).toEqual([]);
  now.talk = talking();
  await second();
  expect(asked()).toEqual([`addToBridge ${bridge} ${caller}`, `addToBridge ${bridge} ${destination}`]);
});

test('leaves a party alone where the bridge only passes on what comes: without a recorder, and without a third one', async () => {
  const { now, comesFrom, asked, looks } = stage();
  await second();
  now.talk = talking({ recorder: { kind: 'withheld', why: 'interrupted' } });
  comesFrom(destination, 22);
  const before = looks.length;
  await second();
  expect(looks).toHaveLength(before);
  now.talk = talking({ recorder: { kind: 'withheld', why: 'untold_party' }, others: ['a-stranger' as ChannelId] });
  await second();
  expect(asked()).toEqual([`addToBridge ${bridge} ${destination}`]);
});

test('a party who has taken the place of another begins anew', async () => {
  const { now, comesFrom, asked, looks } = stage();
  await second();
  const other = 'another-destination' as ChannelId;
  now.talk = talking({ facts: { ...facts, asterisk: debian, order: { ...order, destination: other } } });
  comesFrom(other, 33);
  await second();
  await second();
  expect(looks.at(-1)).toBe(other);
  expect(asked()).toEqual([]);
});

test('does not fetch back a party who was taken out of the bridge by others', async () => {
  const { ari, comesFrom, asked } = stage();
  await second();
  ari.state.inBridge[bridge] = [caller];
  comesFrom(destination, 22);
  await second();
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

test('tells when nobody is out of the bridge because of it', async () => {
  const { ari, watch, comesFrom } = stage();
  await second();
  const release = ari.hold('addToBridge');
  comesFrom(destination, 22);
  await second();
  let isMoved = false;
  void watch.moved.then(() => (isMoved = true));
  await second();
  expect(isMoved).toBe(false);
  release();
  await second();
  expect(isMoved).toBe(true);
});

test('where Asterisk refuses each time, says so, once, and keeps that the rest may be missing', async () => {
  const { ari, comesFrom, asked, lost, counted, kept, lines } = stage();
  await second();
  ari.refuse('addToBridge', 'ari_request_failed', 99);
  comesFrom(destination, 22);
  for (let seconds = 0; seconds < 8; seconds += 1) await second();
  expect(asked()).toHaveLength(mostRenewals);
  expect(lost).toEqual(['lost']);
  expect(counted).toEqual(['recorderStopped']);
  expect(kept).toEqual([{ kind: 'change', change: 'unheard', at: undefined, party: 'destination' }]);
  expect(lines.filter(({ level }) => level === 'error')).toHaveLength(1);
});

test('of a talk from an earlier process moves both parties once, without a word: nobody knows whether they were unheard', async () => {
  const { asked, kept, counted } = stage(talking(), true);
  await second();
  await second();
  expect(asked()).toHaveLength(2);
  expect([kept, counted]).toEqual([[], []]);
});
