import { type AriEvent } from '../../../../src/ari/events.ts';
import { recorderName } from '../../../../src/call/decide/order.ts';
import { type ChannelId } from '../../../../src/core/ids.ts';
import { countingIds, someFacts, stateAt } from '../../../support/call/calls.ts';
import { eventually } from '../../../support/poll.ts';
import { arrival, endRegistries, stage } from '../../../support/call/registryStage.ts';

afterEach(endRegistries);

describe('a channel that comes into the bridge', () => {
  const talking = someFacts(countingIds());
  const { bridge, recording, destination } = talking.order;
  const enters = (channelId: ChannelId): AriEvent => ({ type: 'bridgeEntered', at: 5, bridgeId: bridge, channelId });

  async function adopted() {
    const set = stage({ open: [stateAt('talking', talking)] });
    set.ari.state.channels.push({ id: talking.callerChannel, state: 'Up' }, { id: destination, state: 'Up' });
    set.ari.state.recording.push(recorderName(recording));
    await set.registry.resync();
    set.ari.asked.length = 0;

    return set;
  }

  test('stops the recorder when it is neither of the two', async () => {
    const set = await adopted();
    set.registry.handle(enters('someone-else' as ChannelId));
    await eventually(() => set.ari.asked.length === 1);
    expect(set.ari.asked).toEqual([`stopRecorder ${recorderName(recording)}`]);
  });

  test('is told to the receipt, as are holds and transfers', async () => {
    const set = await adopted();
    set.kept.length = 0;
    set.registry.handle({ type: 'channelHeld', at: 6, channelId: destination });
    set.registry.handle({ type: 'channelResumed', at: 7, channelId: destination });
    set.registry.handle(enters('someone-else' as ChannelId));
    set.registry.handle({ ...arrival('another', []), at: 8, replaces: destination });
    await eventually(() => set.kept.length === 6);
    const { id } = talking;
    expect(set.kept).toEqual([
      { id, kind: 'change', change: 'recorderPaused', at: 6, doneAt: 5_000 },
      { id, kind: 'change', change: 'held', at: 6, party: 'destination' },
      { id, kind: 'change', change: 'recorderResumed', at: 7, doneAt: 5_000 },
      { id, kind: 'change', change: 'resumed', at: 7, party: 'destination' },
      { id, kind: 'change', change: 'joined', at: 5 },
      { id, kind: 'change', change: 'transferred', at: 8, party: 'destination' },
    ]);
  });

  test('is not recorded longer because the catalogue is busy', async () => {
    const set = await adopted();
    set.holdKeeping();
    set.registry.handle(enters('someone-else' as ChannelId));
    await eventually(() => set.asked('stopRecorder').length === 1);
  });

  test('and takes the place of who left ends the call by leaving, though only the bridge tells', async () => {
    const set = await adopted();
    const by = 'of-another-application' as ChannelId;
    set.ari.state.channels.push({ id: by, state: 'Up' });
    set.ari.state.inBridge[bridge] = [talking.callerChannel, destination, by];
    set.registry.handle(enters(by));
    set.registry.handle({ type: 'channelGone', at: 6, channelId: destination, cause: 16 });
    set.ari.state.inBridge[bridge] = [talking.callerChannel];
    set.ari.state.channels.pop();
    set.ari.asked.length = 0;
    set.registry.handle({ type: 'bridgeLeft', at: 7, bridgeId: bridge, channelId: by });
    await eventually(() => set.asked('hangUp').length === 1);
    expect(set.asked('hangUp')).toEqual([`hangUp ${talking.callerChannel}`]);
    set.registry.handle({ type: 'recorderFinished', at: 8, name: recorderName(recording) });
    await eventually(() => set.ended.length === 1);
    expect(set.ended).toMatchObject([{ endedAt: 7 }]);
  });

  test.each(['caller', 'destination'] as const)(
    'is not needed for the %s to be out of it for a while: that ends nothing',
    async (party) => {
      const set = await adopted();
      const away = party === 'caller' ? talking.callerChannel : destination;
      set.ari.state.inBridge[bridge] = [party === 'caller' ? destination : talking.callerChannel];
      set.registry.handle({ type: 'bridgeLeft', at: 7, bridgeId: bridge, channelId: away });
      const since = performance.now();
      await eventually(() => performance.now() - since > 700);
      expect(['hangUp', 'destroyBridge', 'stopRecorder'].flatMap(set.asked)).toEqual([]);
    },
  );

  test('before Asterisk tells whose place it takes is one transfer, and ends nothing when the other leaves the bridge', async () => {
    const set = await adopted();
    const by = 'another' as ChannelId;
    set.ari.state.channels.push({ id: by, state: 'Up' });
    set.registry.handle({ type: 'bridgeLeft', at: 5, bridgeId: bridge, channelId: destination });
    set.registry.handle(enters(by));
    set.registry.handle({ ...arrival(by, []), at: 6, replaces: destination });
    set.ari.state.inBridge[bridge] = [talking.callerChannel, by];
    const since = performance.now();
    await eventually(() => performance.now() - since > 700);
    expect(set.saved.at(-1)).toMatchObject({ kind: 'talking', others: [], facts: { order: { destination: by } } });
    expect(set.asked('hangUp')).toEqual([`hangUp ${destination}`]);
  });

  test('and has left is nobody of this call any more', async () => {
    const set = await adopted();
    const by = 'someone-else' as ChannelId;
    set.registry.handle(enters(by));
    set.registry.handle({ type: 'bridgeLeft', at: 6, bridgeId: bridge, channelId: by });
    set.ari.state.inBridge[bridge] = [talking.callerChannel, destination];
    set.registry.handle({ type: 'channelGone', at: 7, channelId: destination, cause: 16 });
    await eventually(() => set.asked('hangUp').length === 1);
    expect(set.asked('hangUp')).toEqual([`hangUp ${talking.callerChannel}`]);
  });

  test('is nothing when it is one of the two', async () => {
    const set = await adopted();
    for (const id of [talking.callerChannel, destination]) set.registry.handle(enters(id));
    await new Promise((resolve) => setImmediate(resolve));
    expect(set.ari.asked).toEqual([]);
  });
});

