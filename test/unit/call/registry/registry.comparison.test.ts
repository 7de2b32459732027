import { asLocalName } from '../../../../src/ari/events.ts';
import { recorderName, type Party } from '../../../../src/call/decide/order.ts';
import type { CallState, Facts } from '../../../../src/call/decide/state.ts';
import { PreavisError } from '../../../../src/core/errors.ts';
import { type ChannelId } from '../../../../src/core/ids.ts';
import { callStart, countingIds, someFacts, stateAt } from '../../../support/call/calls.ts';
import { eventually } from '../../../support/poll.ts';
import { endRegistries, stage } from '../../../support/call/registryStage.ts';

afterEach(endRegistries);

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
    await registry.resync();
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
      await set.registry.resync();
      await eventually(() => set.ended.length === 1);
      expect(set.outcomes()).toEqual([{ result: 'unrecorded', reason: 'sent_on' }]);
      expect(set.asked('hangUp')).toEqual([`hangUp ${destination}`]);
      expect([...set.asked('recordBridge'), ...set.asked('continueInDialplan')]).toEqual([]);
    });

    test('stops the recorder that ran already', async () => {
      const set = sentOn();
      set.ari.state.recording.push(recorderName(recording));
      await set.registry.resync();
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
      await set.registry.resync();
      expect(set.ari.asked).toEqual(asked);
    });

    test('that was answered meanwhile is not recorded', async () => {
      const set = left('dialling', []);
      set.ari.state.variables[holdOf(destination)] = '1';
      await set.registry.resync();
      set.registry.handle({ type: 'recorderStarted', at: 5, name });
      await eventually(() => set.asked('pauseRecorder').length === 1);
      expect(set.asked('playMusic')).toEqual([`playMusic ${caller}`]);
    });

    test('that ended while it rang is not one of the talk', async () => {
      const set = left('dialling', ['caller']);
      set.ari.state.channels.splice(1, 1, { id: destination, state: 'Ringing' });
      await set.registry.resync();
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
      await expect(set.registry.resync()).rejects.toMatchObject({ code: 'ari_unreachable' });
      expect(ari.asked).toEqual([]);
      ari.variable = () => Promise.reject(new PreavisError('ari_request_failed', 'no such item'));
      await set.registry.resync();
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
    await registry.resync();
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
      await set.registry.resync();
      await eventually(() => set.asked('setVariable').length === 1);
      expect(set.asked('setVariable')[0]).toContain(' unrecorded,interrupted,,ANSWER');
      set.registry.handle({ type: 'channelLeft', at: 9, channelId: set.left.callerChannel });
      await eventually(() => set.ended.length === 1);
      expect(set.outcomes()).toEqual([{ result: 'unrecorded', reason: 'interrupted' }]);
      expect(set.asked('recordBridge')).toEqual([]);
    });

    test.each(['optOut', 'optIn'] as const)('a call with %s that is answered later too', async (shape) => {
      const set = leftWhileDialling(shape, 'Ringing');
      await set.registry.resync();
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
      await set.registry.resync();
      await eventually(() => set.asked('setVariable').length >= 1);
      expect(set.asked('recordBridge')).toEqual([]);
    });

    test('a call that was recorded and over while nobody listened is recorded, and not abandoned', async () => {
      const set = leftWhileDialling('optOut', 'Up');
      set.ari.state.channels.length = 0;
      set.ari.state.stored.push(recorderName(set.left.order.recording));
      await set.registry.resync();
      await eventually(() => set.ended.length === 1);
      expect(set.outcomes()).toEqual([{ result: 'recorded' }]);
    });

    test('a call whose recorder runs already was heard until then', async () => {
      const set = leftWhileDialling('optOut', 'Up', { isRecording: true });
      await set.registry.resync();
      await eventually(() => set.saved.length > 0);
      expect(set.saved.at(-1)).toMatchObject({ kind: 'talking', recorder: { kind: 'running' } });
    });

    test('a call of this process is unrecorded from the moment when the connection is lost', async () => {
      const set = leftWhileDialling('optOut', 'Ringing', { isRecording: true });
      // Taken up with every key heard, as if this process had dialled itself.
      await set.registry.resync();
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
    await set.registry.resync();
    expect(set.asked('stopRecorder')).toEqual([]);
    set.registry.connectionLost('connection_lost');
    set.ari.state.channels.push({ id: stranger, state: 'Up' });
    set.ari.state.inBridge[known.order.bridge]?.push(stranger);
    await set.registry.resync();
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
        await set.registry.resync();
        await eventually(() => set.saved.length > 0);
        expect(set.registry.size).toBe(1);
        expect(set.saved.at(-1)).toMatchObject({ kind: 'talking', untold: true });
        expect(['hangUp', 'destroyBridge', 'continueInDialplan'].flatMap(set.asked)).toEqual([]);
        expect(set.asked('stopRecorder').length).toBeGreaterThan(0);
      },
    );

    test('lets them talk unrecorded where the destination has answered meanwhile, and the reason is kept', async () => {
      const set = contradicted('dialling');
      await set.registry.resync();
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
      await set.registry.resync();

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
    await set.registry.resync();
    expect(set.asked('watchBridge')).toEqual([]);
  });

  describe('an interval in which nobody listened to a talk', () => {
    const parties = [known.callerChannel, destination];
    const interval = { from: callStart + 1_000, to: null, heardAgainAt: null, bridge: known.order.bridge, parties };
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
      await set.registry.resync();
      const ofProcess = { ...interval, why: 'process_ended' };
      expect(intervals()).toEqual([ofProcess, { ...ofProcess, to: 5_000, heardAgainAt }]);
      set.registry.connectionLost('connection_lost');
      set.registry.connectionLost('connection_lost');
      await set.registry.resync();
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
      await set.registry.resync();
      expect(intervals().at(-1)).toMatchObject({ to: 9_000, heardAgainAt: 9_000 });
    });

    test('has no end where somebody joined meanwhile', async () => {
      const { set, intervals } = talk();
      set.ari.state.channels.push({ id: 'stranger' as ChannelId, state: 'Up' });
      set.ari.state.inBridge[known.order.bridge]?.push('stranger' as ChannelId);
      await set.registry.resync();
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
        await set.registry.resync();
        expect(intervals().at(-1)).toMatchObject({ to: 5_000, parties: [] });
        expect(set.asked('stopRecorder')).toEqual([]);
      });

      test('has no end where another is behind it', async () => {
        const { set, intervals } = talkBehind({ destination: ['agent' as ChannelId] }, 'next');
        await set.registry.resync();
        expect(intervals().at(-1)).toMatchObject({ to: null, heardAgainAt, parties: [] });
        expect(set.asked('stopRecorder').length).toBeGreaterThan(0);
      });

      test('is not judged by what Asterisk listed before the connection was lost again', async () => {
        const { set } = talkBehind({ destination: ['agent' as ChannelId] }, 'agent');
        await set.registry.resync();
        set.registry.connectionLost('connection_lost');
        const answer = set.ari.hold('owned');
        const second = set.registry.resync();
        await new Promise((resolve) => setImmediate(resolve));
        set.registry.connectionLost('connection_lost');
        answer();
        await second;
        expect(set.asked('stopRecorder')).toEqual([]);
        set.ari.state.channels.push({ id: 'next' as ChannelId, state: 'Up' });
        set.ari.state.inBridge['theirs'] = ['half', 'next'] as ChannelId[];
        await set.registry.resync();
        expect(set.asked('stopRecorder').length).toBeGreaterThan(0);
      });

      test.each([
        ['nobody was yet seen behind it', { destination: [] }],
        ['it was not yet seen to be one', undefined],
      ])('is no witness of who was there, and has no end, where %s', async (_, farEnds) => {
        const { set, intervals } = talkBehind(farEnds, 'next');
        await set.registry.resync();
        expect(intervals()[0]?.parties).toEqual(farEnds === undefined ? parties : []);
        expect(intervals().at(-1)).toMatchObject({ to: null, parties: [] });
        expect(set.asked('stopRecorder').length).toBeGreaterThan(0);
      });
    });

    test('has no end where the recorder ended meanwhile', async () => {
      const { set, intervals } = talk();
      set.ari.state.recording.length = 0;
      await set.registry.resync();
      const ofProcess = { ...interval, why: 'process_ended' };
      await eventually(() => intervals().length === 2);
      expect(intervals()).toEqual([ofProcess, { ...ofProcess, heardAgainAt }]);
    });
  });
});
