import { jest } from '@jest/globals';
import { ReceivedSound } from '../../../../src/call/watch/receivedSound.ts';
import type { In } from '../../../../src/call/decide/state.ts';
import type { ChannelId } from '../../../../src/core/ids.ts';
import { aRequest, stateAt, someFacts } from '../../../support/call/calls.ts';
import { agent, followed, recordedTalk } from '../../../support/call/followedStage.ts';
import { scriptedAri, unlimited } from '../../../support/ari/scriptedAri.ts';
import { collectingLog } from '../../../support/logLines.ts';

const versions = { debian: '22.10.1+dfsg+~cs6.17.60671434-1', plain: '22.10.1' };

function talking(over: Partial<In<'talking'>> = {}, version = versions.plain): In<'talking'> {
  const state = recordedTalk(followed('stop', { asterisk: { version, node: 'test' } }));
  if (state.kind !== 'talking') throw new Error('they do not talk');

  return { ...state, ...over };
}

const caller = talking().facts.callerChannel;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
});

afterEach(() => {
  jest.useRealTimers();
});

const seconds = (count: number): Promise<void> => jest.advanceTimersByTimeAsync(count * 1_000);

function stage(state = talking(), { isTakenUp = false } = {}) {
  const ari = scriptedAri();
  const asked: ChannelId[] = [];
  const rtp = ari.rtp.bind(ari);
  ari.rtp = (channel) => {
    asked.push(channel);
    return rtp(channel);
  };
  const now: { talk: In<'talking'> | undefined } = { talk: state };
  const received = new ReceivedSound(
    { ari, limit: unlimited, talk: () => now.talk, log: collectingLog().log },
    { isTakenUp },
  );
  /** So many packets have come from the channel, of this source. */
  const comes = (channel: ChannelId, packets: number, ssrc = 1): void => {
    ari.state.rtp[channel] = {
      sentPackets: 9,
      receivedPackets: packets,
      reported: '',
      source: packets === 0 ? undefined : { ssrc, lost: 0 },
    };
  };
  const forget = (channel: ChannelId): void => {
    ari.state.rtp = Object.fromEntries(Object.entries(ari.state.rtp).filter(([id]) => id !== channel));
  };
  const becomes = (talk: In<'talking'>): void => {
    now.talk = talk;
    received.follow(talk);
  };
  comes(caller, 100);
  comes(agent, 0);
  becomes(state);

  return { received, asked, comes, forget, becomes };
}

test('counts what came from each while they were recorded, and not before', async () => {
  const { received, comes } = stage();
  await seconds(1);
  comes(caller, 350);
  comes(agent, 240, 2);
  await seconds(5);
  expect(received.times()).toEqual({ callerMs: 250 * 20, destinationMs: 240 * 20 });
  received.stop();
});

test('knows that nothing came from a party whose RTP is there', async () => {
  const { received, comes } = stage();
  await seconds(1);
  comes(caller, 850);
  await seconds(15);
  expect(received.times()).toEqual({ callerMs: 15_000, destinationMs: 0 });
  received.stop();
});

test('counts on where the source is another, since Asterisk counts anew', async () => {
  const { received, comes } = stage();
  await seconds(1);
  comes(caller, 150);
  await seconds(5);
  comes(caller, 20, 7);
  await seconds(5);
  expect(received.times()?.callerMs).toBe((50 + 20) * 20);
  received.stop();
});

test('leaves out what came in a hold or in a pause', async () => {
  const { received, comes, becomes } = stage();
  await seconds(1);
  becomes(talking({ holding: ['destination'] }));
  comes(caller, 400);
  await seconds(5);
  becomes(talking({ holding: [] }));
  comes(caller, 450);
  comes(agent, 0);
  await seconds(5);
  expect(received.times()).toEqual({ callerMs: 50 * 20, destinationMs: 0 });
  received.stop();
});

test('says nothing of who has no RTP of their own', async () => {
  const { received, forget, comes } = stage();
  forget(agent);
  await seconds(1);
  comes(caller, 850);
  await seconds(15);
  expect(received.times()).toBeUndefined();
  received.stop();
});

test('says nothing of a call that an earlier process had: what came then nobody knows', () => {
  const { received } = stage(talking(), { isTakenUp: true });
  for (const packets of [100, 900]) {
    for (const channel of [caller, agent]) {
      received.note(channel, { sentPackets: 9, receivedPackets: packets, reported: '', source: { ssrc: 1, lost: 0 } });
    }
  }
  expect(received.times()).toBeUndefined();
});

test('does not ask where the watch of sources asks already, nor of calls that Préavis dials', async () => {
  const debian = stage(talking({}, versions.debian));
  const bridged = stateAt('talking', { ...someFacts(undefined, { request: aRequest() }) });
  if (bridged.kind !== 'talking') throw new Error('they do not talk');
  const ours = stage(bridged);
  await seconds(20);
  expect([debian.asked, ours.asked]).toEqual([[], []]);
});

test('ceases to ask when they talk no more', async () => {
  const { received, asked } = stage();
  await seconds(1);
  received.follow(stateAt('ended', someFacts()));
  const before = asked.length;
  await seconds(20);
  expect([before > 0, asked.length]).toEqual([true, before]);
});
