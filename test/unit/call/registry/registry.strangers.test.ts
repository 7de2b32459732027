import { recorderName, type Party } from '../../../../src/call/decide/order.ts';
import { PreavisError } from '../../../../src/core/errors.ts';
import { type BridgeId, type ChannelId, type RecordingId } from '../../../../src/core/ids.ts';
import { countingIds, someFacts, stateAt } from '../../../support/call/calls.ts';
import { eventually } from '../../../support/poll.ts';
import { arrival, endRegistries, stage, ulid } from '../../../support/call/registryStage.ts';

afterEach(endRegistries);

describe('after a lost connection', () => {
  const known = someFacts(countingIds(), { sentenceCount: 1 });
  const { destination, recording } = known.order;

  describe('a party of the talk whose place somebody took unseen', () => {
    const by = 'somebody-else' as ChannelId;
    const { callerChannel } = known;
    const { bridge } = known.order;
    const places = { caller: callerChannel, destination };

    /** The connection was lost while a talk was recorded; then `party` was transferred to `by`. */
    async function transferred(party: Party, { isStray }: { isStray: boolean }) {
      const set = stage({ open: [stateAt('talking', known)] });
      const { state } = set.ari;
      state.channels.push({ id: callerChannel, state: 'Up' }, { id: destination, state: 'Up' });
      state.recording.push(recorderName(recording));
      await set.registry.resync();
      set.registry.connectionLost('connection_lost');
      set.ari.asked.length = 0;
      const other = party === 'caller' ? destination : callerChannel;
      const there = [other, by, ...(isStray ? [places[party]] : [])];
      state.channels.splice(0, 2, ...there.map((id) => ({ id, state: 'Up' })));
      state.inBridge[bridge] = [other, by];
      state.owned = { channels: there, bridges: [bridge] };
      await set.registry.resync();
      await eventually(() => set.saved.some(({ kind, facts }) => kind === 'talking' && facts !== known));

      return { ...set, other };
    }

    test.each(['caller', 'destination'] as const)('is no reason to throw them out: %s', async (party) => {
      const set = await transferred(party, { isStray: false });
      expect(['hangUp', 'continueInDialplan', 'destroyBridge'].flatMap(set.asked)).toEqual([]);
      expect(set.asked('stopRecorder').length).toBeGreaterThan(0);
      expect(set.kept).toContainEqual({ id: known.id, kind: 'change', change: 'joined', at: undefined });
      // They belong to the call now: it ends with them.
      set.registry.handle({ type: 'channelGone', at: 9, channelId: by, cause: 16 });
      await eventually(() => set.asked('hangUp').length > 0);
      expect(set.asked('hangUp')).toEqual([`hangUp ${set.other}`]);
      expect(set.asked('destroyBridge')).toEqual([`destroyBridge ${bridge}`]);
    });

    test.each(['caller', 'destination'] as const)('and who transferred them is let go: %s', async (party) => {
      const set = await transferred(party, { isStray: true });
      await eventually(() => set.asked('hangUp').length > 0);
      expect(['hangUp', 'continueInDialplan', 'destroyBridge'].flatMap(set.asked)).toEqual([`hangUp ${places[party]}`]);
      expect(set.kept).toContainEqual({ id: known.id, kind: 'change', change: 'transferred', at: undefined, party });
    });

    test('has no say about the recording, after a restart neither', async () => {
      const asking = someFacts(countingIds(), { sentenceCount: 1, mode: 'optOut' });
      const before = stateAt('talking', asking);
      const replaced = { ...before, facts: { ...asking, callerChannel: by, toldChannel: asking.callerChannel } };
      const set = stage({ open: [replaced] });
      set.ari.state.channels.push({ id: by, state: 'Up' }, { id: asking.order.destination, state: 'Up' });
      await set.registry.resync();
      for (const digit of '*9') set.registry.handle({ type: 'digit', at: 9, channelId: by, digit });
      set.registry.handle({ type: 'channelGone', at: 10, channelId: by, cause: 16 });
      await eventually(() => set.ended.length === 1);
      expect(set.asked('discardRecorder')).toEqual([]);
      expect(set.ended[0]).toMatchObject({ answer: { kind: 'none' } });
    });
  });

  describe('somebody who joined unseen and leaves while Asterisk answers who is there', () => {
    const by = 'somebody-else' as ChannelId;
    const { callerChannel } = known;
    const { bridge } = known.order;

    /** `meanwhile` happens before the answer that still has them comes. */
    async function compared(meanwhile: (handle: (type: 'bridgeLeft' | 'bridgeEntered', at: number) => void) => void) {
      const set = stage({ open: [stateAt('talking', known)] });
      const { ari, registry } = set;
      ari.state.channels.push({ id: callerChannel, state: 'Up' }, { id: destination, state: 'Up' });
      ari.state.recording.push(recorderName(recording));
      ari.state.inBridge[bridge] = [callerChannel, destination];
      await registry.resync();
      registry.connectionLost('connection_lost');
      ari.state.channels.push({ id: by, state: 'Up' });
      ari.state.inBridge[bridge] = [callerChannel, destination, by];
      const channelsIn = ari.channelsIn.bind(ari);
      ari.channelsIn = async (id) => {
        const there = await channelsIn(id);
        ari.channelsIn = channelsIn;
        meanwhile((type, at) => {
          registry.handle({ type, at, bridgeId: bridge, channelId: by });
        });
        return there;
      };
      await registry.resync();
      // The caller hangs up.
      registry.handle({ type: 'channelHangingUp', at: 20, channelId: callerChannel });
      registry.handle({ type: 'channelGone', at: 21, channelId: callerChannel, cause: 16 });

      return set;
    }

    test('takes nobody’s place: the call is over when the caller hangs up', async () => {
      const set = await compared((handle) => {
        handle('bridgeLeft', 9);
      });
      await eventually(() => set.asked('hangUp').length > 0);
      expect(set.asked('hangUp')).toEqual([`hangUp ${destination}`]);
    });

    test('and comes back is there, and talks on with who is left', async () => {
      const set = await compared((handle) => {
        handle('bridgeLeft', 9);
        handle('bridgeEntered', 10);
      });
      await eventually(() => set.saved.some(({ facts }) => facts.callerChannel === by));
      expect(set.asked('hangUp')).toEqual([]);
    });
  });

  test('somebody who joined unseen a call whose recorder had been started stops it, and what it has is kept', async () => {
    const set = stage({ open: [stateAt('dialling', known)] });
    const by = 'somebody-else' as ChannelId;
    for (const id of [known.callerChannel, destination, by]) set.ari.state.channels.push({ id, state: 'Up' });
    set.ari.state.inBridge[known.order.bridge]?.push(by);
    set.ari.state.recording.push(recorderName(recording));
    await set.registry.resync();
    await eventually(() => set.saved.some((state) => state.kind === 'talking' && state.untold));
    expect(set.asked('stopRecorder').length).toBeGreaterThan(0);
    expect(set.asked('discardRecorder')).toEqual([]);
    expect(set.saved.at(-1)).toMatchObject({ recorder: { kind: 'running' } });
  });

  test('a destination that was transferred before its answer was told is answered all the same, unrecorded', async () => {
    const set = stage({ open: [stateAt('dialling', known)] });
    const by = 'somebody-else' as ChannelId;
    for (const id of [known.callerChannel, by]) set.ari.state.channels.push({ id, state: 'Up' });
    set.ari.state.inBridge[known.order.bridge] = [known.callerChannel, by];
    await set.registry.resync();
    await eventually(() => set.saved.some(({ kind }) => kind === 'talking'));
    expect(set.saved.at(-1)).toMatchObject({ facts: { order: { destination: by } }, recorder: { kind: 'withheld' } });
    expect(['recordBridge', 'hangUp', 'continueInDialplan', 'destroyBridge'].flatMap(set.asked)).toEqual([]);
  });

  test('parties who were taken out of their bridge and left to us are let go', async () => {
    const set = stage({ open: [stateAt('talking', known)] });
    const both = [known.callerChannel, destination];
    set.ari.state.channels.push(...both.map((id) => ({ id, state: 'Up' })));
    set.ari.state.inBridge = {};
    set.ari.state.owned = { channels: both, bridges: [] };
    await set.registry.resync();
    await eventually(() => set.asked('destroyBridge').length === 1);
    expect(set.asked('hangUp').sort()).toEqual(both.map((id) => `hangUp ${id}`).sort());
  });

  test('a talk of no known call is left to its end', async () => {
    const set = stage();
    const { state } = set.ari;
    const bridge = `preavis-${ulid}` as BridgeId;
    const [one, other, elsewhere] = ['caller-9', `preavis-${ulid}`, 'caller-8'] as ChannelId[];
    if (one === undefined || other === undefined || elsewhere === undefined) throw new Error('three channels');
    state.channels.push(...[one, other, elsewhere].map((id) => ({ id, state: 'Up' })));
    state.inBridge[bridge] = [one, other];
    // One of ours that talks in a bridge of another application.
    state.inBridge['of-another-application'] = [elsewhere, 'an-agent' as ChannelId];
    state.channels.push({ id: 'an-agent' as ChannelId, state: 'Up' });
    state.owned = { channels: [one, other, elsewhere], bridges: [bridge] };
    await set.registry.resync();
    expect(set.ari.asked).toEqual([]);
    state.channels.shift();
    state.inBridge[bridge] = [other];
    set.registry.handle({ type: 'bridgeLeft', at: 9, bridgeId: bridge, channelId: one });
    await eventually(() => set.ari.asked.length === 2);
    expect(set.ari.asked).toEqual([`hangUp ${other}`, `destroyBridge ${bridge}`]);
  });

  test('a talk of no known call is not recorded, and goes on: nobody can prove what was told in it', async () => {
    const [own, ofOthers, endedOnes] = ['0', '1', '2'].map((last) => `${ulid.slice(0, -1)}${last}` as RecordingId);
    if (own === undefined || ofOthers === undefined || endedOnes === undefined) throw new Error('three recordings');
    const set = stage({ unfinished: () => Promise.resolve([own, ofOthers, endedOnes]) });
    const { state } = set.ari;
    const bridge = `preavis-${ulid}` as BridgeId;
    const talking = ['caller-9', `preavis-${ulid}`] as ChannelId[];
    state.channels.push(...talking.map((id) => ({ id, state: 'Up' })));
    state.inBridge[bridge] = talking;
    state.owned = { channels: talking, bridges: [bridge] };
    state.recordedBridges = {
      [recorderName(own)]: bridge,
      // Of another Préavis on this Asterisk, with a catalogue of its own.
      [recorderName(ofOthers)]: 'preavis-of-another' as BridgeId,
    };
    await set.registry.resync();
    expect(set.ari.asked).toEqual([`stopRecorder ${recorderName(own)}`]);
  });

  test('a recording folder that cannot be read keeps nothing else from being let go', async () => {
    const unreadable = new PreavisError('spool_unusable', 'no right');
    const set = stage({ unfinished: () => Promise.reject(unreadable) });
    const { state } = set.ari;
    const bridge = `preavis-${ulid}` as BridgeId;
    const [one, other, alone] = ['caller-9', `preavis-${ulid}`, 'caller-8'] as ChannelId[];
    if (one === undefined || other === undefined || alone === undefined) throw new Error('three channels');
    state.channels.push(...[one, other, alone].map((id) => ({ id, state: 'Up' })));
    state.inBridge[bridge] = [one, other];
    state.owned = { channels: [one, other, alone], bridges: [bridge] };
    await set.registry.resync();
    expect(set.ari.asked).toEqual([`continueInDialplan ${alone}`]);
  });

  test('a talk of no known call that one side left while Asterisk was asked is ended, and not left in silence', async () => {
    const set = stage();
    const { state } = set.ari;
    const bridge = `preavis-${ulid}` as BridgeId;
    const [one, other] = ['caller-9', `preavis-${ulid}`] as [ChannelId, ChannelId];
    state.channels.push({ id: one, state: 'Up' }, { id: other, state: 'Up' });
    state.inBridge[bridge] = [one, other];
    state.owned = { channels: [one, other], bridges: [bridge] };
    const owned = set.ari.owned.bind(set.ari);
    let asked = 0;
    set.ari.owned = async () => {
      asked += 1;
      const now = await owned();
      // It leaves behind the first answer.
      if (asked === 1) {
        state.channels.pop();
        state.inBridge[bridge] = [one];
        state.owned = { channels: [one], bridges: [bridge] };
      }
      return now;
    };
    await set.registry.resync();
    expect(set.ari.asked).toEqual([`hangUp ${one}`, `destroyBridge ${bridge}`]);
  });

  test('a transfer in a talk of no known call leaves them together', async () => {
    const set = stage();
    const { state } = set.ari;
    const bridge = `preavis-${ulid}` as BridgeId;
    const [one, other, by] = ['caller-9', `preavis-${ulid}`, 'another'] as [ChannelId, ChannelId, ChannelId];
    state.channels.push({ id: one, state: 'Up' }, { id: other, state: 'Up' });
    state.inBridge[bridge] = [one, other];
    state.owned = { channels: [one, other], bridges: [bridge] };
    await set.registry.resync();
    // It rings still.
    state.channels.push({ id: by, state: 'Ring' });
    set.registry.handle({ type: 'bridgeLeft', at: 8, bridgeId: bridge, channelId: other });
    set.registry.handle({ ...arrival(by, []), at: 9, replaces: other });
    state.inBridge[bridge] = [one, by];
    state.owned = { channels: [one, by], bridges: [bridge] };
    const since = performance.now();
    await eventually(() => performance.now() - since > 700);
    expect(set.ari.asked).toEqual([]);
  });

  test('a caller who was transferred unseen while it rang is let go, and who came in their place waits', async () => {
    const set = stage({ open: [stateAt('dialling', known)] });
    const by = 'somebody-else' as ChannelId;
    const { state } = set.ari;
    for (const id of [known.callerChannel, by]) state.channels.push({ id, state: 'Up' });
    state.channels.push({ id: destination, state: 'Ringing' });
    state.inBridge[known.order.bridge] = [by, destination];
    state.owned = { channels: [known.callerChannel, by, destination], bridges: [known.order.bridge] };
    await set.registry.resync();
    await eventually(() => set.asked('hangUp').length === 1);
    expect(['hangUp', 'continueInDialplan', 'destroyBridge'].flatMap(set.asked)).toEqual([
      `hangUp ${known.callerChannel}`,
    ]);
    expect(set.saved.at(-1)).toMatchObject({ kind: 'dialling', facts: { callerChannel: by }, untold: true });
  });

  test('somebody who joined unseen is not in the place of a destination that nobody has dialled yet: the dialplan dials it', async () => {
    const set = stage({ open: [stateAt('dialling', known)] });
    const stranger = 'stranger' as ChannelId;
    const { state } = set.ari;
    for (const id of [known.callerChannel, stranger]) state.channels.push({ id, state: 'Up' });
    // Made and put into the bridge, when serve was killed.
    state.channels.push({ id: destination, state: 'Down' });
    state.inBridge[known.order.bridge] = [known.callerChannel, destination, stranger];
    state.owned = { channels: [known.callerChannel, destination], bridges: [known.order.bridge] };
    await set.registry.resync();
    await eventually(() => set.asked('continueInDialplan').length === 1);
    expect(set.asked('setVariable')).toContain(`setVariable ${known.callerChannel} PREAVIS_REASON interrupted`);
    expect(set.asked('recordBridge')).toEqual([]);
  });

  test('somebody who joined unseen before the answer keeps the recorder from being asked for', async () => {
    const set = stage({ open: [stateAt('dialling', known)] });
    const stranger = 'stranger' as ChannelId;
    for (const id of [known.callerChannel, destination, stranger]) set.ari.state.channels.push({ id, state: 'Up' });
    set.ari.state.inBridge[known.order.bridge] = [known.callerChannel, destination, stranger];
    await set.registry.resync();
    await eventually(() => set.asked('setVariable').length === 1);
    expect(set.asked('setVariable')[0]).toContain(' unrecorded,untold_party,,ANSWER');
    expect(['recordBridge', 'hangUp', 'continueInDialplan', 'destroyBridge'].flatMap(set.asked)).toEqual([]);
  });
});
