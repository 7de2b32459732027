import { jest } from '@jest/globals';
import { Snoops } from '../../../../src/call/session/snoops.ts';
import { recorderName, type Order } from '../../../../src/call/decide/order.ts';
import type { ChannelId } from '../../../../src/core/ids.ts';
import { scriptedAri } from '../../../support/ari/scriptedAri.ts';
import { aFollowed, aScript, countingIds } from '../../../support/call/calls.ts';

const { order, callerChannel: told } = aFollowed();
const part = (number: number): Order => ({ ...order, part: number });
const wanted = { still: () => true, seconds: () => 90 };
const snoopOf = (number: number): ChannelId => `preavis-${order.recording}-${number}` as ChannelId;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
});

afterEach(() => {
  jest.useRealTimers();
});

/** The first snoop is there still, and was asked to go unless it was not `stopped`. */
async function stage({ stopped = true } = {}) {
  const ari = scriptedAri();
  const snoops = new Snoops(ari);
  const snoop = ari.snoop.bind(ari);
  ari.snoop = async (channel, made, spy) => {
    await snoop(channel, made, spy);
    setImmediate(() => {
      snoops.arrived(made);
    });
  };
  ari.state.channels = [{ id: snoopOf(1), state: 'Up' }];
  if (stopped) await snoops.stop({ recording: order.recording, part: 1 });
  const begun = (still = (): boolean => true): Promise<unknown> => snoops.record(told, part(2), { ...wanted, still });
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
    expect(asked()).toEqual([`snoop ${told} ${snoopOf(2)} both`]);
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

  test('asks for it less and less often', async () => {
    const { ari, begun } = await stage();
    let asked = 0;
    ari.isThere = () => {
      asked += 1;
      return Promise.resolve(true);
    };
    const recording = begun();
    await jest.advanceTimersByTimeAsync(1_100);
    await recording;
    expect(asked).toBeLessThan(12);
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

describe('the snoop of a recorder that was not stopped by us', () => {
  const ended = { at: 1, name: recorderName(order.recording, 1), cause: '' };

  test.each(['recorderFinished', 'recorderFailed'] as const)('is ended with it: %s', async (type) => {
    const { ari, snoops } = await stage({ stopped: false });
    snoops.concerns({ type: 'recorderStarted', ...ended });
    snoops.concerns({ type, ...ended });
    expect(ari.asked).toEqual([`hangUp ${snoopOf(1)}`]);
  });

  test('is not ended again where it was asked to go', async () => {
    const { ari, snoops } = await stage();
    snoops.concerns({ type: 'recorderFinished', ...ended });
    expect(ari.asked).toEqual([`hangUp ${snoopOf(1)}`]);
  });

  test.each(['is told of', 'was missed'])('is gone before the next part begins, where its end %s', async (how) => {
    const { ari, snoops, begun, asked } = await stage({ stopped: false });
    if (how === 'is told of') snoops.concerns({ type: 'recorderFinished', ...ended });
    const recording = begun();
    await jest.advanceTimersByTimeAsync(300);
    expect(ari.asked).toEqual([`hangUp ${snoopOf(1)}`]);
    ari.state.channels = [];
    await jest.advanceTimersByTimeAsync(300);
    await recording;
    expect(asked()).toEqual([`snoop ${told} ${snoopOf(2)} both`]);
    expect(snoops.isFresh).toBe(true);
  });
});

describe('a recorder of two sides', () => {
  const sided: Order = { ...part(1), sound: 'stereo' };
  const [inward, outward] = ['in', 'out'].map((side) => `${snoopOf(1)}-${side}` as ChannelId);
  if (inward === undefined || outward === undefined) throw new Error('a part has two sides');

  function both() {
    const ari = scriptedAri();
    const snoops = new Snoops(ari);
    const snoop = ari.snoop.bind(ari);
    ari.snoop = async (...asked) => {
      await snoop(...asked);
      setImmediate(() => {
        snoops.arrived(asked[1]);
      });
    };
    const event = (type: 'recorderStarted' | 'recorderFinished', name: string): boolean =>
      snoops.concerns({ type, at: 1, name });

    return { ari, snoops, event, record: () => snoops.record(told, sided, wanted) };
  }

  test('is recorded by two snoops, which are both there before either is recorded', async () => {
    const { ari, record } = both();
    expect(await record()).toBeUndefined();
    expect(ari.asked).toEqual([
      `snoop ${told} ${inward} in`,
      `snoop ${told} ${outward} out`,
      `recordChannel ${inward} ${inward} 90 wav`,
      `recordChannel ${outward} ${outward} 90 wav`,
    ]);
  });

  test('of a wideband call is recorded with 16,000 Hz', async () => {
    const ari = scriptedAri();
    const snoops = new Snoops(ari);
    const snoop = ari.snoop.bind(ari);
    ari.snoop = async (...asked) => {
      await snoop(...asked);
      setImmediate(() => {
        snoops.arrived(asked[1]);
      });
    };
    await snoops.record(told, { ...part(1), isWideband: true }, wanted);
    expect(ari.asked.at(-1)).toMatch(/ wav16$/);
  });

  test('goes on with one where the other cannot be had, and fails where none can', async () => {
    const one = both();
    one.ari.refuse('snoop', 'ari_request_failed', 1);
    expect(await one.record()).toBe('in');
    expect(one.ari.asked).toContain(`hangUp ${inward}`);
    const none = both();
    none.ari.refuse('snoop', 'ari_request_failed', 2);
    await expect(none.record()).rejects.toMatchObject({ code: 'ari_request_failed' });
  });

  test('is one to the call: it has ended when both have, and when the one that began has', async () => {
    const { event } = both();
    expect([event('recorderStarted', inward), event('recorderStarted', outward)]).toEqual([true, true]);
    expect([event('recorderFinished', inward), event('recorderFinished', outward)]).toEqual([false, true]);
    const one = both();
    one.ari.refuse('snoop', 'ari_request_failed', 1);
    await one.record();
    expect([one.event('recorderStarted', outward), one.event('recorderFinished', outward)]).toEqual([true, true]);
  });

  test('of an earlier process ends with the first that does, and the other is ended: nobody knows of it', () => {
    const { ari, event } = both();
    expect(event('recorderFinished', outward)).toBe(true);
    expect(ari.asked).toContain(`hangUp ${inward}`);
  });

  test('is stopped and removed with both', async () => {
    const { ari, snoops } = both();
    await snoops.stop(sided);
    await snoops.discard(sided);
    expect(ari.asked.filter((each) => each.startsWith('discardRecorder'))).toEqual([
      `discardRecorder ${inward}`,
      `discardRecorder ${outward}`,
    ]);
    expect(ari.asked.filter((each) => each.startsWith('hangUp'))).toHaveLength(4);
  });
});

describe('what is whispered', () => {
  const [french, dutch] = aScript(countingIds(), { sentenceCount: 2 }).sentences;
  if (french === undefined || dutch === undefined) throw new Error('two sentences');

  function whispering() {
    const ari = scriptedAri();
    const snoops = new Snoops(ari);
    const whisper = ari.whisper.bind(ari);
    ari.whisper = async (...asked) => {
      await whisper(...asked);
      setImmediate(() => {
        snoops.arrived(asked[1]);
      });
    };

    return { ari, snoops };
  }

  test('leaves no channel where it is refused', async () => {
    const { ari, snoops } = whispering();
    ari.refuse('play', 'ari_request_failed');
    await expect(snoops.whisper(told, french)).rejects.toMatchObject({ code: 'ari_request_failed' });
    expect(ari.asked.at(-1)).toBe(`hangUp ${french.playbackId}`);
  });

  test('leaves no channel where the news of its end is lost', async () => {
    const { ari, snoops } = whispering();
    const said = snoops.say(told, french);
    await jest.advanceTimersByTimeAsync(100);
    await jest.advanceTimersByTimeAsync(french.prompt.lengthMs + 5_000);
    await said;
    expect(ari.asked.at(-1)).toBe(`hangUp ${french.playbackId}`);
  });

  test('is over once it is said, and its channel with it', async () => {
    const { ari, snoops } = whispering();
    let isOver = false;
    const said = snoops.say(told, dutch).then(() => {
      isOver = true;
    });
    await jest.advanceTimersByTimeAsync(100);
    expect(isOver).toBe(false);
    await snoops.whispered(dutch.playbackId);
    await said;
    await jest.advanceTimersByTimeAsync(20_000);
    expect(ari.asked.filter((each) => each.startsWith('hangUp'))).toHaveLength(1);
  });
});
