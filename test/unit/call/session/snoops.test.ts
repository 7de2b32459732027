import { jest } from '@jest/globals';
import { Snoops } from '../../../../src/call/session/snoops.ts';
import type { Order } from '../../../../src/call/decide/order.ts';
import type { ChannelId } from '../../../../src/core/ids.ts';
import { scriptedAri } from '../../../support/ari/scriptedAri.ts';
import { aFollowed } from '../../../support/call/calls.ts';

const { order, callerChannel: told } = aFollowed();
const part = (number: number): Order => ({ ...order, part: number });
const snoopOf = (number: number): ChannelId => `preavis-${order.recording}-${number}` as ChannelId;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
});

afterEach(() => {
  jest.useRealTimers();
});

/** The first snoop was asked to go, and is there still. */
async function stage() {
  const ari = scriptedAri();
  const snoops = new Snoops(ari);
  const snoop = ari.snoop.bind(ari);
  ari.snoop = async (channel, made) => {
    await snoop(channel, made);
    setImmediate(() => {
      snoops.arrived(made);
    });
  };
  ari.state.channels = [{ id: snoopOf(1), state: 'Up' }];
  await snoops.stop({ recording: order.recording, part: 1 });
  const begun = (isWanted = (): boolean => true): Promise<void> => snoops.record(told, part(2), isWanted);
  const asked = (): string[] => ari.asked.filter((each) => each.startsWith('snoop'));

  return { ari, snoops, begun, asked };
}

describe('a recorder behind one that is on its way out', () => {
  test('begins once its snoop is gone: until then Asterisk would drop the same for both', async () => {
    const { ari, snoops, begun, asked } = await stage();
    const recording = begun();
    await jest.advanceTimersByTimeAsync(300);
    expect(asked()).toEqual([]);
    ari.state.channels = [];
    await jest.advanceTimersByTimeAsync(50);
    await recording;
    expect(asked()).toEqual([`snoop ${told} ${snoopOf(2)}`]);
    expect(snoops.isFresh).toBe(true);
  });

  test('begins after a second all the same, and is known not to be fresh', async () => {
    const { snoops, begun, asked } = await stage();
    const recording = begun();
    await jest.advanceTimersByTimeAsync(1_100);
    await recording;
    expect(asked()).toHaveLength(1);
    expect(snoops.isFresh).toBe(false);
  });

  test('does not begin where nobody wants it any more by then', async () => {
    const { ari, begun, asked } = await stage();
    const recording = begun(() => false);
    const failed = expect(recording).rejects.toMatchObject({ code: 'ari_not_found' });
    ari.state.channels = [];
    await jest.advanceTimersByTimeAsync(50);
    await failed;
    expect(asked()).toEqual([]);
  });
});