describe('a party that is taken out of the bridge and in again', () => {
  const debian = { version: '22.10.1+dfsg+~cs6.17.60671434-1', node: 'test' };
  const talking = someFacts(countingIds(), { asterisk: debian });
  const { bridge, recording, destination } = talking.order;
  const both = [talking.callerChannel, destination];
  const moves = (type: 'bridgeLeft' | 'bridgeEntered', at: number): AriEvent => ({
    type,
    at,
    bridgeId: bridge,
    channelId: destination,
  });

  async function adopted() {
    const set = stage({ open: [stateAt('talking', talking)] });
    set.ari.state.channels.push(...both.map((id) => ({ id, state: 'Up' })));
    set.ari.state.recording.push(recorderName(recording));
    const source = { ssrc: 1, lost: 0 };
    for (const id of both) set.ari.state.rtp[id] = { sentPackets: 9, receivedPackets: 9, reported: '', source };
    const release = set.ari.hold('addToBridge');
    await set.registry.resync();

    return { ...set, release };
  }

  test('is nobody who left or joined, and is asked for only when it leaves once more', async () => {
    const { registry, ari, asked, kept, ended, release } = await adopted();
    release();
    kept.length = 0;
    let looks = 0;
    const owned = ari.owned.bind(ari);
    ari.owned = () => {
      looks += 1;
      return owned();
    };
    registry.handle(moves('bridgeLeft', 7));
    registry.handle(moves('bridgeEntered', 8));
    const since = performance.now();
    await eventually(() => performance.now() - since > 700);
    expect(looks).toBe(0);
    expect(['hangUp', 'destroyBridge', 'stopRecorder'].flatMap(asked)).toEqual([]);
    expect(kept).toEqual([]);
    ari.state.channels.pop();
    registry.handle(moves('bridgeLeft', 9));
    await eventually(() => asked('hangUp').length === 1);
    registry.handle({ type: 'recorderFinished', at: 10, name: recorderName(recording) });
    await eventually(() => ended.length === 1);
    expect(ended).toMatchObject([{ endedAt: 9 }]);
  });

  test('is waited for by the comparison after a lost connection, which would find it gone', async () => {
    const { registry, ari, asked, release } = await adopted();
    await eventually(() => asked('addToBridge').length === 1);
    registry.connectionLost('connection_lost');
    const [out] = both.filter((id) => asked('addToBridge')[0]?.endsWith(` ${id}`));
    ari.state.inBridge[bridge] = both.filter((id) => id !== out);
    const compared = registry.resync();
    for (let turns = 0; turns < 20; turns += 1) await new Promise((resolve) => setImmediate(resolve));
    ari.state.inBridge[bridge] = both;
    release();
    expect(await compared).toBe('whole');
    expect(['hangUp', 'destroyBridge', 'stopRecorder'].flatMap(asked)).toEqual([]);
    // The other is left alone until it is known who is there.
    expect(asked('addToBridge')).toHaveLength(1);
  });

  /** The move is never answered, and the party is out of the bridge. */
  async function comparedMeanwhile(isBackAtSecondLook: boolean) {
    const set = await adopted();
    const { registry, ari, asked } = set;
    await eventually(() => asked('addToBridge').length === 1);
    registry.connectionLost('connection_lost');
    const [out] = both.filter((id) => asked('addToBridge')[0]?.endsWith(` ${id}`));
    ari.state.inBridge[bridge] = both.filter((id) => id !== out);
    const channelsIn = ari.channelsIn.bind(ari);
    let looks = 0;
    ari.channelsIn = (id) => {
      looks += 1;
      if (looks > 1 && isBackAtSecondLook) ari.state.inBridge[bridge] = both;
      return channelsIn(id);
    };
    // However long the move takes.
    expect(await registry.resync()).toBe('whole');
    expect(looks).toBe(2);

    return set;
  }

  test('keeps no comparison waiting that is not answered: who seems to have left is looked for once more', async () => {
    const { asked } = await comparedMeanwhile(true);
    expect(['hangUp', 'destroyBridge', 'stopRecorder'].flatMap(asked)).toEqual([]);
  });

  test('has left where they are not there at the second look either', async () => {
    const { asked } = await comparedMeanwhile(false);
    expect(asked('hangUp')).not.toEqual([]);
  });

  describe('and is in no bridge when a process takes the call up', () => {
    /** An earlier process died after it had taken them out. */
    async function takenUp(isIn: boolean) {
      const set = stage({ open: [stateAt('talking', talking)] });
      set.ari.state.channels.push(...both.map((id) => ({ id, state: 'Up' })));
      set.ari.state.recording.push(recorderName(recording));
      set.ari.state.owned = { channels: both, bridges: [bridge] };
      set.ari.state.inBridge[bridge] = [talking.callerChannel];
      const add = set.ari.addToBridge.bind(set.ari);
      set.ari.addToBridge = (id, channels) => {
        if (isIn) set.ari.state.inBridge[id] = both;
        return add(id, channels);
      };
      expect(await set.registry.resync()).toBe('whole');

      return set;
    }

    test('is put back: they talk on, and are recorded', async () => {
      const { asked } = await takenUp(true);
      expect(asked('addToBridge')[0]).toBe(`addToBridge ${bridge} ${destination}`);
      expect(['hangUp', 'destroyBridge', 'stopRecorder'].flatMap(asked)).toEqual([]);
    });

    test('has left where they do not come in: nobody is left in silence', async () => {
      const { asked } = await takenUp(false);
      await eventually(() => asked('hangUp').length === 2);
      expect(asked('addToBridge')).toHaveLength(1);
    });
  });
});
