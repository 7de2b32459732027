import { ulid as randomUlid } from 'ulid';
import { recorderName, type Order } from '../../../../src/call/decide/order.ts';
import type { UnreadableCall } from '../../../../src/call/session/journal.ts';
import type { CallState, Facts } from '../../../../src/call/decide/state.ts';
import { PreavisError } from '../../../../src/core/errors.ts';
import { makeIds, type BridgeId, type ChannelId } from '../../../../src/core/ids.ts';
import { countingIds, someFacts, stateAt } from '../../../support/call/calls.ts';
import { eventually } from '../../../support/poll.ts';
import { arrival, endRegistries, hear, isNoHold, stage, ulid } from '../../../support/call/registryStage.ts';

afterEach(endRegistries);

describe('after a lost connection', () => {
  const known = someFacts(countingIds(), { sentenceCount: 1 });
  const { destination, recording } = known.order;

  test('a call of this process is not taken up twice, and its events still find it', async () => {
    const set = stage();
    set.registry.handle(arrival('caller-1', ['to=PJSIP/100', 'language=fr']));
    await hear(set);
    const facts = set.saved.at(-1)?.facts as (Facts & { order: Order }) | undefined;
    set.ari.state.channels.push({ id: 'caller-1' as ChannelId, state: 'Up' });
    if (facts !== undefined) set.ari.state.channels.push({ id: facts.order.destination, state: 'Ringing' });
    await set.registry.resync();
    expect(set.registry.size).toBe(1);
    set.registry.handle({ type: 'channelHangingUp', at: 9, channelId: 'caller-1' as ChannelId });
    await eventually(() => set.registry.size === 0);
    expect(set.outcomes()).toEqual([{ result: 'abandoned' }]);
  });

  test('a call that arrives while Asterisk is being asked is not taken for one that has left', async () => {
    const set = stage();
    const release = set.ari.hold('owned');
    const reconciled = set.registry.resync();
    set.registry.handle(arrival('caller-1', ['to=PJSIP/100']));
    release();
    await reconciled;
    await eventually(() => set.asked('play').length === 1);
    expect(set.outcomes()).toEqual([]);
  });

  test('a call that ends while Asterisk is being asked is not taken up again', async () => {
    const before = stateAt('talking', known);
    const set = stage({ open: [before] });
    set.ari.state.channels.push({ id: known.callerChannel, state: 'Up' }, { id: destination, state: 'Up' });
    set.ari.state.recording.push(recorderName(recording));
    await set.registry.resync();
    expect(set.registry.size).toBe(1);
    const release = set.ari.hold('owned');
    const reconciled = set.registry.resync();
    set.registry.handle({ type: 'channelLeft', at: 9, channelId: known.callerChannel });
    set.registry.handle({ type: 'recorderFinished', at: 10, name: recorderName(recording) });
    await eventually(() => set.registry.size === 0);
    release();
    await reconciled;
    expect(set.registry.size).toBe(0);
    expect(set.outcomes()).toEqual([{ result: 'recorded' }]);
  });

  test('a call whose end the catalogue did not take is not taken up as one that goes on', async () => {
    const open: CallState[] = [];
    const set = stage({ open, saveFails: ({ kind }) => kind === 'ended' });
    set.registry.handle(arrival('caller-1', ['to=PJSIP/100', 'language=fr']));
    await hear(set);
    open.push(...set.saved.slice(-1));
    set.registry.handle({ type: 'channelHangingUp', at: 9, channelId: 'caller-1' as ChannelId });
    await eventually(() => set.registry.size === 0);
    await set.registry.resync();
    expect(set.registry.size).toBe(0);
    expect(set.outcomes()).toEqual([{ result: 'abandoned' }]);
  });

  test('channels and bridges of no call are freed: callers go on, destinations are hung up', async () => {
    const set = stage();
    set.ari.state.owned = {
      channels: ['caller-9', `preavis-${ulid}`] as ChannelId[],
      bridges: [`preavis-${ulid}`, 'of-another-application'] as BridgeId[],
    };
    await set.registry.resync();
    expect(set.ari.asked).toEqual([
      'continueInDialplan caller-9',
      `hangUp preavis-${ulid}`,
      `destroyBridge preavis-${ulid}`,
    ]);
  });

  test('a call that this version cannot read is ended, its recorder first, and the next one is taken up', async () => {
    const strange: UnreadableCall = { kind: 'unreadable', id: known.id, recording: known.order.recording };
    const good = someFacts(makeIds(() => randomUlid()));
    const set = stage({ open: [strange, stateAt('talking', good)] });
    const goodChannels = [good.callerChannel, good.order.destination];
    const goodIds = [...goodChannels, good.order.recording];
    set.ari.state.channels.push(...[...goodChannels, known.callerChannel].map((id) => ({ id, state: 'Up' })));
    set.ari.state.recording.push(recorderName(good.order.recording));
    set.ari.state.owned = { channels: [known.callerChannel, destination], bridges: [known.order.bridge] };
    await set.registry.resync();
    const ofOther = (request: string): boolean => goodIds.some((id) => request.includes(id));
    expect(set.ari.asked.filter((request) => !ofOther(request))).toEqual([
      `stopRecorder ${recorderName(recording)}`,
      `continueInDialplan ${known.callerChannel}`,
      `hangUp ${destination}`,
      `destroyBridge ${known.order.bridge}`,
      `endUnreadable ${known.id}`,
    ]);
    expect(set.registry.size).toBe(1);
  });

  test('a call that cannot be read stays open while Asterisk does not answer', async () => {
    const set = stage({ open: [{ kind: 'unreadable', id: known.id, recording: known.order.recording }] });
    set.ari.refuse('stopRecorder', 'ari_unreachable');
    await expect(set.registry.resync()).rejects.toMatchObject({ code: 'ari_unreachable' });
    expect(set.asked('endUnreadable')).toEqual([]);
  });

  test('one that cannot be freed does not keep the others', async () => {
    const set = stage();
    set.ari.refuse('continueInDialplan', 'ari_unreachable');
    set.ari.refuse('destroyBridge', 'ari_not_found');
    set.ari.state.owned = {
      channels: ['caller-8', 'caller-9'] as ChannelId[],
      bridges: [`preavis-${ulid}`, `preavis-${ulid.replace('0', '1')}`] as BridgeId[],
    };
    await expect(set.registry.resync()).rejects.toMatchObject({ code: 'ari_unreachable' });
    expect(set.ari.asked).toHaveLength(4);
    expect(set.lines.filter((line) => line.level === 'warn')).toHaveLength(1);
  });

  test('a channel that Asterisk refuses to send on is not in our hands, and nothing to repeat for', async () => {
    const set = stage();
    set.ari.refuse('continueInDialplan', 'ari_request_failed');
    set.ari.state.owned = { channels: ['caller-8'] as ChannelId[], bridges: [] };
    await set.registry.resync();
    expect(set.asked('continueInDialplan')).toHaveLength(1);
  });

  test('a caller whom the comparison itself sends on is sent on once', async () => {
    const set = stage({ open: [stateAt('announcing', known)] });
    set.ari.state.channels.push({ id: known.callerChannel, state: 'Up' });
    set.ari.state.owned = { channels: [known.callerChannel], bridges: [] };
    await set.registry.resync();
    expect(set.asked('continueInDialplan')).toHaveLength(1);
  });

  test('a caller with whom the dialplan has gone on is not sent on, and nothing waits for them', async () => {
    const set = stage({ open: [stateAt('announcing', known)] });
    set.ari.state.channels.push({ id: known.callerChannel, state: 'Up' });
    await set.registry.resync();
    await eventually(() => set.ended.length === 1);
    expect(set.outcomes()).toEqual([{ result: 'unrecorded', reason: 'sent_on' }]);
    expect(set.asked('continueInDialplan')).toEqual([]);
  });

  test('a caller whom Asterisk does not send on keeps no other call from being watched', async () => {
    const set = stage({ open: [stateAt('announcing', known)] });
    set.ari.state.channels.push({ id: known.callerChannel, state: 'Up' });
    set.ari.state.owned = { channels: [known.callerChannel], bridges: [] };
    set.ari.refuse('continueInDialplan', 'ari_request_failed', 4);
    expect(await set.registry.resync()).toBe('whole');
    expect(set.asked('continueInDialplan').length).toBeLessThanOrEqual(1);
    await eventually(() => set.ended.length === 1);
  });

  test('what Asterisk said before the connection was lost again ends no call, and the next comparison is whole', async () => {
    const set = stage({ open: [stateAt('talking', known)] });
    const talking = [known.callerChannel, destination].map((id) => ({ id, state: 'Up' }));
    set.ari.state.channels.push(...talking);
    set.ari.state.recording.push(recorderName(recording));
    await set.registry.resync();
    set.registry.connectionLost('connection_lost');
    // Asterisk's answer is on its way when the connection goes again; it knows nothing of this call.
    set.ari.state.channels.length = 0;
    const release = set.ari.hold('owned');
    const outOfDate = set.registry.resync();
    await new Promise((resolve) => setImmediate(resolve));
    set.registry.connectionLost('connection_lost');
    release();
    await outOfDate;
    expect(set.asked('hangUp')).toEqual([]);
    expect(set.registry.size).toBe(1);
    // Both hung up while nobody listened.
    set.ari.state.recording.length = 0;
    await set.registry.resync();
    await eventually(() => set.ended.length === 1);
    expect(set.outcomes()).toEqual([{ result: 'recorded' }]);
  });

  test('a comparison that failed half-way is repeated for the calls that it did not get to, and for no other', async () => {
    // Not those that the registry counts.
    const ids = makeIds(() => randomUlid());
    const [one, two] = [someFacts(ids), someFacts(ids)];
    const open = [stateAt('talking', one), stateAt('talking', two)];
    const set = stage({ open });
    const ofTwo = recorderName(two.order.recording);
    const isRecording = set.ari.isRecording.bind(set.ari);
    let failures = 2;
    set.ari.isRecording = (name) => {
      if (name !== ofTwo || (failures -= 1) < 0) return isRecording(name);
      return Promise.reject(new PreavisError('ari_request_failed', 'no answer'));
    };
    // Both callers have left meanwhile.
    await expect(set.registry.resync()).rejects.toMatchObject({ code: 'ari_request_failed' });
    await eventually(() => set.ended.length === 1);
    open.shift();
    set.registry.handle(arrival('caller-9', ['to=PJSIP/100']));
    await eventually(() => set.asked('play').length === 1);
    expect(await set.registry.resync()).toBe('partly');
    set.ari.state.channels.push({ id: 'caller-9' as ChannelId, state: 'Up' });
    expect(await set.registry.resync()).toBe('whole');
    await eventually(() => set.ended.length === 2);
    expect(set.outcomes()).toEqual([{ result: 'recorded' }, { result: 'recorded' }]);
    // The call that came after the connection was there again has missed nothing.
    expect(set.registry.size).toBe(1);
    expect(set.asked('continueInDialplan')).toEqual([]);
  });

  test('a call whose comparison fails keeps no other from being compared, and is compared again', async () => {
    const ids = makeIds(() => randomUlid());
    const [one, two, three] = [someFacts(ids), someFacts(ids), someFacts(ids)];
    const open = [one, two, three].map((facts) => stateAt('talking', facts));
    const set = stage({ open });
    const isRecording = set.ari.isRecording.bind(set.ari);
    const failing = new Set([recorderName(one.order.recording), recorderName(two.order.recording)]);
    set.ari.isRecording = (name) =>
      failing.has(name) ? Promise.reject(new PreavisError('ari_request_failed', 'HTTP 500')) : isRecording(name);
    set.ari.state.owned = { channels: [...[one, two].map((facts) => facts.order.destination)], bridges: [] };
    // All callers have left meanwhile.
    await expect(set.registry.resync()).rejects.toMatchObject({ code: 'ari_request_failed' });
    await eventually(() => set.ended.length === 1);
    expect(set.ended[0]?.facts.id).toBe(three.id);
    expect(set.registry.size).toBe(2);
    expect(set.asked('hangUp')).toEqual([]);
    expect(set.lines.filter(({ code }) => code === 'ari_request_failed').map((line) => line['call'])).toEqual([
      one.id,
      two.id,
    ]);
    failing.clear();
    open.pop();
    await set.registry.resync();
    await eventually(() => set.ended.length === 3);
    expect(set.registry.size).toBe(0);
  });

  test('calls are compared several at a time, and not all at once', async () => {
    const ids = makeIds(() => randomUlid());
    const calls = Array.from({ length: 30 }, () => someFacts(ids));
    const set = stage({ open: calls.map((facts) => stateAt('talking', facts)) });
    const { state } = set.ari;
    for (const { callerChannel, order } of calls) {
      state.channels.push({ id: callerChannel, state: 'Up' }, { id: order.destination, state: 'Up' });
      state.recording.push(recorderName(order.recording));
    }
    const channelsIn = set.ari.channelsIn.bind(set.ari);
    const atOnce = { now: 0, most: 0 };
    set.ari.channelsIn = async (bridge) => {
      atOnce.now += 1;
      atOnce.most = Math.max(atOnce.most, atOnce.now);
      await new Promise((resolve) => setImmediate(resolve));
      atOnce.now -= 1;

      return channelsIn(bridge);
    };
    expect(await set.registry.resync()).toBe('whole');
    expect(atOnce.most).toBe(8);
  });

  test('a call that cannot be compared again is recorded no longer, and keeps no other from being watched', async () => {
    const ids = makeIds(() => randomUlid());
    const [one, two] = [someFacts(ids), someFacts(ids)];
    const set = stage({ open: [stateAt('talking', one), stateAt('talking', two)] });
    for (const { callerChannel, order } of [one, two]) {
      set.ari.state.channels.push({ id: callerChannel, state: 'Up' }, { id: order.destination, state: 'Up' });
      set.ari.state.recording.push(recorderName(order.recording));
    }
    const channelsIn = set.ari.channelsIn.bind(set.ari);
    let fails = true;
    let code: 'ari_unreachable' | 'ari_request_failed' = 'ari_unreachable';
    set.ari.channelsIn = (bridge) =>
      fails && bridge === one.order.bridge ? Promise.reject(new PreavisError(code, 'no answer')) : channelsIn(bridge);
    // That Asterisk does not answer says nothing of one call.
    for (let times = 0; times < 3; times += 1) await expect(set.registry.resync()).rejects.toMatchObject({ code });
    code = 'ari_request_failed';
    await expect(set.registry.resync()).rejects.toMatchObject({ code });
    expect(set.asked('stopRecorder')).toEqual([]);
    expect(await set.registry.resync()).toBe('partly');
    expect(set.asked('stopRecorder')).toEqual([`stopRecorder ${recorderName(one.order.recording)}`]);
    expect(set.saved).toMatchObject([{ facts: { id: one.id }, untold: true }]);
    fails = false;
    expect(await set.registry.resync()).toBe('whole');
    expect(set.asked('hangUp')).toEqual([]);
  });

  describe('who leaves a call before it is compared', () => {
    const { callerChannel } = known;
    const by = 'somebody-else' as ChannelId;

    /** While nobody listened `by` came into the talk; then the connection is there again, and Asterisk is being asked. */
    async function behind() {
      const set = stage({ open: [stateAt('talking', known)] });
      const { state } = set.ari;
      state.channels.push({ id: callerChannel, state: 'Up' }, { id: destination, state: 'Up' });
      state.recording.push(recorderName(recording));
      await set.registry.resync();
      set.registry.connectionLost('connection_lost');
      set.ari.asked.length = 0;
      state.channels.push({ id: by, state: 'Up' });
      state.inBridge[known.order.bridge]?.push(by);
      const release = set.ari.hold('time');

      return { set, compared: set.registry.resync(), release };
    }

    test.each(['before', 'after'] as const)(
      'ends no talk of others whom it does not know yet: %s Asterisk has said who is there',
      async (when) => {
        const { set, compared, release } = await behind();
        const { state } = set.ari;
        if (when === 'after') await new Promise((resolve) => setImmediate(resolve));
        set.registry.handle({ type: 'channelHangingUp', at: 7, channelId: callerChannel });
        set.registry.handle({ type: 'channelGone', at: 8, channelId: callerChannel, cause: 16 });
        state.channels.shift();
        state.inBridge[known.order.bridge] = [destination, by];
        release();
        await compared;
        await eventually(() => set.saved.some(({ facts }) => facts.callerChannel === by));
        expect(['hangUp', 'destroyBridge', 'continueInDialplan'].flatMap(set.asked)).toEqual([]);
        set.registry.handle({ type: 'channelGone', at: 9, channelId: by, cause: 16 });
        await eventually(() => set.asked('hangUp').length === 1);
        expect(set.asked('hangUp')).toEqual([`hangUp ${destination}`]);
      },
    );
  });

  test('who is left alone by a call that cannot be compared is hung up all the same', async () => {
    const set = stage({ open: [stateAt('talking', known)] });
    const { state } = set.ari;
    state.channels.push({ id: known.callerChannel, state: 'Up' }, { id: destination, state: 'Up' });
    await set.registry.resync();
    set.registry.connectionLost('connection_lost');
    set.ari.channelsIn = () => Promise.reject(new PreavisError('ari_request_failed', 'no'));
    await expect(set.registry.resync()).rejects.toMatchObject({ code: 'ari_request_failed' });
    state.channels.shift();
    state.inBridge[known.order.bridge] = [destination];
    set.registry.handle({ type: 'channelGone', at: 8, channelId: known.callerChannel, cause: 16 });
    await eventually(() => set.asked('hangUp').length === 1);
    expect(set.asked('hangUp')).toEqual([`hangUp ${destination}`]);
  });

  test('a caller who comes again before the call from before is compared stays in the new one', async () => {
    const set = stage({ open: [stateAt('talking', known)] });
    const { state } = set.ari;
    const { callerChannel } = known;
    state.channels.push({ id: callerChannel, state: 'Up' }, { id: destination, state: 'Up' });
    await set.registry.resync();
    set.registry.connectionLost('connection_lost');
    state.inBridge[known.order.bridge] = [destination];
    state.owned.channels.push(callerChannel, destination);
    const release = set.ari.hold('time');
    const compared = set.registry.resync();
    set.registry.handle(arrival(callerChannel, ['to=PJSIP/100']));
    release();
    await compared;
    await eventually(() => set.ended.length === 1 && set.asked('play').length === 1);
    expect(set.asked('hangUp')).toEqual([`hangUp ${destination}`]);
    expect(set.asked('continueInDialplan')).toEqual([]);
  });

  describe('parties of a talk who are in another bridge by now', () => {
    const both = [known.callerChannel, destination];

    function moved(others: readonly ChannelId[]) {
      const set = stage({ open: [stateAt('talking', known)] });
      const { state } = set.ari;
      state.channels.push(...[...both, 'an-agent' as ChannelId].map((id) => ({ id, state: 'Up' })));
      state.recording.push(recorderName(recording));
      state.owned = { channels: both, bridges: [] };
      const move = (): void => {
        state.inBridge = { 'of-another-application': [...others, 'an-agent' as ChannelId] };
      };

      return { set, move };
    }

    test.each<[string, ChannelId[], ChannelId[]]>([
      ['both', both, []],
      ['the destination', [destination], [known.callerChannel]],
    ])('are not hung up, whoever waits for us is: %s', async (_, others, hungUp) => {
      const { set, move } = moved(others);
      move();
      await set.registry.resync();
      await eventually(() => set.asked('destroyBridge').length === 1);
      expect(set.asked('hangUp')).toEqual(hungUp.map((id) => `hangUp ${id}`));
    });

    test('are not hung up when theirs is destroyed', async () => {
      const { set, move } = moved([destination]);
      await set.registry.resync();
      move();
      set.registry.handle({ type: 'bridgeGone', at: 9, bridgeId: known.order.bridge });
      await eventually(() => set.asked('destroyBridge').length === 1);
      expect(set.asked('hangUp')).toEqual([`hangUp ${known.callerChannel}`]);
    });
  });

  test('a call that cannot be taken up yet keeps no other, and nothing of it is freed', async () => {
    const ids = makeIds(() => randomUlid());
    const [one, two] = [someFacts(ids), someFacts(ids)];
    const set = stage({ open: [stateAt('dialling', one), stateAt('talking', two)] });
    const isRecording = set.ari.isRecording.bind(set.ari);
    let fails = true;
    set.ari.isRecording = (name) =>
      fails && name === recorderName(one.order.recording)
        ? Promise.reject(new PreavisError('ari_unreachable', 'no answer'))
        : isRecording(name);
    set.ari.state.channels.push(
      { id: one.callerChannel, state: 'Up' },
      { id: one.order.destination, state: 'Ringing' },
    );
    set.ari.state.owned = {
      channels: [one.callerChannel, one.order.destination, 'caller-9' as ChannelId],
      bridges: [one.order.bridge],
    };
    await expect(set.registry.resync()).rejects.toMatchObject({ code: 'ari_unreachable' });
    await eventually(() => set.ended.length === 1);
    expect(set.outcomes()).toEqual([{ result: 'recorded' }]);
    expect(set.asked('continueInDialplan')).toEqual(['continueInDialplan caller-9']);
    expect([...set.asked('hangUp'), ...set.asked('destroyBridge')].join()).not.toContain(one.order.bridge);
    expect(set.asked('hangUp')).not.toContain(`hangUp ${one.order.destination}`);
    fails = false;
    set.ari.state.owned.channels.pop();
    await set.registry.resync();
    // Asked of the state at that time: the destination still rings.
    await eventually(() => set.registry.size === 1);
  });

  test('a recorder of a call that cannot be read and does not stop keeps no other call from being compared', async () => {
    const strange: UnreadableCall = { kind: 'unreadable', id: known.id, recording: known.order.recording };
    const good = someFacts(makeIds(() => randomUlid()));
    const set = stage({ open: [strange, stateAt('talking', good)] });
    set.ari.state.owned = { channels: [known.callerChannel], bridges: [] };
    set.ari.refuse('stopRecorder', 'ari_unreachable');
    await expect(set.registry.resync()).rejects.toMatchObject({ code: 'ari_unreachable' });
    await eventually(() => set.ended.length === 1);
    expect(set.ended[0]?.facts.id).toBe(good.id);
    // Its channels are not known from others', and its recorder may run.
    expect(set.asked('continueInDialplan')).toEqual([]);
    expect(set.asked('endUnreadable')).toEqual([]);
    await set.registry.resync();
    expect(set.asked('continueInDialplan')).toHaveLength(1);
    expect(set.asked('endUnreadable')).toHaveLength(1);
  });

  test('a call that was there when the connection was lost is told what it missed', async () => {
    const set = stage({ open: [stateAt('dialling', known)] });
    set.ari.state.channels.push({ id: known.callerChannel, state: 'Up' }, { id: destination, state: 'Ringing' });
    await set.registry.resync();
    set.registry.connectionLost('connection_lost');
    set.ari.state.channels.length = 0;
    await set.registry.resync();
    await eventually(() => set.ended.length === 1);
    expect(set.outcomes()).toEqual([{ result: 'abandoned' }]);
    expect(set.registry.size).toBe(0);
  });

  test('nothing of a call that goes on is freed', async () => {
    const set = stage({ open: [stateAt('talking', known)] });
    set.ari.state.channels.push({ id: known.callerChannel, state: 'Up' }, { id: destination, state: 'Up' });
    set.ari.state.recording.push(recorderName(recording));
    set.ari.state.owned = { channels: [known.callerChannel, destination], bridges: [known.order.bridge] };
    await set.registry.resync();
    expect(set.ari.asked.filter(isNoHold)).toEqual([]);
  });

  test('an Asterisk that does not answer is an error, and no call is touched', async () => {
    const set = stage({ open: [stateAt('talking', known)] });
    set.ari.owned = () => Promise.reject(new PreavisError('ari_unreachable', 'no answer'));
    await expect(set.registry.resync()).rejects.toMatchObject({ code: 'ari_unreachable' });
    expect(set.ari.asked).toEqual([]);
    expect(set.saved).toEqual([]);
  });
});
