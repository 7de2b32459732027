import { type AriEvent } from '../../../../src/ari/events.ts';
import { recorderName } from '../../../../src/call/decide/order.ts';
import { type BridgeId, type ChannelId, type PlaybackId } from '../../../../src/core/ids.ts';
import { callStart, configTree, countingIds, someFacts, stateAt } from '../../../support/call/calls.ts';
import { aPolicy } from '../../../support/policy/policies.ts';
import { eventually } from '../../../support/poll.ts';
import { arrival, endRegistries, hear, isNoHold, stage } from '../../../support/call/registryStage.ts';

afterEach(endRegistries);

describe('an arriving channel', () => {
  test('becomes a call, and every event finds it until its end', async () => {
    const set = stage();
    const { registry, asked, outcomes } = set;
    registry.handle(arrival('caller-1', ['to=PJSIP/100', 'language=nl']));
    expect(registry.size).toBe(1);
    await hear(set);
    expect(asked('play').map((each) => each.split(' ').at(-1))).toEqual(['nl', 'nl']);
    const destination = asked('dial')[0]?.split(' ')[1] as ChannelId;
    registry.handle({ type: 'channelRinging', at: 1, channelId: destination });
    registry.handle({ type: 'channelUp', at: 2, channelId: destination });
    await eventually(() => asked('recordBridge').length === 1);
    const name = asked('recordBridge')[0]?.split(' ')[2] ?? '';
    registry.handle({ type: 'recorderStarted', at: 3, name });
    registry.handle({ type: 'channelHangingUp', at: 4, channelId: 'caller-1' as ChannelId });
    registry.handle({ type: 'recorderFinished', at: 5, name });
    await eventually(() => registry.size === 0);
    expect(outcomes()).toEqual([{ result: 'recorded' }]);
    expect(asked('ring')).toHaveLength(1);
  });

  test('that comes again is a new call, and the first one is over, however far it was', async () => {
    const { registry, ended, asked } = stage();
    registry.handle(arrival('caller-1', ['to=PJSIP/100']));
    registry.handle(arrival('caller-1', ['to=PJSIP/200']));
    await eventually(() => {
      expect(ended).toHaveLength(1);
      expect(registry.size).toBe(1);
      expect(asked('play')).toHaveLength(1);
    });
    registry.handle({ type: 'channelHangingUp', at: 2, channelId: 'caller-1' as ChannelId });
    await eventually(() => {
      expect(ended).toHaveLength(2);
      expect(registry.size).toBe(0);
    });
  });

  test('that we made ourselves is the destination and no call', () => {
    const { registry, ari } = stage();
    registry.handle(arrival('preavis-00000000000000000000000009', ['destination']));
    expect(registry.size).toBe(0);
    expect(ari.asked).toEqual([]);
  });

  test('is announced in both languages of its number', async () => {
    const set = stage();
    set.registry.handle(arrival('caller-1', ['to=PJSIP/100'], '+3225501234'));
    expect(set.registry.size).toBe(1);
    await eventually(() => set.asked('play').length === 1);
    const [order] = set.orders;
    expect(order?.script.sentences.map(({ prompt }) => `${prompt.language} ${prompt.kind}`)).toEqual([
      'fr purpose',
      'fr storage',
      'nl purpose',
      'nl storage',
    ]);
    expect(order?.script.language).toEqual({ languages: ['fr', 'nl'], reason: 'number', unavailable: [] });
  });

  test('for two purposes is kept for the longer one', async () => {
    const set = stage();
    set.registry.handle(arrival('caller-1', ['to=PJSIP/100', 'line=orders']));
    await eventually(() => set.orders.length > 0);
    expect(set.orders[0]).toMatchObject({ keepDays: 392, maximumSeconds: 14_400 });
  });
});

describe('a call that is never recorded', () => {
  test.each([
    ['of an emergency service', ['to=PJSIP/100'], '112'],
    ['to an emergency number', ['to=PJSIP/101@trunk'], '+3225501234'],
    ['whose dialplan is going to dial one', ['way=follow', 'to=112'], '+3225501234'],
  ])('%s goes straight on, before anything is asked or planned', async (_what, args, number) => {
    const { registry, ari, outcomes, orders, text } = stage();
    registry.handle(arrival('caller-1', args, number));
    await eventually(() => registry.size === 0);
    expect(outcomes()).toEqual([{ result: 'unrecorded', reason: 'never_recorded' }]);
    expect(orders).toEqual([]);
    expect(ari.asked.map((each) => each.split(' ')[0])).toEqual([
      ...(args.includes('way=follow') ? ['setVariable'] : []),
      'setVariable',
      'setVariable',
      'continueInDialplan',
    ]);
    expect(ari.asked).toContain('setVariable caller-1 PREAVIS_REASON never_recorded');
    expect(text()).not.toContain('5501234');
  });

  test.each([
    ['from an extension of the house that has the number of one', ['to=PJSIP/100'], '100'],
    ['to a telephone that is called so', ['to=PJSIP/112'], '+3225501234'],
  ])('%s is none', async (_what, args, number) => {
    const { registry, orders } = stage();
    registry.handle(arrival('caller-1', args, number));
    await eventually(() => orders.length === 1);
    expect(registry.size).toBe(1);
  });
});

