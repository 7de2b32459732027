import { ulid as randomUlid } from 'ulid';
import { asLocalName, type AriEvent } from '../../../src/ari/events.ts';
import { makePlanner } from '../../../src/call/planner.ts';
import { CallRegistry } from '../../../src/call/registry.ts';
import { recorderName } from '../../../src/call/recorderName.ts';
import type { Happening, LanguagePreferences, UnreadableCall } from '../../../src/call/ports.ts';
import type { CallState, Facts, Order, Party } from '../../../src/call/state.ts';
import { PreavisError } from '../../../src/core/errors.ts';
import {
  makeIds,
  type BridgeId,
  type CallId,
  type ChannelId,
  type PlaybackId,
  type RecordingId,
} from '../../../src/core/ids.ts';
import { callStart, configTree, countingIds, someFacts, stateAt } from '../../support/calls.ts';
import { collectingLog } from '../../support/logLines.ts';
import { aPolicy } from '../../support/policies.ts';
import { eventually } from '../../support/poll.ts';
import { scriptedAri } from '../../support/scriptedAri.ts';

const ulid = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
const registries: CallRegistry[] = [];
afterEach(async () => {
  // Their timers.
  await Promise.all(registries.splice(0).map((registry) => registry.abandon()));
});

function stage({
  open = [] as (CallState | UnreadableCall)[],
  policy = aPolicy(),
  /** Our clock. */
  clockNow = callStart,
  saveFails = undefined as ((state: CallState) => boolean) | undefined,
  unfinished = (): Promise<RecordingId[]> => Promise.resolve([]),
  watchesBridges = true,
} = {}) {
  const ari = scriptedAri();
  for (const call of open) {
    if (call.kind === 'unreadable' || call.facts.order === undefined) continue;
    const { bridge, destination } = call.facts.order;
    ari.state.inBridge[bridge] = [call.facts.callerChannel, destination];
  }
  const ids = countingIds();
  const { log, lines, text } = collectingLog();
  const ended: CallState[] = [];
  const ahead: number[] = [];
  const saved: CallState[] = [];
  const kept: ({ id: CallId } & Happening)[] = [];
  let keeps = Promise.resolve();
  const orders: Order[] = [];
  const remembered: [string, string][] = [];
  const preferences: LanguagePreferences = {
    find: () => Promise.resolve(undefined),
    remember: (number, language) => {
      remembered.push([number, language]);
      return Promise.resolve();
    },
  };
  const planner = makePlanner({
    policy,
    preferences,
    callers: { keep: () => Promise.resolve() },
    variable: (...args) => ari.variable(...args),
    ids,
    random: () => 0,
    log,
  });
  const registry = new CallRegistry({
    ari,
    log,
    clock: { now: () => clockNow },
    clockIsOff: (aheadMs) => {
      ahead.push(aheadMs);
    },
    journal: {
      save: (state) => {
        if (saveFails?.(state) === true) return Promise.reject(new PreavisError('catalogue_unusable', 'no room'));
        saved.push(state);
        return Promise.resolve();
      },
      keepHappening: (id, happening) => {
        kept.push({ id, ...happening });
        return keeps;
      },
      open: () => Promise.resolve(open),
      endUnreadable: (id) => {
        ari.asked.push(`endUnreadable ${id}`);
        return Promise.resolve();
      },
    },
    readiness: {
      check: (order) => {
        orders.push(order);
        return Promise.resolve('ready');
      },
    },
    planner,
    preferences,
    policy,
    ids,
    watchesBridges: () => watchesBridges,
    watch: { until: 1_000 },
    unfinished: () => unfinished(),
    asterisk: () => ({ version: '22.5.2', node: 'test' }),
    legUnheard: () => undefined,
    callEnded: (state) => {
      ended.push(state);
    },
  });
  registries.push(registry);
  const asked = (command: string): string[] => ari.asked.filter((each) => each.startsWith(`${command} `));
  const [outcomes, kinds] = [
    () => ended.map((state) => (state.kind === 'ended' ? state.outcome : undefined)),
    () => saved.map((state) => state.kind),
  ];

  const holdKeeping = (): void => {
    keeps = new Promise(() => undefined);
  };

  return {
    registry,
    ari,
    ahead,
    ended,
    outcomes,
    kinds,
    saved,
    kept,
    orders,
    remembered,
    lines,
    text,
    asked,
    holdKeeping,
  };
}

const arrival = (channel: string, args: string[], callerNumber = '') => ({
  type: 'channelArrived' as const,
  at: callStart,
  channelId: channel as ChannelId,
  args,
  callerNumber,
  language: 'en',
  replaces: undefined as ChannelId | undefined,
});

/** What is asked for again whenever a call is compared, whether somebody holds or not. */
const isNoHold = (request: string): boolean => !/^(?:resumeRecorder|stopMusic) /.test(request);

/** Lets the notice of the only call be heard; the ids are those that Asterisk was asked to use. */
async function hear({ registry, asked }: ReturnType<typeof stage>): Promise<void> {
  for (let sentence = 0; sentence < 2; sentence += 1) {
    await eventually(() => asked('play').length === sentence + 1);
    const playbackId = asked('play').at(-1)?.split(' ')[2] as PlaybackId;
    registry.handle({ type: 'playbackStarted', playbackId, at: callStart + 2_000 * sentence });
    registry.handle({
      type: 'playbackFinished',
      playbackId,
      at: callStart + 2_000 * sentence + 1_000,
      outcome: 'done',
    });
  }
  await eventually(() => asked('dial').length === 1);
}

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

