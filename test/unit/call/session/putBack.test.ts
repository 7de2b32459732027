import { jest } from '@jest/globals';
import type { ChannelId } from '../../../../src/core/ids.ts';
import { makeLook } from '../../../../src/call/session/resync.ts';
import { catchUp } from '../../../../src/call/session/putBack.ts';
import { recorderName } from '../../../../src/call/decide/order.ts';
import { countingIds, someFacts, stateAt } from '../../../support/call/calls.ts';
import { collectingLog } from '../../../support/logLines.ts';
import { eventually } from '../../../support/poll.ts';
import { scriptedAri } from '../../../support/ari/scriptedAri.ts';

const facts = someFacts(countingIds());
const { callerChannel: caller, order } = facts;
const { bridge, destination } = order;
const third = 'a-third-one' as ChannelId;

/** A talk whose recorder runs, with these in its bridge; all are channels of ours. */
function stage(members: readonly ChannelId[], others: readonly ChannelId[] = [], known = others) {
  const ari = scriptedAri();
  const all = [caller, destination, ...others];
  ari.state.channels.push(...all.map((id) => ({ id, state: 'Up' })));
  ari.state.owned = { channels: all, bridges: [bridge] };
  ari.state.inBridge[bridge] = [...members];
  ari.state.recording.push(recorderName(order.recording));
  const talking = stateAt('talking', facts);
  if (talking.kind !== 'talking') throw new Error('they do not talk');
  const state = { ...talking, others: [...known] };
  const session = { state, isMovingParty: false, partiesMoved: () => Promise.resolve() };
  const added = (): string[] => ari.asked.filter((each) => each.startsWith('addToBridge'));
  const told: string[] = [];
  const result = async (): Promise<string[]> => {
    const catchingUp = catchUp(session, await makeLook(ari, [session]), {
      ari,
      log: collectingLog().log,
      give: (event) => {
        told.push(event.type);
        if (event.type === 'thirdPartyJoined') session.state = { ...state, others: [...state.others, event.channel] };
      },
    });
    const over = catchingUp.then(
      () => true,
      () => true,
    );
    // The pause between two looks.
    while (!(await Promise.race([over, jest.advanceTimersByTimeAsync(100).then(() => false)])));
    const { events } = await catchingUp;
    expect(events.map(({ type }) => type)).toEqual(told);
    return told;
  };

  return { ari, session, added, result, told };
}

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance'] });
});

afterEach(() => {
  jest.useRealTimers();
});

const addOf = (channel: ChannelId): string => `addToBridge ${bridge} ${channel}`;

test.each([
  ['caller', caller, destination],
  ['destination', destination, caller],
] as const)(
  'a %s who is in no bridge while the other waits is put back, and nothing is over',
  async (_, out, other) => {
    const { ari, added, result } = stage([other]);
    const add = ari.addToBridge.bind(ari);
    ari.addToBridge = (id, channels) => {
      ari.state.inBridge[id] = [caller, destination];
      return add(id, channels);
    };
    expect(await result()).toEqual(['recorderStarted', 'holdsFound']);
    expect(added()).toEqual([addOf(out)]);
  },
);

test('a party who does not come in again is gone: then it is over', async () => {
  const { added, result } = stage([caller]);
  expect(await result()).toContain('bridgeGone');
  expect(added()).toHaveLength(1);
});

test('a party whom Asterisk refuses to put back is gone', async () => {
  const { ari, result } = stage([caller]);
  ari.refuse('addToBridge', 'ari_request_failed');
  expect(await result()).toContain('bridgeGone');
});

test('nothing is judged where Asterisk does not answer whether it puts them back', async () => {
  const { ari, result } = stage([caller]);
  ari.refuse('addToBridge', 'ari_unreachable');
  await expect(result()).rejects.toMatchObject({ code: 'ari_unreachable' });
});

test('nobody is put back where both are in no bridge', async () => {
  const { added, result } = stage([]);
  expect(await result()).toContain('bridgeGone');
  expect(added()).toEqual([]);
});

describe('a third one in the bridge', () => {
  test('who was there before is talked with by who is put back', async () => {
    const { ari, added, result } = stage([caller, third], [third]);
    const add = ari.addToBridge.bind(ari);
    ari.addToBridge = (id, channels) => {
      ari.state.inBridge[id] = [caller, destination, third];
      return add(id, channels);
    };
    expect(await result()).not.toContain('partyReplaced');
    expect(added()).toEqual([addOf(destination)]);
  });

  test('takes the place of who does not come in again', async () => {
    const { added, result } = stage([caller, third], [third]);
    const events = await result();
    expect(events).toContain('partyReplaced');
    expect(events).not.toContain('bridgeGone');
    expect(added()).toHaveLength(1);
  });

  test('who has come meanwhile has the place of who went', async () => {
    const { added, result } = stage([caller, third], [third], []);
    expect(await result()).toEqual(['thirdPartyJoined', 'recorderStarted', 'partyReplaced']);
    expect(added()).toEqual([]);
  });

  test('who has come meanwhile is told, and has not the place of who is out by our doing', async () => {
    const { ari, session, added, result, told } = stage([caller, third], [third], []);
    session.isMovingParty = true;
    const add = ari.addToBridge.bind(ari);
    ari.addToBridge = (id, channels) => {
      ari.state.inBridge[id] = [caller, destination, third];
      return add(id, channels);
    };
    const release = ari.hold('addToBridge');
    const events = result();
    // A recorder has to end, however long it takes to put them back.
    await eventually(() => told.includes('thirdPartyJoined'));
    expect(added()).toEqual([addOf(destination)]);
    release();
    expect(await events).toEqual(['thirdPartyJoined', 'recorderStarted', 'holdsFound']);
  });
});

test('a party who is in another bridge is not fetched back', async () => {
  const { ari, added, result } = stage([caller]);
  ari.state.inBridge['elsewhere'] = [destination];
  expect(await result()).toContain('bridgeGone');
  expect(added()).toEqual([]);
});

test('who may be on the way in by a move of ours is looked for once more', async () => {
  const { ari, session, added, result } = stage([caller]);
  session.isMovingParty = true;
  ari.state.owned = { channels: [caller], bridges: [bridge] };
  const channelsIn = ari.channelsIn.bind(ari);
  let looks = 0;
  ari.channelsIn = (id) => {
    looks += 1;
    if (looks > 1) ari.state.inBridge[bridge] = [caller, destination];
    return channelsIn(id);
  };
  expect(await result()).toEqual(['recorderStarted', 'holdsFound']);
  expect(added()).toEqual([]);
});