describe('a caller who is asked', () => {
  /** The policy of the makers, in which training may be refused and the line offers the languages. */
  function asking(): ReturnType<typeof aPolicy> {
    const tree = configTree() as Record<'purposes' | 'lines', Record<string, Record<string, unknown>>>;
    Object.assign(tree.purposes['training'] ?? {}, { consent: 'optOut' });
    Object.assign(tree.lines['default'] ?? {}, { askLanguage: true });

    return aPolicy(tree);
  }
  const press = (digit: string): AriEvent => ({ type: 'digit', at: 5, channelId: 'caller-1' as ChannelId, digit });

  test('chooses a language by a key, which is remembered for their number, and refuses by another', async () => {
    const set = stage({ policy: asking() });
    set.registry.handle(arrival('caller-1', ['to=PJSIP/100'], '+3225501234'));
    await eventually(() => set.asked('play').length === 1);
    set.registry.handle(press('3'));
    await eventually(() => set.remembered.length === 1);
    expect(set.remembered).toEqual([['+3225501234', 'de']]);
    expect(set.asked('play').at(-1)).toMatch(/notice-training-de de$/);
    set.registry.handle(press('9'));
    await eventually(() => set.asked('play').length === 3);
    expect(set.asked('play').at(-1)).toMatch(/optOutAck-de de$/);
    const playbackId = set.asked('play').at(-1)?.split(' ')[2] as PlaybackId;
    set.registry.handle({ type: 'playbackFinished', at: 6, playbackId, outcome: 'done' });
    await eventually(() => set.registry.size === 0);
    expect(set.outcomes()).toEqual([{ result: 'unrecorded', reason: 'refused' }]);
    expect(set.asked('continueInDialplan')).toHaveLength(1);
    expect(set.text()).not.toContain('5501234');
  });

  test('and puts the line on hold during the notice was not told', async () => {
    const set = stage();
    set.registry.handle(arrival('caller-1', ['to=PJSIP/100']));
    await eventually(() => set.asked('play').length === 1);
    set.registry.handle({ type: 'channelHeld', at: 5, channelId: 'caller-1' as ChannelId });
    await eventually(() => set.outcomes().length === 1);
    expect(set.outcomes()).toEqual([{ result: 'unrecorded', reason: 'notice_on_hold' }]);
  });

  test('presses keys without end: nothing comes of it, and the call is answered for once', async () => {
    const set = stage();
    set.registry.handle(arrival('caller-1', ['to=PJSIP/100']));
    await eventually(() => set.asked('play').length === 1);
    for (let count = 0; count < 50_000; count += 1) set.registry.handle(press('0123456789*#ABCD'[count % 16] ?? '0'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(set.asked('play')).toHaveLength(1);
    expect(set.registry.size).toBe(1);
  });
});

describe('a request to hang up', () => {
  test('by the caller ends the notice before its playback does, so that it does not count as heard', async () => {
    const set = stage();
    set.registry.handle(arrival('caller-1', ['to=PJSIP/100', 'language=fr']));
    await eventually(() => set.asked('play').length === 1);
    const playbackId = set.asked('play')[0]?.split(' ')[2] as PlaybackId;
    set.registry.handle({ type: 'playbackStarted', playbackId, at: callStart });
    set.registry.handle({ type: 'channelHangingUp', at: callStart + 990, channelId: 'caller-1' as ChannelId });
    set.registry.handle({ type: 'playbackFinished', playbackId, at: callStart + 1_000, outcome: 'done' });
    await eventually(() => set.registry.size === 0);
    expect(set.ended).toMatchObject([
      { outcome: { result: 'abandoned' }, played: [{ verdict: 'notice_cut_short' }], endedAt: callStart + 990 },
    ]);
    expect(set.asked('continueInDialplan')).toEqual([]);
  });
});

describe('a refused call', () => {
  test('goes back to the dialplan; the log names the argument and nothing of its value', async () => {
    const { registry, asked, lines, text } = stage();
    registry.handle(arrival('caller-1', ['to=PJSIP/zebra&PJSIP/zebra2']));
    await eventually(() => registry.size === 0);
    expect(asked('setVariable')).toEqual([
      'setVariable caller-1 PREAVIS_RESULT unrecorded',
      'setVariable caller-1 PREAVIS_REASON arguments_invalid',
    ]);
    expect(asked('continueInDialplan')).toEqual(['continueInDialplan caller-1']);
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'error', code: 'arguments_invalid', argument: 'to' }),
    );
    expect(text()).not.toContain('zebra');
  });

  test('because no language has a notice for its purposes says so', async () => {
    const set = stage({ policy: { ...aPolicy(), notice: () => undefined } });
    const { registry } = set;
    registry.handle(arrival('caller-1', ['to=PJSIP/100']));
    await eventually(() => registry.size === 0);
    expect(set.asked('setVariable')).toContain('setVariable caller-1 PREAVIS_REASON no_language');
  });

  test('while draining goes back to the dialplan, and the calls that are there go on', async () => {
    const { registry, asked, outcomes } = stage();
    registry.handle(arrival('caller-1', ['to=PJSIP/100']));
    registry.stopAccepting();
    registry.handle(arrival('caller-2', ['to=PJSIP/100']));
    await eventually(() => outcomes().length === 1);
    expect(outcomes()).toEqual([{ result: 'unrecorded', reason: 'shutting_down' }]);
    expect(asked('continueInDialplan')).toEqual(['continueInDialplan caller-2']);
    await eventually(() => asked('play').length === 1);
    expect(registry.size).toBe(1);
  });
});