describe('a channel that comes into the bridge', () => {
  const talking = someFacts(countingIds());
  const { bridge, recording, destination } = talking.order;
  const enters = (channelId: ChannelId): AriEvent => ({ type: 'bridgeEntered', at: 5, bridgeId: bridge, channelId });

  async function adopted() {
    const set = stage({ open: [stateAt('talking', talking)] });
    set.ari.state.channels.push({ id: talking.callerChannel, state: 'Up' }, { id: destination, state: 'Up' });
    set.ari.state.recording.push(recorderName(recording));
    await set.registry.reconcile();
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
    await set.registry.reconcile();

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
    const compared = registry.reconcile();
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
    expect(await registry.reconcile()).toBe('whole');
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
      expect(await set.registry.reconcile()).toBe('whole');

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

describe('after a lost connection', () => {
  const known = someFacts(countingIds(), { sentenceCount: 1 });
  const asked = someFacts(countingIds(), { sentenceCount: 1, mode: 'optIn', asksLanguage: true });
  const { destination, recording } = known.order;

  type Case = {
    kind: CallState['kind'];
    what: string;
    caller?: 'gone';
    destinationState?: string;
    isRecording?: boolean;
    then: Record<string, unknown>;
  };
  const cases: Case[] = [
    { kind: 'planning', what: 'is interrupted', then: { outcome: { result: 'unrecorded', reason: 'interrupted' } } },
    { kind: 'planning', what: 'has lost its caller', caller: 'gone', then: { outcome: { result: 'abandoned' } } },
    { kind: 'checking', what: 'is interrupted', then: { outcome: { reason: 'interrupted' } } },
    { kind: 'answering', what: 'is interrupted', then: { outcome: { reason: 'interrupted' } } },
    { kind: 'announcing', what: 'is interrupted', then: { outcome: { reason: 'interrupted' } } },
    { kind: 'choosing', what: 'is interrupted', then: { outcome: { reason: 'interrupted' } } },
    { kind: 'asking', what: 'is interrupted', then: { outcome: { reason: 'interrupted' } } },
    { kind: 'asking', what: 'has lost its caller', caller: 'gone', then: { outcome: { result: 'abandoned' } } },
    { kind: 'acknowledging', what: 'goes on as refused', then: { outcome: { reason: 'refused' } } },
    { kind: 'announcing', what: 'has lost its caller', caller: 'gone', then: { outcome: { result: 'abandoned' } } },
    {
      kind: 'dialling',
      what: 'whose destination is gone is interrupted',
      then: { outcome: { reason: 'interrupted' } },
    },
    { kind: 'dialling', what: 'that rings goes on', destinationState: 'Ringing', then: { kind: 'dialling' } },
    {
      kind: 'dialling',
      what: 'that was answered is recorded from now on',
      destinationState: 'Up',
      then: { kind: 'talking', recorder: { kind: 'requested' } },
    },
    {
      kind: 'dialling',
      what: 'that was answered and is being recorded is known as recorded',
      destinationState: 'Up',
      isRecording: true,
      then: { kind: 'talking', recorder: { kind: 'running' } },
    },
    { kind: 'dialling', what: 'has lost its caller', caller: 'gone', then: { outcome: { result: 'abandoned' } } },
    {
      kind: 'talking',
      what: 'goes on while its recorder runs',
      destinationState: 'Up',
      isRecording: true,
      then: { kind: 'talking', recorder: { kind: 'running', startedAt: callStart + 20_000 } },
    },
    {
      kind: 'talking',
      what: 'whose caller and recorder are gone is recorded',
      caller: 'gone',
      then: { kind: 'ended', outcome: { result: 'recorded' }, recorder: { finishedAt: undefined } },
    },
    {
      kind: 'talking',
      what: 'whose caller is gone stops its recorder',
      caller: 'gone',
      isRecording: true,
      then: { kind: 'closing' },
    },
    {
      kind: 'talking',
      what: 'whose destination is gone is closed',
      isRecording: true,
      then: { kind: 'closing' },
    },
    {
      kind: 'accepting',
      what: 'is interrupted: a no may have followed the yes',
      then: { outcome: { result: 'unrecorded', reason: 'interrupted' } },
    },
    { kind: 'closing', what: 'whose recorder is gone is recorded', then: { outcome: { result: 'recorded' } } },
  ];

  test.each(cases)('a call that was $kind and $what', async ({ kind, caller, destinationState, isRecording, then }) => {
    const asks = ['choosing', 'asking', 'accepting', 'acknowledging'].includes(kind);
    const set = stage({ open: [stateAt(kind, asks ? asked : known)] });
    const { registry, ari } = set;
    const { callerChannel } = asks ? asked : known;
    if (caller !== 'gone') {
      ari.state.channels.push({ id: callerChannel, state: 'Up' });
      ari.state.owned.channels.push(callerChannel);
    }
    if (destinationState !== undefined) ari.state.channels.push({ id: destination, state: destinationState });
    if (isRecording === true) ari.state.recording.push(recorderName(recording));
    await registry.reconcile();
    const stateNow = (): CallState | undefined => set.ended[0] ?? set.saved.at(-1);
    if (then['outcome'] !== undefined) {
      await eventually(() => set.ended.length === 1);
      expect(set.ended[0]).toMatchObject(then);
      expect(registry.size).toBe(0);
      return;
    }
    expect(registry.size).toBe(1);
    if (then['kind'] === 'closing') {
      await eventually(() => set.asked('stopRecorder').length === 1);
    } else if (kind === 'dialling' && destinationState === 'Up') {
      await eventually(() => set.asked('recordBridge').length === 1);
      if (isRecording === true) await eventually(() => stateNow() !== undefined);
      if (isRecording === true) expect(stateNow()).toMatchObject(then);
    } else {
      expect(set.asked('hangUp')).toEqual([]);
    }
  });

  describe('that the dialplan has gone on with the caller of, while its destination rang', () => {
    function sentOn() {
      const set = stage({ open: [stateAt('dialling', known)] });
      set.ari.state.channels.push({ id: known.callerChannel, state: 'Up' }, { id: destination, state: 'Up' });
      set.ari.state.inBridge[known.order.bridge] = [destination];

      return set;
    }

    test('gives up the destination that answered meanwhile, and records nothing', async () => {
      const set = sentOn();
      await set.registry.reconcile();
      await eventually(() => set.ended.length === 1);
      expect(set.outcomes()).toEqual([{ result: 'unrecorded', reason: 'sent_on' }]);
      expect(set.asked('hangUp')).toEqual([`hangUp ${destination}`]);
      expect([...set.asked('recordBridge'), ...set.asked('continueInDialplan')]).toEqual([]);
    });

    test('stops the recorder that ran already', async () => {
      const set = sentOn();
      set.ari.state.recording.push(recorderName(recording));
      await set.registry.reconcile();
      await eventually(() => set.asked('stopRecorder').length === 1);
      expect(set.asked('hangUp')).toEqual([`hangUp ${destination}`]);
    });
  });

  describe('with a hold', () => {
    const name = recorderName(recording);
    const caller = known.callerChannel;
    const holdOf = (channel: ChannelId): string => `${channel} CHANNEL(rtp,hold)`;

    function left(kind: 'dialling' | 'talking', holding: readonly Party[]) {
      const before = stateAt(kind, known);
      const set = stage({ open: [{ ...before, holding } as CallState] });
      set.ari.state.channels.push({ id: caller, state: 'Up' }, { id: destination, state: 'Up' });
      if (kind === 'talking') set.ari.state.recording.push(name);

      return set;
    }

    // Whatever was written down: an earlier process may have died before it wrote.
    test.each<[string, readonly Party[], ChannelId[], string[]]>([
      [
        'is on hold now is not recorded on',
        [],
        [destination],
        [`pauseRecorder ${name}`, `playMusic ${caller}`, `stopMusic ${destination}`],
      ],
      [
        'is back is recorded again',
        ['destination'],
        [],
        [`resumeRecorder ${name}`, `stopMusic ${destination}`, `stopMusic ${caller}`],
      ],
      [
        'still waits stays unrecorded',
        ['destination'],
        [destination],
        [`pauseRecorder ${name}`, `playMusic ${caller}`, `stopMusic ${destination}`],
      ],
      [
        'holds is not recorded on',
        [],
        [caller],
        [`pauseRecorder ${name}`, `playMusic ${destination}`, `stopMusic ${caller}`],
      ],
      [
        'was never on hold is asked for all the same',
        [],
        [],
        [`resumeRecorder ${name}`, `stopMusic ${destination}`, `stopMusic ${caller}`],
      ],
    ])('a call whose caller %s', async (_, wasHolding, holds, asked) => {
      const set = left('talking', wasHolding);
      for (const channel of holds) set.ari.state.variables[holdOf(channel)] = '1';
      await set.registry.reconcile();
      expect(set.ari.asked).toEqual(asked);
    });

    test('that was answered meanwhile is not recorded', async () => {
      const set = left('dialling', []);
      set.ari.state.variables[holdOf(destination)] = '1';
      await set.registry.reconcile();
      set.registry.handle({ type: 'recorderStarted', at: 5, name });
      await eventually(() => set.asked('pauseRecorder').length === 1);
      expect(set.asked('playMusic')).toEqual([`playMusic ${caller}`]);
    });

    test('that ended while it rang is not one of the talk', async () => {
      const set = left('dialling', ['caller']);
      set.ari.state.channels.splice(1, 1, { id: destination, state: 'Ringing' });
      await set.registry.reconcile();
      set.registry.handle({ type: 'channelUp', at: 4, channelId: destination });
      set.registry.handle({ type: 'recorderStarted', at: 5, name });
      await eventually(() => set.saved.some(({ kind }) => kind === 'talking'));
      expect([...set.asked('pauseRecorder'), ...set.asked('playMusic')]).toEqual([]);
    });

    test('that Asterisk does not tell of for a kind of channel is none; without an answer it is asked again', async () => {
      const set = left('talking', []);
      const { ari } = set;
      const answer = ari.variable.bind(ari);
      ari.variable = () => Promise.reject(new PreavisError('ari_unreachable', 'no answer'));
      await expect(set.registry.reconcile()).rejects.toMatchObject({ code: 'ari_unreachable' });
      expect(ari.asked).toEqual([]);
      ari.variable = () => Promise.reject(new PreavisError('ari_request_failed', 'no such item'));
      await set.registry.reconcile();
      expect(set.asked('resumeRecorder')).toEqual([`resumeRecorder ${name}`]);
      ari.variable = answer;
    });
  });

  test('a call that moves on by its own events is not judged by what Asterisk said before', async () => {
    const set = stage({ open: [stateAt('dialling', known)] });
    const { ari, registry } = set;
    const { callerChannel } = known;
    ari.state.channels.push({ id: callerChannel, state: 'Up' }, { id: destination, state: 'Ringing' });
    // While the bridge is looked into, the destination answers.
    let asked = 0;
    ari.channelsIn = () => {
      asked += 1;
      if (asked > 1) return Promise.resolve([callerChannel, destination]);
      ari.state.channels.splice(1, 1);
      ari.state.channels.push({ id: destination, state: 'Up' });
      registry.handle({ type: 'channelUp', at: 5, channelId: destination });
      return Promise.resolve([]);
    };
    await registry.reconcile();
    expect(asked).toBe(2);
    expect(set.asked('recordBridge')).toHaveLength(1);
    expect([...set.asked('hangUp'), ...set.asked('continueInDialplan')]).toEqual([]);
  });

  describe('with a question to the caller', () => {
    const shapes = { optOut: { mode: 'optOut' }, optIn: { mode: 'optIn' } } as const;

    /** A call that another process left while its destination was dialled. */
    function leftWhileDialling(
      shape: keyof typeof shapes,
      destinationState: string,
      { isRecording = false, withAnother = false } = {},
    ) {
      const idsBefore = countingIds();
      const left = someFacts(idsBefore, { sentenceCount: 1, ...shapes[shape] });
      const other = { ...someFacts(idsBefore, { sentenceCount: 1 }), callerChannel: 'caller-2' as ChannelId };
      const open = [stateAt('dialling', left), ...(withAnother ? [stateAt('talking', other)] : [])];
      const set = stage({ open });
      set.ari.state.channels.push({ id: left.callerChannel, state: 'Up' });
      set.ari.state.channels.push({ id: left.order.destination, state: destinationState });
      if (isRecording) set.ari.state.recording.push(recorderName(left.order.recording));

      return { ...set, left };
    }

    test.each(['optOut', 'optIn'] as const)('a call with %s that was answered talks unrecorded', async (shape) => {
      const set = leftWhileDialling(shape, 'Up');
      await set.registry.reconcile();
      await eventually(() => set.asked('setVariable').length === 1);
      expect(set.asked('setVariable')[0]).toContain(' unrecorded,interrupted,,ANSWER');
      set.registry.handle({ type: 'channelLeft', at: 9, channelId: set.left.callerChannel });
      await eventually(() => set.ended.length === 1);
      expect(set.outcomes()).toEqual([{ result: 'unrecorded', reason: 'interrupted' }]);
      expect(set.asked('recordBridge')).toEqual([]);
    });

    test.each(['optOut', 'optIn'] as const)('a call with %s that is answered later too', async (shape) => {
      const set = leftWhileDialling(shape, 'Ringing');
      await set.registry.reconcile();
      set.registry.handle({ type: 'channelUp', at: 9, channelId: set.left.order.destination });
      await eventually(() => set.asked('setVariable').length === 1);
      expect(set.asked('recordBridge')).toEqual([]);
    });

    test('an answer that comes while Asterisk is still being asked finds it unrecorded', async () => {
      const set = leftWhileDialling('optOut', 'Ringing', { withAnother: true });
      const isRecording = set.ari.isRecording.bind(set.ari);
      set.ari.isRecording = (name) => {
        set.registry.handle({ type: 'channelUp', at: 9, channelId: set.left.order.destination });
        return isRecording(name);
      };
      await set.registry.reconcile();
      await eventually(() => set.asked('setVariable').length >= 1);
      expect(set.asked('recordBridge')).toEqual([]);
    });

    test('a call that was recorded and over while nobody listened is recorded, and not abandoned', async () => {
      const set = leftWhileDialling('optOut', 'Up');
      set.ari.state.channels.length = 0;
      set.ari.state.stored.push(recorderName(set.left.order.recording));
      await set.registry.reconcile();
      await eventually(() => set.ended.length === 1);
      expect(set.outcomes()).toEqual([{ result: 'recorded' }]);
    });

    test('a call whose recorder runs already was heard until then', async () => {
      const set = leftWhileDialling('optOut', 'Up', { isRecording: true });
      await set.registry.reconcile();
      await eventually(() => set.saved.length > 0);
      expect(set.saved.at(-1)).toMatchObject({ kind: 'talking', recorder: { kind: 'running' } });
    });

    test('a call of this process is unrecorded from the moment when the connection is lost', async () => {
      const set = leftWhileDialling('optOut', 'Ringing', { isRecording: true });
      // Taken up with every key heard, as if this process had dialled itself.
      await set.registry.reconcile();
      set.registry.connectionLost('connection_lost');
      set.registry.handle({ type: 'channelUp', at: 9, channelId: set.left.order.destination });
      await eventually(() => set.asked('setVariable').length === 1);
      expect(set.asked('recordBridge')).toEqual([]);
    });
  });

  test('somebody who joined unseen stops the recorder; Asterisk’s own channels are nobody', async () => {
    const set = stage({ open: [stateAt('talking', known)] });
    const [caller, stranger, recorderChannel] = [known.callerChannel, 'stranger', 'Recorder/ARI-1'] as ChannelId[];
    if (caller === undefined || stranger === undefined || recorderChannel === undefined)
      throw new Error('three channels');
    set.ari.state.channels.push({ id: caller, state: 'Up' }, { id: destination, state: 'Up' });
    set.ari.state.recording.push(recorderName(recording));
    set.ari.state.inBridge[known.order.bridge] = [caller, destination, recorderChannel];
    await set.registry.reconcile();
    expect(set.asked('stopRecorder')).toEqual([]);
    set.registry.connectionLost('connection_lost');
    set.ari.state.channels.push({ id: stranger, state: 'Up' });
    set.ari.state.inBridge[known.order.bridge]?.push(stranger);
    await set.registry.reconcile();
    await eventually(() => set.saved.length === 1);
    expect(set.asked('stopRecorder').length).toBeGreaterThan(0);
    expect(set.asked('hangUp')).toEqual([]);
    expect(set.saved[0]).toMatchObject({ kind: 'talking', untold: true });
  });

  describe('an Asterisk that has the parties in their bridge by one answer and not by the next', () => {
    function contradicted(kind: CallState['kind']) {
      const set = stage({ open: [stateAt(kind, known)] });
      set.ari.state.channels.push({ id: known.callerChannel, state: 'Up' }, { id: destination, state: 'Up' });
      set.ari.state.owned = { channels: [known.callerChannel, destination], bridges: [known.order.bridge] };
      set.ari.channelsIn = () => Promise.resolve([]);

      return set;
    }

    test.each([true, false])(
      'leaves them their talk, unrecorded from then on; recorder runs: %s',
      async (isRecording) => {
        const set = contradicted('talking');
        if (isRecording) set.ari.state.recording.push(recorderName(recording));
        await set.registry.reconcile();
        await eventually(() => set.saved.length > 0);
        expect(set.registry.size).toBe(1);
        expect(set.saved.at(-1)).toMatchObject({ kind: 'talking', untold: true });
        expect(['hangUp', 'destroyBridge', 'continueInDialplan'].flatMap(set.asked)).toEqual([]);
        expect(set.asked('stopRecorder').length).toBeGreaterThan(0);
      },
    );

    test('lets them talk unrecorded where the destination has answered meanwhile, and the reason is kept', async () => {
      const set = contradicted('dialling');
      await set.registry.reconcile();
      await eventually(() => set.saved.some(({ kind }) => kind === 'talking'));
      expect(set.asked('recordBridge')).toEqual([]);
      expect(['hangUp', 'destroyBridge', 'continueInDialplan'].flatMap(set.asked)).toEqual([]);
      set.registry.handle({ type: 'channelGone', at: 9, channelId: destination, cause: 16 });
      await eventually(() => set.ended.length === 1);
      expect(set.outcomes()).toEqual([{ result: 'unrecorded', reason: 'untold_party' }]);
    });
  });

  describe('where Asterisk does not tell of every bridge', () => {
    async function talk(prepare: (set: ReturnType<typeof stage>) => void = () => undefined) {
      const set = stage({ open: [stateAt('talking', known)], watchesBridges: false });
      set.ari.state.channels.push({ id: known.callerChannel, state: 'Up' }, { id: destination, state: 'Up' });
      set.ari.state.recording.push(recorderName(recording));
      prepare(set);
      await set.registry.reconcile();

      return set;
    }

    test('it is asked for that of each call, which may have been made while it did', async () => {
      const set = await talk();
      expect(set.asked('watchBridge')).toEqual([`watchBridge ${known.order.bridge}`]);
      expect(set.asked('stopRecorder')).toEqual([]);
    });

    test('a call whose bridge it does not tell of either is recorded no more', async () => {
      const set = await talk(({ ari }) => {
        ari.refuse('watchBridge', 'ari_request_failed');
      });
      await eventually(() => set.saved.length > 0);
      expect(set.asked('stopRecorder').length).toBeGreaterThan(0);
      expect(set.saved[0]).toMatchObject({ kind: 'talking', untold: true });
    });
  });

  test('Asterisk is not asked for one bridge where it tells of all', async () => {
    const set = stage({ open: [stateAt('talking', known)] });
    set.ari.state.channels.push({ id: known.callerChannel, state: 'Up' }, { id: destination, state: 'Up' });
    await set.registry.reconcile();
    expect(set.asked('watchBridge')).toEqual([]);
  });

  describe('an interval in which nobody listened to a talk', () => {
    const parties = [known.callerChannel, destination];
    const interval = { from: 1_000, to: null, heardAgainAt: null, bridge: known.order.bridge, parties };
    const heardAgainAt = 5_000;

    /** What is told to the receipt of such intervals. */
    function talk() {
      const set = stage({ open: [stateAt('talking', known)] });
      set.ari.state.channels.push(...parties.map((id) => ({ id, state: 'Up' })));
      set.ari.state.recording.push(recorderName(recording));
      set.ari.state.inBridge[known.order.bridge] = [...parties];
      const intervals = () => set.kept.flatMap((kept) => (kept.kind === 'unwatched' ? [kept.interval] : []));

      return { set, intervals };
    }

    test('is kept at once, and its end when the call is as it was', async () => {
      const { set, intervals } = talk();
      await set.registry.reconcile();
      const ofProcess = { ...interval, why: 'process_ended' };
      expect(intervals()).toEqual([ofProcess, { ...ofProcess, to: 5_000, heardAgainAt }]);
      set.registry.connectionLost('connection_lost');
      set.registry.connectionLost('connection_lost');
      await set.registry.reconcile();
      const ofSocket = { ...interval, why: 'connection_lost' };
      expect(intervals().slice(2)).toEqual([ofSocket, { ...ofSocket, to: 5_000, heardAgainAt }]);
    });

    test('ends by the time of Asterisk after it was asked, not by ours', async () => {
      const { set, intervals } = talk();
      const isRecording = set.ari.isRecording.bind(set.ari);
      set.ari.isRecording = (name) => {
        set.ari.state.time = 9_000;
        return isRecording(name);
      };
      await set.registry.reconcile();
      expect(intervals().at(-1)).toMatchObject({ to: 9_000, heardAgainAt: 9_000 });
    });

    test('has no end where somebody joined meanwhile', async () => {
      const { set, intervals } = talk();
      set.ari.state.channels.push({ id: 'stranger' as ChannelId, state: 'Up' });
      set.ari.state.inBridge[known.order.bridge]?.push('stranger' as ChannelId);
      await set.registry.reconcile();
      await eventually(() => set.saved.length === 1);
      const ofProcess = { ...interval, why: 'process_ended' };
      expect(intervals()).toEqual([ofProcess, { ...ofProcess, heardAgainAt }]);
    });

    describe('with a destination that is a Local/ channel', () => {
      const names = ['Local/600@ring-1;1', 'Local/600@ring-1;2'].map(asLocalName);
      const half = 'half' as ChannelId;
      const behind = (farEnds: Facts['farEnds']) => ({
        ...stateAt('talking', known),
        facts: { ...known, farEnds },
      });

      /** The process before this knew so much of the call; now these are behind its destination. */
      function talkBehind(farEnds: Facts['farEnds'], ...now: string[]) {
        const open = farEnds === undefined ? stateAt('talking', known) : behind(farEnds);
        const set = stage({ open: [open] });
        const { state } = set.ari;
        state.channels.push(
          { id: known.callerChannel, state: 'Up' },
          { id: destination, state: 'Up', ...(names[0] === undefined ? {} : { localName: names[0] }) },
          { id: half, state: 'Up', ...(names[1] === undefined ? {} : { localName: names[1] }) },
          ...now.map((id) => ({ id: id as ChannelId, state: 'Up' })),
        );
        state.recording.push(recorderName(recording));
        state.inBridge[known.order.bridge] = [...parties];
        state.inBridge['theirs'] = [half, ...now] as ChannelId[];
        const intervals = () => set.kept.flatMap((kept) => (kept.kind === 'unwatched' ? [kept.interval] : []));

        return { set, intervals };
      }

      test('has an end where those are behind it who were', async () => {
        const { set, intervals } = talkBehind({ destination: ['agent' as ChannelId] }, 'agent');
        await set.registry.reconcile();
        expect(intervals().at(-1)).toMatchObject({ to: 5_000, parties: [] });
        expect(set.asked('stopRecorder')).toEqual([]);
      });

      test('has no end where another is behind it', async () => {
        const { set, intervals } = talkBehind({ destination: ['agent' as ChannelId] }, 'next');
        await set.registry.reconcile();
        expect(intervals().at(-1)).toMatchObject({ to: null, heardAgainAt, parties: [] });
        expect(set.asked('stopRecorder').length).toBeGreaterThan(0);
      });

      test('is not judged by what Asterisk listed before the connection was lost again', async () => {
        const { set } = talkBehind({ destination: ['agent' as ChannelId] }, 'agent');
        await set.registry.reconcile();
        set.registry.connectionLost('connection_lost');
        const answer = set.ari.hold('owned');
        const second = set.registry.reconcile();
        await new Promise((resolve) => setImmediate(resolve));
        set.registry.connectionLost('connection_lost');
        answer();
        await second;
        expect(set.asked('stopRecorder')).toEqual([]);
        set.ari.state.channels.push({ id: 'next' as ChannelId, state: 'Up' });
        set.ari.state.inBridge['theirs'] = ['half', 'next'] as ChannelId[];
        await set.registry.reconcile();
        expect(set.asked('stopRecorder').length).toBeGreaterThan(0);
      });

      test.each([
        ['nobody was yet seen behind it', { destination: [] }],
        ['it was not yet seen to be one', undefined],
      ])('is no witness of who was there, and has no end, where %s', async (_, farEnds) => {
        const { set, intervals } = talkBehind(farEnds, 'next');
        await set.registry.reconcile();
        expect(intervals()[0]?.parties).toEqual(farEnds === undefined ? parties : []);
        expect(intervals().at(-1)).toMatchObject({ to: null, parties: [] });
        expect(set.asked('stopRecorder').length).toBeGreaterThan(0);
      });
    });

    test('has no end where the recorder ended meanwhile', async () => {
      const { set, intervals } = talk();
      set.ari.state.recording.length = 0;
      await set.registry.reconcile();
      const ofProcess = { ...interval, why: 'process_ended' };
      await eventually(() => intervals().length === 2);
      expect(intervals()).toEqual([ofProcess, { ...ofProcess, heardAgainAt }]);
    });
  });

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
      await set.registry.reconcile();
      set.registry.connectionLost('connection_lost');
      set.ari.asked.length = 0;
      const other = party === 'caller' ? destination : callerChannel;
      const there = [other, by, ...(isStray ? [places[party]] : [])];
      state.channels.splice(0, 2, ...there.map((id) => ({ id, state: 'Up' })));
      state.inBridge[bridge] = [other, by];
      state.owned = { channels: there, bridges: [bridge] };
      await set.registry.reconcile();
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
      await set.registry.reconcile();
      for (const digit of '*9') set.registry.handle({ type: 'digit', at: 9, channelId: by, digit });
      set.registry.handle({ type: 'channelGone', at: 10, channelId: by, cause: 16 });
      await eventually(() => set.ended.length === 1);
      expect(set.asked('discardRecorder')).toEqual([]);
      expect(set.ended[0]).toMatchObject({ answer: { kind: 'none' } });
    });
  });

  test('somebody who joined unseen a call whose recorder had been started stops it, and what it has is kept', async () => {
    const set = stage({ open: [stateAt('dialling', known)] });
    const by = 'somebody-else' as ChannelId;
    for (const id of [known.callerChannel, destination, by]) set.ari.state.channels.push({ id, state: 'Up' });
    set.ari.state.inBridge[known.order.bridge]?.push(by);
    set.ari.state.recording.push(recorderName(recording));
    await set.registry.reconcile();
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
    await set.registry.reconcile();
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
    await set.registry.reconcile();
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
    await set.registry.reconcile();
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
    await set.registry.reconcile();
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
    await set.registry.reconcile();
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
    await set.registry.reconcile();
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
    await set.registry.reconcile();
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
    await set.registry.reconcile();
    await eventually(() => set.asked('hangUp').length === 1);
    expect(['hangUp', 'continueInDialplan', 'destroyBridge'].flatMap(set.asked)).toEqual([
      `hangUp ${known.callerChannel}`,
    ]);
    expect(set.saved.at(-1)).toMatchObject({ kind: 'dialling', facts: { callerChannel: by }, untold: true });
  });

  test('somebody who joined unseen before the answer keeps the recorder from being asked for', async () => {
    const set = stage({ open: [stateAt('dialling', known)] });
    const stranger = 'stranger' as ChannelId;
    for (const id of [known.callerChannel, destination, stranger]) set.ari.state.channels.push({ id, state: 'Up' });
    set.ari.state.inBridge[known.order.bridge] = [known.callerChannel, destination, stranger];
    await set.registry.reconcile();
    await eventually(() => set.asked('setVariable').length === 1);
    expect(set.asked('setVariable')[0]).toContain(' unrecorded,untold_party,,ANSWER');
    expect(['recordBridge', 'hangUp', 'continueInDialplan', 'destroyBridge'].flatMap(set.asked)).toEqual([]);
  });

  test('a call of this process is not taken up twice, and its events still find it', async () => {
    const set = stage();
    set.registry.handle(arrival('caller-1', ['to=PJSIP/100', 'language=fr']));
    await hear(set);
    const facts = set.saved.at(-1)?.facts as (Facts & { order: Order }) | undefined;
    set.ari.state.channels.push({ id: 'caller-1' as ChannelId, state: 'Up' });
    if (facts !== undefined) set.ari.state.channels.push({ id: facts.order.destination, state: 'Ringing' });
    await set.registry.reconcile();
    expect(set.registry.size).toBe(1);
    set.registry.handle({ type: 'channelHangingUp', at: 9, channelId: 'caller-1' as ChannelId });
    await eventually(() => set.registry.size === 0);
    expect(set.outcomes()).toEqual([{ result: 'abandoned' }]);
  });

  test('a call that arrives while Asterisk is being asked is not taken for one that has left', async () => {
    const set = stage();
    const release = set.ari.hold('owned');
    const reconciled = set.registry.reconcile();
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
    await set.registry.reconcile();
    expect(set.registry.size).toBe(1);
    const release = set.ari.hold('owned');
    const reconciled = set.registry.reconcile();
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
    await set.registry.reconcile();
    expect(set.registry.size).toBe(0);
    expect(set.outcomes()).toEqual([{ result: 'abandoned' }]);
  });

  test('channels and bridges of no call are freed: callers go on, destinations are hung up', async () => {
    const set = stage();
    set.ari.state.owned = {
      channels: ['caller-9', `preavis-${ulid}`] as ChannelId[],
      bridges: [`preavis-${ulid}`, 'of-another-application'] as BridgeId[],
    };
    await set.registry.reconcile();
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
    await set.registry.reconcile();
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
    await expect(set.registry.reconcile()).rejects.toMatchObject({ code: 'ari_unreachable' });
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
    await expect(set.registry.reconcile()).rejects.toMatchObject({ code: 'ari_unreachable' });
    expect(set.ari.asked).toHaveLength(4);
    expect(set.lines.filter((line) => line.level === 'warn')).toHaveLength(1);
  });

  test('a channel that Asterisk refuses to send on is not in our hands, and nothing to repeat for', async () => {
    const set = stage();
    set.ari.refuse('continueInDialplan', 'ari_request_failed');
    set.ari.state.owned = { channels: ['caller-8'] as ChannelId[], bridges: [] };
    await set.registry.reconcile();
    expect(set.asked('continueInDialplan')).toHaveLength(1);
  });

  test('a caller whom the comparison itself sends on is sent on once', async () => {
    const set = stage({ open: [stateAt('announcing', known)] });
    set.ari.state.channels.push({ id: known.callerChannel, state: 'Up' });
    set.ari.state.owned = { channels: [known.callerChannel], bridges: [] };
    await set.registry.reconcile();
    expect(set.asked('continueInDialplan')).toHaveLength(1);
  });

  test('a caller with whom the dialplan has gone on is not sent on, and nothing waits for them', async () => {
    const set = stage({ open: [stateAt('announcing', known)] });
    set.ari.state.channels.push({ id: known.callerChannel, state: 'Up' });
    await set.registry.reconcile();
    await eventually(() => set.ended.length === 1);
    expect(set.outcomes()).toEqual([{ result: 'unrecorded', reason: 'sent_on' }]);
    expect(set.asked('continueInDialplan')).toEqual([]);
  });

  test('a caller whom Asterisk does not send on keeps no other call from being watched', async () => {
    const set = stage({ open: [stateAt('announcing', known)] });
    set.ari.state.channels.push({ id: known.callerChannel, state: 'Up' });
    set.ari.state.owned = { channels: [known.callerChannel], bridges: [] };
    set.ari.refuse('continueInDialplan', 'ari_request_failed', 4);
    expect(await set.registry.reconcile()).toBe('whole');
    expect(set.asked('continueInDialplan').length).toBeLessThanOrEqual(1);
    await eventually(() => set.ended.length === 1);
  });

  test('what Asterisk said before the connection was lost again ends no call, and the next comparison is whole', async () => {
    const set = stage({ open: [stateAt('talking', known)] });
    const talking = [known.callerChannel, destination].map((id) => ({ id, state: 'Up' }));
    set.ari.state.channels.push(...talking);
    set.ari.state.recording.push(recorderName(recording));
    await set.registry.reconcile();
    set.registry.connectionLost('connection_lost');
    // Asterisk's answer is on its way when the connection goes again; it knows nothing of this call.
    set.ari.state.channels.length = 0;
    const release = set.ari.hold('owned');
    const outOfDate = set.registry.reconcile();
    await new Promise((resolve) => setImmediate(resolve));
    set.registry.connectionLost('connection_lost');
    release();
    await outOfDate;
    expect(set.asked('hangUp')).toEqual([]);
    expect(set.registry.size).toBe(1);
    // Both hung up while nobody listened.
    set.ari.state.recording.length = 0;
    await set.registry.reconcile();
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
    await expect(set.registry.reconcile()).rejects.toMatchObject({ code: 'ari_request_failed' });
    await eventually(() => set.ended.length === 1);
    open.shift();
    set.registry.handle(arrival('caller-9', ['to=PJSIP/100']));
    await eventually(() => set.asked('play').length === 1);
    expect(await set.registry.reconcile()).toBe('partly');
    set.ari.state.channels.push({ id: 'caller-9' as ChannelId, state: 'Up' });
    expect(await set.registry.reconcile()).toBe('whole');
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
    await expect(set.registry.reconcile()).rejects.toMatchObject({ code: 'ari_request_failed' });
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
    await set.registry.reconcile();
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
    expect(await set.registry.reconcile()).toBe('whole');
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
    for (let times = 0; times < 3; times += 1) await expect(set.registry.reconcile()).rejects.toMatchObject({ code });
    code = 'ari_request_failed';
    await expect(set.registry.reconcile()).rejects.toMatchObject({ code });
    expect(set.asked('stopRecorder')).toEqual([]);
    expect(await set.registry.reconcile()).toBe('partly');
    expect(set.asked('stopRecorder')).toEqual([`stopRecorder ${recorderName(one.order.recording)}`]);
    expect(set.saved).toMatchObject([{ facts: { id: one.id }, untold: true }]);
    fails = false;
    expect(await set.registry.reconcile()).toBe('whole');
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
      await set.registry.reconcile();
      set.registry.connectionLost('connection_lost');
      set.ari.asked.length = 0;
      state.channels.push({ id: by, state: 'Up' });
      state.inBridge[known.order.bridge]?.push(by);
      const release = set.ari.hold('time');

      return { set, compared: set.registry.reconcile(), release };
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
    await set.registry.reconcile();
    set.registry.connectionLost('connection_lost');
    set.ari.channelsIn = () => Promise.reject(new PreavisError('ari_request_failed', 'no'));
    await expect(set.registry.reconcile()).rejects.toMatchObject({ code: 'ari_request_failed' });
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
    await set.registry.reconcile();
    set.registry.connectionLost('connection_lost');
    state.inBridge[known.order.bridge] = [destination];
    state.owned.channels.push(callerChannel, destination);
    const release = set.ari.hold('time');
    const compared = set.registry.reconcile();
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
      await set.registry.reconcile();
      await eventually(() => set.asked('destroyBridge').length === 1);
      expect(set.asked('hangUp')).toEqual(hungUp.map((id) => `hangUp ${id}`));
    });

    test('are not hung up when theirs is destroyed', async () => {
      const { set, move } = moved([destination]);
      await set.registry.reconcile();
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
    await expect(set.registry.reconcile()).rejects.toMatchObject({ code: 'ari_unreachable' });
    await eventually(() => set.ended.length === 1);
    expect(set.outcomes()).toEqual([{ result: 'recorded' }]);
    expect(set.asked('continueInDialplan')).toEqual(['continueInDialplan caller-9']);
    expect([...set.asked('hangUp'), ...set.asked('destroyBridge')].join()).not.toContain(one.order.bridge);
    expect(set.asked('hangUp')).not.toContain(`hangUp ${one.order.destination}`);
    fails = false;
    set.ari.state.owned.channels.pop();
    await set.registry.reconcile();
    // Asked of the state at that time: the destination still rings.
    await eventually(() => set.registry.size === 1);
  });

  test('a recorder of a call that cannot be read and does not stop keeps no other call from being compared', async () => {
    const strange: UnreadableCall = { kind: 'unreadable', id: known.id, recording: known.order.recording };
    const good = someFacts(makeIds(() => randomUlid()));
    const set = stage({ open: [strange, stateAt('talking', good)] });
    set.ari.state.owned = { channels: [known.callerChannel], bridges: [] };
    set.ari.refuse('stopRecorder', 'ari_unreachable');
    await expect(set.registry.reconcile()).rejects.toMatchObject({ code: 'ari_unreachable' });
    await eventually(() => set.ended.length === 1);
    expect(set.ended[0]?.facts.id).toBe(good.id);
    // Its channels are not known from others', and its recorder may run.
    expect(set.asked('continueInDialplan')).toEqual([]);
    expect(set.asked('endUnreadable')).toEqual([]);
    await set.registry.reconcile();
    expect(set.asked('continueInDialplan')).toHaveLength(1);
    expect(set.asked('endUnreadable')).toHaveLength(1);
  });

  test('a call that was there when the connection was lost is told what it missed', async () => {
    const set = stage({ open: [stateAt('dialling', known)] });
    set.ari.state.channels.push({ id: known.callerChannel, state: 'Up' }, { id: destination, state: 'Ringing' });
    await set.registry.reconcile();
    set.registry.connectionLost('connection_lost');
    set.ari.state.channels.length = 0;
    await set.registry.reconcile();
    await eventually(() => set.ended.length === 1);
    expect(set.outcomes()).toEqual([{ result: 'abandoned' }]);
    expect(set.registry.size).toBe(0);
  });

  test('nothing of a call that goes on is freed', async () => {
    const set = stage({ open: [stateAt('talking', known)] });
    set.ari.state.channels.push({ id: known.callerChannel, state: 'Up' }, { id: destination, state: 'Up' });
    set.ari.state.recording.push(recorderName(recording));
    set.ari.state.owned = { channels: [known.callerChannel, destination], bridges: [known.order.bridge] };
    await set.registry.reconcile();
    expect(set.ari.asked.filter(isNoHold)).toEqual([]);
  });

  test('an Asterisk that does not answer is an error, and no call is touched', async () => {
    const set = stage({ open: [stateAt('talking', known)] });
    set.ari.owned = () => Promise.reject(new PreavisError('ari_unreachable', 'no answer'));
    await expect(set.registry.reconcile()).rejects.toMatchObject({ code: 'ari_unreachable' });
    expect(set.ari.asked).toEqual([]);
    expect(set.saved).toEqual([]);
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
    await set.registry.reconcile();
    await set.registry.abandon();
    expect(set.ari.asked.filter(isNoHold)).toEqual([]);
    expect(set.outcomes()).toEqual([]);
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