describe('an event of an unknown thing', () => {
  test('is left aside', () => {
    const { registry, ari } = stage();
    const at = 1;
    registry.handle({ type: 'channelGone', at, channelId: 'other' as ChannelId, cause: 16 });
    registry.handle({ type: 'playbackFinished', at, playbackId: 'other' as PlaybackId, outcome: 'done' });
    registry.handle({ type: 'recorderFailed', at, name: 'other', cause: 'x' });
    registry.handle({ type: 'bridgeGone', at, bridgeId: 'other' as BridgeId });
    registry.handle({ type: 'applicationReplaced', at });
    expect(ari.asked).toEqual([]);
  });
});

describe('calls that are left to another process', () => {
  test('send their callers on where they are not yet connected, after the effects under way', async () => {
    const set = stage();
    const release = set.ari.hold('answer');
    set.registry.handle(arrival('caller-1', ['to=PJSIP/100']));
    await eventually(() => set.asked('answer').length === 1);
    let left = false;
    const leaving = set.registry.abandon().then(() => {
      left = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(left).toBe(false);
    release();
    await leaving;
    expect(set.outcomes()).toEqual([{ result: 'unrecorded', reason: 'interrupted' }]);
    expect(set.asked('continueInDialplan')).toHaveLength(1);
  });

  test('stay as they are while both sides talk', async () => {
    const known = someFacts(countingIds(), { sentenceCount: 1 });
    const { destination, recording } = known.order;
    const set = stage({ open: [stateAt('talking', known)] });
    set.ari.state.channels.push({ id: known.callerChannel, state: 'Up' }, { id: destination, state: 'Up' });
    set.ari.state.recording.push(recorderName(recording));
    await set.registry.resync();
    await set.registry.abandon();
    expect(set.ari.asked.filter(isNoHold)).toEqual([]);
    expect(set.outcomes()).toEqual([]);
  });

  test('are written down as they are, where the catalogue was away and is not any more: whoever has them next knows no more', async () => {
    const known = someFacts(countingIds(), { sentenceCount: 1 });
    const { destination, recording } = known.order;
    let isAway = false;
    const set = stage({ open: [stateAt('talking', known)], saveFails: () => isAway });
    set.ari.state.channels.push({ id: known.callerChannel, state: 'Up' }, { id: destination, state: 'Up' });
    set.ari.state.recording.push(recorderName(recording));
    await set.registry.resync();
    isAway = true;
    set.registry.handle({ type: 'recorderFinished', at: 5, name: recorderName(recording) });
    set.registry.handle({ type: 'channelHangingUp', at: 6, channelId: known.callerChannel });
    await eventually(() => set.ended.length === 1);
    expect(set.kinds()).not.toContain('ended');
    isAway = false;
    await set.registry.abandon();
    expect(set.kinds()).toContain('ended');
  });
});

describe('the clock of Asterisk at an arrival', () => {
  test.each([
    ['behind', callStart + 60_001, [-60_001]],
    ['ahead', callStart - 60_001, [60_001]],
    ['as ours, with a minute of latency', callStart + 60_000, []],
  ])('that is %s', (_, clockNow, told) => {
    const { registry, ahead } = stage({ clockNow });
    registry.handle(arrival('caller-1', ['to=PJSIP/agent']));
    expect(ahead).toEqual(told);
  });
});
