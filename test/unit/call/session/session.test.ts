import { tmpdir } from 'node:os';
import { jest } from '@jest/globals';
import { refuse } from '../../../../src/call/decide/decide.ts';
import type { AriEvent } from '../../../../src/ari/events.ts';
import type { CallEvent } from '../../../../src/call/decide/events.ts';
import type { UnrecordedReason } from '../../../../src/call/decide/unrecordedReasons.ts';
import { makeReadiness } from '../../../../src/call/plan/readiness.ts';
import { recorderName, type Order } from '../../../../src/call/decide/order.ts';
import { sourceVariable } from '../../../../src/call/watch/sourceQuestions.ts';
import type { SessionPorts } from '../../../../src/call/session/ports.ts';
import { CallSession } from '../../../../src/call/session/session.ts';
import type { TimelineEntry } from '../../../../src/call/watch/timeline.ts';
import type { Measured } from '../../../../src/call/session/journal.ts';
import type { Clock, ClockReading } from '../../../../src/core/clock.ts';

import { channelInHand, type CallState, type Facts } from '../../../../src/call/decide/state.ts';
import { PreavisError } from '../../../../src/core/errors.ts';
import type { BridgeId, CallId, ChannelId, PlaybackId } from '../../../../src/core/ids.ts';
import {
  aRequest,
  aFollowed,
  anOutgoing,
  beginning,
  callStart,
  countingIds,
  eventsBeforeTheNotice,
  eventsTo,
  keys,
  press,
  someFacts,
  stateAt,
  stranger,
} from '../../../support/call/calls.ts';
import { collectingLog } from '../../../support/logLines.ts';
import { eventually } from '../../../support/poll.ts';
import { scriptedAri, unlimited } from '../../../support/ari/scriptedAri.ts';

const facts = someFacts(countingIds(), { sentenceCount: 1 });
const { order, callerChannel: caller } = facts;
const { bridge, destination, recording } = order;
const [sentence] = order.script.sentences;
/** The events from the notice on: those before it come from the session itself. */
const fromNotice = (kind: CallState['kind']): CallEvent[] => eventsTo(kind, facts).slice(eventsBeforeTheNotice);

const asteriskNow = 9_000;

/** Ports whose every step is in `asked`, in the order in which it was begun. */
function stage(given: Order = order) {
  const ari = scriptedAri();
  ari.state.time = asteriskNow;
  const { log, lines, text } = collectingLog();
  const saved: CallState[] = [];
  const ended: CallState[] = [];
  const kept: TimelineEntry[] = [];
  const endsSaved: number[] = [];
  const heardEnds: ClockReading[] = [];
  const clock: Clock = { now: () => callStart };
  let keepFails = false;
  let rememberFails = false;
  let plan: SessionPorts['plan'] = () => Promise.resolve(given);
  let answer: 'ready' | UnrecordedReason | Error = 'ready';
  let saveFails: (state: CallState) => boolean = () => false;
  const ports = {
    ari,
    log,
    clock,
    journal: {
      save: (state: CallState, { talk, heard: heardEnd }: Measured = {}) => {
        if (heardEnd !== undefined) heardEnds.push(heardEnd);
        const heard = talk === undefined ? '' : ` heard ${talk.callerMs} ${talk.destinationMs}`;
        ari.asked.push(`save ${state.kind}${heard}`);
        if (saveFails(state)) return Promise.reject(new PreavisError('catalogue_unusable', 'no room'));
        saved.push(state);
        return Promise.resolve();
      },
      addToTimeline: (_: CallId, happening: TimelineEntry) => {
        if (keepFails) return Promise.reject(new PreavisError('catalogue_unusable', 'no room'));
        kept.push(happening);
        return Promise.resolve();
      },
      open: () => Promise.resolve([]),
      openOfOthers: () => Promise.resolve([]),
      endUnreadable: () => Promise.resolve(),
    },
    readiness: {
      check: () => {
        ari.asked.push('check');
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
      },
    },
    isBehind: () => false,
    watchesBridges: () => true,
    lookAgain: () => {
      ari.asked.push('look again');
      return Promise.resolve();
    },
    ids: countingIds(),
    legLimits: { looks: unlimited, moves: unlimited },
    legUnheard: (outcome: string) => {
      ari.asked.push(`unheard ${outcome}`);
    },
    plan: () => plan(),
    planNewcomer: () => Promise.resolve('no_language' as const),
    owns: () => undefined,
    isLocal: () => false,
    isStaff: () => false,
    isBeforeStaff: () => false,
    planned: (known: Order) => {
      ari.asked.push(`planned ${known.recording}`);
    },
    lineAsking: () => ({ codes: [], mayErase: true, pauseSeconds: undefined }),
    pauseWords: () => [],
    rememberLanguage: (language: string) => {
      ari.asked.push(`remember ${language}`);
      return rememberFails ? Promise.reject(new PreavisError('catalogue_unusable', 'no room')) : Promise.resolve();
    },
    ended: (state: CallState) => {
      ended.push(state);
    },
    endSaved: () => {
      endsSaved.push(1);
    },
  };

  return {
    ari,
    ports,
    saved,
    ended,
    kept,
    endsSaved,
    heardEnds,
    failKeeping: (fails = true) => {
      keepFails = fails;
    },
    failRemembering: () => {
      rememberFails = true;
    },
    lines,
    text,
    readiness: (next: typeof answer) => {
      answer = next;
    },
    planned: (next: typeof plan) => {
      plan = next;
    },
    failSaves: (when: typeof saveFails) => {
      saveFails = when;
    },
  };
}

const sessions: CallSession[] = [];
afterEach(() => {
  // Their timers.
  for (const session of sessions.splice(0)) session.abandon();
});

/** A call that was just begun; its first effects are done. */
async function started(set = stage()) {
  const session = CallSession.start(beginning(facts), set.ports);
  sessions.push(session);
  await settled(session);

  return { ...set, session };
}

/** Effects may bring events, and those effects; all of them are done. */
async function settled(session: CallSession): Promise<void> {
  for (;;) {
    const tail = session.settled();
    await tail;
    if (session.settled() === tail) return;
  }
}

/** A call that talks; what led there is not in `asked` any more. */
async function talking() {
  const set = await started();
  for (const event of fromNotice('talking')) set.session.handle(event);
  await settled(set.session);
  set.ari.asked.length = 0;

  return set;
}

/** A told caller who goes on in the dialplan; each snoop is there as soon as it is asked for. */
async function following() {
  const told = aFollowed({ sentenceCount: 1 });
  const set = stage(told.order);
  const session = CallSession.start(beginning(told), set.ports);
  sessions.push(session);
  const snoop = set.ari.snoop.bind(set.ari);
  set.ari.snoop = async (...args) => {
    await snoop(...args);
    setImmediate(() => {
      session.take({
        type: 'channelArrived',
        at: 1,
        channelId: args[1],
        args: [],
        callerNumber: '',
        language: 'en',
        replaces: undefined,
      });
    });
  };
  await settled(session);
  for (const event of eventsTo('dialling', told).slice(eventsBeforeTheNotice)) session.handle(event);
  await settled(session);
  expect(session.state.kind).toBe('following');
  const joins = (other: string): void => {
    session.handle({
      type: 'joined',
      bridge: `with-${other}` as BridgeId,
      others: [other as ChannelId],
      at: callStart + 20_000,
    });
  };

  return { set, session, joins };
}

describe('the effects of a call', () => {
  test('are carried out one after another, in the order of their events', async () => {
    const { session, ari, ended } = await started();
    expect(session.state.kind).toBe('announcing');
    for (const event of fromNotice('ended')) session.handle(event);
    await settled(session);
    expect(ari.asked).toEqual([
      'save planning',
      `planned ${recording}`,
      'check',
      `answer ${caller}`,
      `play ${caller} ${sentence?.playbackId ?? ''} ${sentence?.prompt.soundName ?? ''} fr`,
      `createBridge ${bridge}`,
      `createChannel ${destination} PJSIP/100 ${caller} {"TALK_DETECT(set)":""}`,
      'save dialling',
      `addToBridge ${bridge} ${caller},${destination}`,
      `dial ${destination} ${caller} 30`,
      `recordBridge ${bridge} ${recorderName(recording)} 14400`,
      'save talking',
      `setVariable ${caller} ARRAY(PREAVIS_RESULT,PREAVIS_RECORDING,DIALSTATUS,TALK_DETECT(set)) recorded,${recording},ANSWER,`,
      `stopRecorder ${recorderName(recording)}`,
      `hangUp ${destination}`,
      `destroyBridge ${bridge}`,
      'save ended heard 0 0',
    ]);
    expect(ended).toHaveLength(1);
  });

  test('have their time before they are asked for, and the caller no limit of ours from the dialling on', async () => {
    const set = stage();
    const limited: Facts = { ...facts, request: { ...aRequest(), leftSeconds: 0 } };
    const session = CallSession.start(beginning(limited), set.ports);
    sessions.push(session);
    await settled(session);
    const releaseDial = set.ari.hold('dial');
    for (const event of fromNotice('dialling')) session.handle(event);
    await eventually(() => set.ari.asked.some((each) => each.startsWith('dial ')));
    const limits = 'ARRAY(TIMEOUT(absolute),PREAVIS_WAITS)';
    const steps = set.ari.asked.filter((each) => /^(answer|play|addToBridge|dial|setVariable)/.test(each));
    const lengthMs = sentence?.prompt.lengthMs ?? 0;
    expect(steps).toEqual([
      `setVariable ${caller} ${limits} 8.000,1`,
      expect.stringMatching(/^answer /),
      `setVariable ${caller} ${limits} ${(lengthMs / 1_000 + 8).toFixed(3)},1`,
      expect.stringMatching(/^play /),
      `setVariable ${caller} ${limits} 8.000,1`,
      expect.stringMatching(/^addToBridge /),
      // At once with the dialling: who hangs in between leaves nobody without a limit and without a destination.
      `setVariable ${caller} ${limits} 31536000.000,`,
      expect.stringMatching(/^dial /),
    ]);
    releaseDial();
    await settled(session);
  });

  test.each([
    { who: 'a caller', of: aFollowed },
    { who: 'who was called', of: anOutgoing },
  ])(
    'give $who the variables on the channel that goes on in the dialplan, and leave it the limit: the include file takes that away',
    async ({ of }) => {
      const told = of({ sentenceCount: 1 });
      const set = stage(told.order);
      const request = {
        way: 'follow',
        line: 'default',
        purposes: ['training'],
        language: undefined,
        leftSeconds: 0,
      } as const;
      const limited: Facts = { ...told, request };
      const session = CallSession.start(beginning(limited), set.ports);
      sessions.push(session);
      await settled(session);
      for (const event of eventsTo('dialling', told).slice(eventsBeforeTheNotice)) session.handle(event);
      await settled(session);
      const inHand = channelInHand(told);
      const steps = set.ari.asked.filter((each) => /^(play|continueInDialplan|setVariable)/.test(each));
      expect(steps.slice(-3)).toEqual([
        `setVariable ${inHand} ARRAY(TIMEOUT(absolute),PREAVIS_WAITS) 8.000,1`,
        expect.stringContaining(`setVariable ${inHand} ARRAY(PREAVIS_TOLD,PREAVIS_RECORDING`),
        `continueInDialplan ${inHand}`,
      ]);
    },
  );

  test('wait for those under way, while an event that comes meanwhile is decided at once', async () => {
    const set = stage();
    const release = set.ari.hold('createChannel');
    const session = CallSession.start(beginning(facts), set.ports);
    await eventually(() => set.ari.asked.some((each) => each.startsWith('createChannel')));
    session.handle({ type: 'callerLeft', at: 1 });
    expect(session.state).toMatchObject({ kind: 'ended', outcome: { result: 'abandoned' } });
    expect(set.ari.asked.at(-1)).toMatch(/^createChannel/);
    release();
    await settled(session);
    expect(set.ari.asked.slice(-3)).toEqual([`hangUp ${destination}`, `destroyBridge ${bridge}`, 'save ended']);
  });

  test('are saved with the state that they belong to, not with a later one', async () => {
    const set = stage();
    const release = set.ari.hold('answer');
    const session = CallSession.start(beginning(facts), set.ports);
    await eventually(() => session.state.kind === 'answering');
    session.handle({ type: 'callerLeft', at: 1 });
    release();
    await settled(session);
    expect(set.saved.map((state) => state.kind)).toEqual(['planning', 'ended']);
  });

  test('that save are announced to the journal at once, and not when their turn comes', async () => {
    const set = stage();
    const announced: string[] = [];
    const journal = { ...set.ports.journal, expect: ({ kind }: CallState) => announced.push(kind) };
    const release = set.ari.hold('answer');
    const session = CallSession.start(beginning(facts), { ...set.ports, journal });
    await eventually(() => session.state.kind === 'answering');
    session.handle({ type: 'callerLeft', at: 1 });
    expect(announced.at(-1)).toBe('ended');
    expect(set.saved.map((state) => state.kind)).not.toContain('ended');
    release();
    await settled(session);
  });

  test('that write a followed talk down wait for no answer about holds', async () => {
    const { set, session, joins } = await following();
    const release = set.ari.hold('followChannel');
    joins('agent');
    session.handle({ type: 'recorderStarted', part: 1, at: callStart + 20_010 });
    await eventually(() => set.saved.at(-1)?.kind === 'talking');
    await eventually(() => set.ari.asked.includes('followChannel agent'));
    expect(set.lines.filter(({ msg }) => msg === 'call step failed')).toEqual([]);
    release();
    await settled(session);
  });

  test.each([
    { of: 'this talk', happens: () => undefined, heard: ['destination'] },
    {
      of: 'a talk before this one',
      happens: ({ session, joins }: Awaited<ReturnType<typeof following>>) => {
        session.handle({ type: 'parted', at: callStart + 21_000 });
        joins('colleague');
      },
      heard: [],
    },
    {
      of: 'a call that another process has by now',
      happens: ({ session }: Awaited<ReturnType<typeof following>>) => {
        session.abandon();
      },
      heard: [],
    },
  ])('take an answer about holds of $of for what it is', async ({ happens, heard }) => {
    const all = await following();
    const { set, session, joins } = all;
    set.ari.state.variables['agent CHANNEL(rtp,hold)'] = '1';
    const release = set.ari.hold('variable');
    joins('agent');
    session.handle({ type: 'recorderStarted', part: 1, at: callStart + 20_010 });
    await settled(session);
    happens(all);
    await settled(session);
    release();
    // Behind what waited for it.
    await new Promise(setImmediate);
    await settled(session);
    expect(session.state).toMatchObject({ kind: 'talking', holding: heard });
  });

  test('after the end are none: an event that comes later is not heard', async () => {
    const { session, ari, ended } = await started();
    session.handle({ type: 'callerLeft', at: 1 });
    await settled(session);
    const before = [...ari.asked];
    for (const event of eventsTo('ended', facts)) session.handle(event);
    await settled(session);
    expect(ari.asked).toEqual(before);
    expect(ended).toHaveLength(1);
  });
});

describe('a refused request', () => {
  test('because the channel is gone (404) waits for its hang-up, and is no warning', async () => {
    const set = stage();
    set.ari.refuse('answer', 'ari_not_found');
    const { session, lines } = await started(set);
    expect(session.state).toMatchObject({ kind: 'answering' });
    session.handle({ type: 'callerLeft', at: 1 });
    await settled(session);
    expect(session.state).toMatchObject({ kind: 'ended', outcome: { result: 'abandoned' } });
    expect(lines.filter((line) => line.msg === 'call step failed')).toEqual([]);
  });

  test.each<[Parameters<ReturnType<typeof scriptedAri>['refuse']>[0], UnrecordedReason]>([
    ['answer', 'answer_failed'],
    ['play', 'notice_failed'],
    ['createBridge', 'prepare_failed'],
    ['createChannel', 'prepare_failed'],
  ])('to %s sends the caller back to the dialplan: %s', async (command, reason) => {
    const set = stage();
    set.ari.refuse(command, 'ari_request_failed');
    const { session, ari } = await started(set);
    expect(session.state).toMatchObject({ kind: 'ended', outcome: { result: 'unrecorded', reason } });
    expect(ari.asked).toContain(`setVariable ${caller} PREAVIS_RESULT unrecorded`);
    expect(ari.asked).toContain(`setVariable ${caller} PREAVIS_REASON ${reason}`);
    expect(ari.asked.filter((each) => each.startsWith('continue'))).toEqual([`continueInDialplan ${caller}`]);
  });

  test('to dial removes the bridge and the channel', async () => {
    const set = await started();
    set.ari.refuse('dial', 'ari_request_failed');
    for (const event of fromNotice('dialling')) set.session.handle(event);
    await settled(set.session);
    expect(set.session.state).toMatchObject({ kind: 'ended', outcome: { reason: 'dial_failed' } });
    expect(set.ari.asked.slice(-3)).toEqual([`hangUp ${destination}`, `destroyBridge ${bridge}`, 'save ended']);
  });

  test('to make the bridge does not leave the channel that is being made beside it', async () => {
    const set = stage();
    set.ari.refuse('createBridge', 'ari_request_failed');
    const release = set.ari.hold('createChannel');
    const session = CallSession.start(beginning(facts), set.ports);
    await eventually(() => set.ari.asked.some((each) => each.startsWith('createChannel')));
    // Time for the refusal to become an event, were it not to wait for the channel.
    await new Promise((resolve) => setImmediate(resolve));
    expect(set.ari.asked).not.toContain(`hangUp ${destination}`);
    release();
    await settled(session);
    expect(session.state).toMatchObject({ kind: 'ended', outcome: { reason: 'prepare_failed' } });
    expect(set.ari.asked).toContain(`hangUp ${destination}`);
  });

  test.each(['ari_request_failed', 'ari_not_found'] as const)(
    'to record lets the two talk on, unrecorded: %s',
    async (code) => {
      const set = await started();
      set.ari.refuse('recordBridge', code);
      for (const event of [...fromNotice('dialling'), { type: 'destinationAnswered', at: undefined } as CallEvent]) {
        set.session.handle(event);
      }
      await settled(set.session);
      expect(set.session.state).toMatchObject({ kind: 'talking', recorder: { kind: 'failed' } });
      expect(set.ari.asked.some((each) => each.startsWith('hangUp'))).toBe(false);
      set.session.handle({ type: 'destinationLeft', at: undefined, cause: 16 });
      await settled(set.session);
      expect(set.session.state).toMatchObject({ kind: 'ended', outcome: { reason: 'recorder_failed' } });
    },
  );

  test.each([
    ['ari_unreachable', { kind: 'ended', outcome: { reason: 'refused' } }],
    ['ari_not_found', { kind: 'acknowledging' }],
  ] as const)(
    'to take a caller who refused out of the bridge (%s) does not leave them listening to nothing',
    async (code, state) => {
      const refusing = someFacts(countingIds(), { mode: 'optOut', sentenceCount: 1 });
      const set = stage(refusing.order);
      const session = CallSession.adopt(stateAt('dialling', refusing), set.ports);
      sessions.push(session);
      set.ari.refuse('removeFromBridge', code);
      for (const event of press(keys.refuse)) session.handle(event);
      await settled(session);
      expect(session.state).toMatchObject(state);
      expect(set.ari.asked.slice(0, 3)).toEqual([
        `hangUp ${refusing.order.destination}`,
        `removeFromBridge ${refusing.order.bridge} ${refusing.callerChannel}`,
        `destroyBridge ${refusing.order.bridge}`,
      ]);
      // Gone already, or out of it already: then what is said is heard, or its end is told.
      const returned = set.ari.asked.some((each) => each.startsWith('continueInDialplan'));
      expect(returned).toBe(code === 'ari_unreachable');
    },
  );

  test('to clean up does not keep the rest from being cleaned up and saved', async () => {
    const { session, ari, ended } = await talking();
    ari.refuse('stopRecorder', 'ari_unreachable');
    ari.refuse('hangUp', 'ari_not_found');
    ari.refuse('destroyBridge', 'ari_not_found');
    session.handle({ type: 'callerLeft', at: 1 });
    session.handle({ type: 'recorderFinished', at: 2 });
    await settled(session);
    expect(ari.asked).toEqual([
      `stopRecorder ${recorderName(recording)}`,
      `hangUp ${destination}`,
      `destroyBridge ${bridge}`,
      'save ended heard 0 0',
    ]);
    expect(ended).toHaveLength(1);
  });
});

describe('a recorder that must not run on', () => {
  const stops = (set: { ari: { asked: readonly string[] } }, effect = 'stopRecorder'): number =>
    set.ari.asked.filter((each) => each.startsWith(effect)).length;

  test('is stopped again and again until Asterisk does it, and the call does not wait for that', async () => {
    const set = await talking();
    set.ari.refuse('stopRecorder', 'ari_unreachable', 3);
    set.session.handle({ type: 'thirdPartyJoined', channel: stranger });
    await settled(set.session);
    expect(set.ari.asked).toEqual([`stopRecorder ${recorderName(recording)}`, 'save talking']);
    await eventually(() => stops(set) === 4);
    expect(set.lines).toContainEqual(
      expect.objectContaining({ level: 'error', effect: 'stopRecorder', code: 'ari_unreachable' }),
    );
  });

  test('is removed again and again after a refusal', async () => {
    const refusing = someFacts(countingIds(), { mode: 'optOut', sentenceCount: 1 });
    const set = stage(refusing.order);
    const session = CallSession.adopt(stateAt('talking', refusing), set.ports);
    sessions.push(session);
    set.ari.refuse('discardRecorder', 'ari_request_failed', 2);
    for (const event of press(keys.featureCode)) session.handle(event);
    await settled(session);
    await eventually(() => stops(set, 'discardRecorder') === 3);
    expect(session.state).toMatchObject({ kind: 'talking', recorder: { kind: 'discarded' } });
  });

  test('is stopped also when the call has ended in the meantime', async () => {
    const set = await talking();
    set.ari.refuse('stopRecorder', 'ari_unreachable', 2);
    set.session.handle({ type: 'callerLeft', at: 1 });
    set.session.handle({ type: 'timeUp', timer: 'recorderFinish' });
    await settled(set.session);
    expect(set.ended).toHaveLength(1);
    await eventually(() => stops(set) === 3);
  });

  test('is not asked for any more when it is gone', async () => {
    const set = await talking();
    set.ari.refuse('stopRecorder', 'ari_not_found', 9);
    set.session.handle({ type: 'thirdPartyJoined', channel: stranger });
    await settled(set.session);
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(stops(set)).toBe(1);
  });

  test('is left to the next process with the call', async () => {
    const set = await talking();
    set.ari.refuse('stopRecorder', 'ari_unreachable', 99);
    set.session.handle({ type: 'thirdPartyJoined', channel: stranger });
    await settled(set.session);
    set.session.abandon();
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(stops(set)).toBeLessThanOrEqual(2);
  });
});

describe('who is left of a call, and its bridge', () => {
  test.each(['hangUp', 'destroyBridge'] as const)('are not left alone by a %s without an answer', async (command) => {
    const set = await talking();
    set.ari.refuse(command, 'ari_unreachable', 2);
    set.session.handle({ type: 'callerLeft', at: 1 });
    set.session.handle({ type: 'recorderFinished', at: 2 });
    await settled(set.session);
    expect(set.ended).toHaveLength(1);
    await eventually(() => set.ari.asked.filter((each) => each.startsWith(command)).length === 3);
  });
});

describe('a call in which keys of the caller were missed', () => {
  test('talks unrecorded, and the dialplan hears why', async () => {
    const refusing = someFacts(countingIds(), { mode: 'optOut', sentenceCount: 1 });
    const set = stage(refusing.order);
    const session = CallSession.adopt(stateAt('dialling', refusing), set.ports);
    sessions.push(session);
    session.handle({ type: 'eventsMissed' });
    session.handle({ type: 'destinationAnswered', at: undefined });
    await settled(session);
    const channel = refusing.callerChannel;
    expect(set.ari.asked).toEqual([
      'save talking',
      `setVariable ${channel} ARRAY(PREAVIS_RESULT,PREAVIS_REASON,PREAVIS_RECORDING,DIALSTATUS) unrecorded,interrupted,,ANSWER`,
    ]);
    session.handle({ type: 'callerLeft', at: 1 });
    await settled(session);
    expect(set.ended[0]).toMatchObject({ outcome: { result: 'unrecorded', reason: 'interrupted' } });
    expect(set.ari.asked.filter((each) => each.startsWith('record'))).toEqual([]);
  });
});

describe('a catalogue that cannot be written', () => {
  test('at the arrival stops what is behind it: the caller is not even answered', async () => {
    const set = stage();
    set.failSaves((state) => state.kind === 'planning');
    const { session, ari } = await started(set);
    expect(session.state).toMatchObject({ kind: 'ended', outcome: { reason: 'catalogue_unusable' } });
    expect(ari.asked).toEqual([
      'save planning',
      `setVariable ${caller} PREAVIS_RESULT unrecorded`,
      `setVariable ${caller} PREAVIS_REASON catalogue_unusable`,
      `continueInDialplan ${caller}`,
      'save ended',
    ]);
  });

  test('before dialling stops what is behind it: nothing is dialled, and the caller goes on', async () => {
    const set = stage();
    set.failSaves((state) => state.kind === 'dialling');
    const { session, ari } = await started(set);
    for (const event of fromNotice('dialling')) session.handle(event);
    await settled(session);
    expect(session.state).toMatchObject({ kind: 'ended', outcome: { reason: 'catalogue_unusable' } });
    expect(ari.asked.some((each) => each.startsWith('dial '))).toBe(false);
    expect(ari.asked).toContain(`continueInDialplan ${caller}`);
  });

  test('at the end does not keep the call from ending', async () => {
    const set = stage();
    set.failSaves((state) => state.kind === 'ended');
    const { session, ended } = await started(set);
    session.handle({ type: 'callerLeft', at: 1 });
    await settled(session);
    expect(ended).toHaveLength(1);
  });

  test('is given the end again until it takes it, and only then that is told', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance'] });
    try {
      const set = stage();
      let fails = 2;
      set.failSaves((state) => state.kind === 'ended' && (fails -= 1) >= 0);
      const { session, ended, endsSaved } = await started(set);
      session.handle({ type: 'callerLeft', at: 1 });
      await settled(session);
      expect([ended.length, endsSaved.length]).toEqual([1, 0]);
      await jest.advanceTimersByTimeAsync(5_000);
      await settled(session);
      expect(endsSaved).toHaveLength(0);
      await jest.advanceTimersByTimeAsync(5_000);
      await settled(session);
      expect(endsSaved).toHaveLength(1);
      expect(set.saved.at(-1)?.kind).toBe('ended');
      await jest.advanceTimersByTimeAsync(60_000);
      expect([ended.length, endsSaved.length]).toEqual([1, 1]);
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('going back to the dialplan', () => {
  const refused = (set: ReturnType<typeof stage>) => CallSession.start(refuse(facts, 'shutting_down'), set.ports);

  test('tells it the outcome first', async () => {
    const set = stage();
    await settled(refused(set));
    expect(set.ari.asked).toEqual([
      `setVariable ${caller} PREAVIS_RESULT unrecorded`,
      `setVariable ${caller} PREAVIS_REASON shutting_down`,
      `continueInDialplan ${caller}`,
      'save ended',
    ]);
  });

  test('tells it DIALSTATUS when nobody answered', async () => {
    const { session, ari } = await started();
    for (const event of fromNotice('dialling')) session.handle(event);
    session.handle({ type: 'destinationLeft', at: 1, cause: 17 });
    await settled(session);
    expect(ari.asked).toContain(`setVariable ${caller} PREAVIS_RESULT notConnected`);
    expect(ari.asked).toContain(`setVariable ${caller} PREAVIS_DIALSTATUS BUSY`);
    expect(ari.asked.join('\n')).not.toContain('PREAVIS_REASON');
  });

  test('is tried again', async () => {
    const set = stage();
    set.ari.refuse('continueInDialplan', 'ari_unreachable', 2);
    await settled(refused(set));
    expect(set.ari.asked.filter((each) => each.startsWith('continue'))).toHaveLength(3);
    expect(set.lines.some((line) => line.msg === 'call step failed')).toBe(false);
  });

  test('is given up when the caller has left, and the log says so', async () => {
    const set = stage();
    set.ari.refuse('continueInDialplan', 'ari_unreachable', 99);
    const session = refused(set);
    await eventually(() => set.ari.asked.some((each) => each.startsWith('continue')));
    session.handle({ type: 'callerLeft', at: 1 });
    await settled(session);
    expect(set.ari.asked.filter((each) => each.startsWith('continue')).length).toBeLessThan(5);
    expect(set.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', effect: 'returnToDialplan', code: 'ari_unreachable' }),
    );
    expect(set.ended).toHaveLength(1);
  });

  test('is not tried again when the caller is gone', async () => {
    const set = stage();
    set.ari.refuse('continueInDialplan', 'ari_not_found', 9);
    await settled(refused(set));
    expect(set.ari.asked.filter((each) => each.startsWith('continue'))).toHaveLength(1);
  });
});

describe('whether a call can be announced', () => {
  test('is asked before it is answered: if not, the dialplan hears why', async () => {
    const set = stage();
    set.readiness('spool_full');
    const { session, ari } = await started(set);
    expect(session.state).toMatchObject({ kind: 'ended', outcome: { reason: 'spool_full' } });
    expect(ari.asked.some((each) => each.startsWith('answer'))).toBe(false);
  });

  test('is no when Asterisk does not tell which prompts it has', async () => {
    const set = stage();
    set.readiness(new PreavisError('ari_unreachable', 'no answer'));
    const { session } = await started(set);
    expect(session.state).toMatchObject({ kind: 'ended', outcome: { reason: 'prompts_missing' } });
  });
});

describe('the order of a call', () => {
  test('that cannot be made sends the caller back: no language has a notice', async () => {
    const set = stage();
    set.planned(() => Promise.resolve('no_language'));
    const { session, ari } = await started(set);
    expect(session.state).toMatchObject({ kind: 'ended', outcome: { result: 'unrecorded', reason: 'no_language' } });
    expect(ari.asked.some((each) => each.startsWith('answer'))).toBe(false);
    expect(ari.asked).toContain(`continueInDialplan ${caller}`);
  });

  test('that lacks its question says that it lacks sentences, not languages', async () => {
    const set = stage();
    set.planned(() => Promise.resolve('prompts_missing'));
    const { session } = await started(set);
    expect(session.state).toMatchObject({ kind: 'ended', outcome: { reason: 'prompts_missing' } });
  });

  test('that fails while it is made sends the caller back, and the reason is not that of languages', async () => {
    const set = stage();
    set.planned(() => Promise.reject(new PreavisError('ari_unreachable', 'no answer')));
    const { session, ari } = await started(set);
    expect(session.state).toMatchObject({ kind: 'ended', outcome: { reason: 'planning_failed' } });
    expect(ari.asked.filter((each) => each.startsWith('continue'))).toEqual([`continueInDialplan ${caller}`]);
  });

  test('is waited for without an effect of later events, and a caller who leaves meanwhile is gone', async () => {
    const set = stage();
    let give: (made: Order) => void = () => undefined;
    set.planned(() => new Promise((resolve) => (give = resolve)));
    const session = CallSession.start(beginning(facts), set.ports);
    sessions.push(session);
    await eventually(() => set.saved.length === 1);
    session.handle({ type: 'callerLeft', at: 1 });
    give(order);
    await settled(session);
    expect(session.state).toMatchObject({ kind: 'ended', outcome: { result: 'abandoned' } });
    expect(set.ari.asked.some((each) => each === 'check')).toBe(false);
  });
});

describe('a caller who answers', () => {
  const asked = someFacts(countingIds(), { mode: 'optOut', sentenceCount: 1, asksLanguage: true });
  const { menu, script } = asked.order;

  async function offered() {
    const set = stage(asked.order);
    const session = CallSession.start(beginning(asked), set.ports);
    sessions.push(session);
    await settled(session);
    expect(session.state.kind).toBe('choosing');
    set.ari.asked.length = 0;

    return { ...set, session };
  }

  test('with a language hears silence, then the notice in it; it is remembered', async () => {
    const { session, ari } = await offered();
    session.handle({ type: 'digit', digit: '2', at: 1 });
    await settled(session);
    const [first] = menu?.options[1]?.script.sentences ?? [];
    expect(ari.asked).toEqual([
      `stopPlayback ${menu?.prompts[0]?.playbackId ?? ''}`,
      `play ${asked.callerChannel} ${first?.playbackId ?? ''} ${first?.prompt.soundName ?? ''} nl`,
      'remember nl',
    ]);
  });

  test('with a language that cannot be remembered is announced all the same', async () => {
    const { session, failRemembering, lines } = await offered();
    failRemembering();
    session.handle({ type: 'digit', digit: '2', at: 1 });
    await settled(session);
    expect(session.state.kind).toBe('announcing');
    expect(lines).toContainEqual(expect.objectContaining({ level: 'warn', effect: 'rememberLanguage' }));
  });

  test('with the feature code is saved, told, and has the recording removed before anything else', async () => {
    const { session, ari } = await offered();
    for (const event of eventsTo('talking', asked).slice(eventsBeforeTheNotice)) session.handle(event);
    await settled(session);
    expect(session.state.kind).toBe('talking');
    ari.asked.length = 0;
    for (const event of press('*9')) session.handle(event);
    await settled(session);
    const spoken = script.consent.mode === 'announce' ? undefined : script.consent.refusal.erasure[0];
    const { bridge: between, recording: removed } = asked.order;
    expect(ari.asked).toEqual([
      'save talking',
      `playToBridge ${between} ${spoken?.playbackId ?? ''} ${spoken?.prompt.soundName ?? ''} fr`,
      `discardRecorder ${recorderName(removed)}`,
      `setVariable ${asked.callerChannel} ARRAY(PREAVIS_RESULT,PREAVIS_REASON,PREAVIS_RECORDING,DIALSTATUS) unrecorded,refused,,ANSWER`,
    ]);
    session.handle({ type: 'callerLeft', at: 2 });
    await settled(session);
    expect(session.state).toMatchObject({ kind: 'ended', outcome: { result: 'unrecorded', reason: 'refused' } });
    expect(ari.asked.at(-1)).toBe('save ended');
  });

  test('with the feature code has the recording removed also while Asterisk does not answer that it speaks', async () => {
    const { session, ari, lines } = await offered();
    for (const event of eventsTo('talking', asked).slice(eventsBeforeTheNotice)) session.handle(event);
    await settled(session);
    const release = ari.hold('playToBridge');
    ari.refuse('playToBridge', 'ari_unreachable');
    for (const event of press('*9')) session.handle(event);
    await eventually(() => ari.asked.includes(`discardRecorder ${recorderName(asked.order.recording)}`));
    expect(lines).not.toContainEqual(expect.objectContaining({ effect: 'sayToBoth' }));
    release();
    await eventually(() => lines.some(({ effect, code }) => effect === 'sayToBoth' && code === 'ari_unreachable'));
  });

  test('by the feature code has it in the receipt that both were told, and when the file was removed', async () => {
    const { session, kept } = await offered();
    for (const event of eventsTo('talking', asked).slice(eventsBeforeTheNotice)) session.handle(event);
    for (const event of press('*9')) session.handle(event);
    const spoken = script.consent.mode === 'announce' ? undefined : script.consent.refusal.erasure[0];
    if (spoken === undefined) throw new Error('both are told');
    const { playbackId } = spoken;
    const gone = { type: 'recorderFailed', at: 3, name: recorderName(asked.order.recording), cause: '' } as const;
    session.take(gone);
    session.take({ type: 'playbackStarted', at: 4, playbackId });
    session.take({ type: 'playbackFinished', at: 5, playbackId, outcome: 'done' });
    await settled(session);
    expect(kept).toEqual([
      { kind: 'change', change: 'recordingRemoved', at: 3 },
      { kind: 'said', sentence: spoken, startedAt: 4, finishedAt: undefined },
      { kind: 'said', sentence: spoken, startedAt: 4, finishedAt: 5 },
    ]);
  });

  describe('by the feature code is said to have the recording removed', () => {
    const name = recorderName(asked.order.recording);
    const removed = (at: number | undefined) => ({ kind: 'change', change: 'recordingRemoved', at });

    async function refused() {
      const set = await offered();
      for (const event of eventsTo('talking', asked).slice(eventsBeforeTheNotice)) set.session.handle(event);
      await settled(set.session);

      return set;
    }

    test('not before Asterisk has done it', async () => {
      const { session, kept, ari } = await refused();
      ari.refuse('discardRecorder', 'ari_unreachable');
      for (const event of press('*9')) session.handle(event);
      // It ended by itself, at its longest time.
      session.take({ type: 'recorderFinished', at: 3, name });
      await settled(session);
      expect(kept).toEqual([]);
      await eventually(() => kept.length === 1);
      expect(kept).toEqual([removed(3)]);
    });

    test('also when it had ended before, but nobody knows when', async () => {
      const { session, kept } = await refused();
      session.take({ type: 'recorderFinished', at: 3, name });
      for (const event of press('*9')) session.handle(event);
      session.handle({ type: 'callerLeft', at: 9 });
      await settled(session);
      expect(kept).toEqual([removed(undefined)]);
    });

    test('also when the call has ended before Asterisk did it', async () => {
      const { session, kept, ari } = await refused();
      ari.refuse('discardRecorder', 'ari_unreachable');
      for (const event of press('*9')) session.handle(event);
      session.handle({ type: 'callerLeft', at: 9 });
      await settled(session);
      expect(kept).toEqual([]);
      await eventually(() => kept.length === 1);
      expect(kept).toEqual([removed(undefined)]);
    });

    test('also when the call ends at once', async () => {
      const { session, kept } = await refused();
      for (const event of press('*9')) session.handle(event);
      session.handle({ type: 'callerLeft', at: 9 });
      await settled(session);
      expect(kept).toEqual([removed(undefined)]);
    });
  });

  test('with a refusal is no warning: it is as they wanted', async () => {
    const { session, lines } = await offered();
    session.handle({ type: 'digit', digit: '9', at: 1 });
    session.handle({ type: 'interrupted' });
    await settled(session);
    expect(session.state).toMatchObject({ kind: 'ended', outcome: { reason: 'refused' } });
    expect(lines.at(-1)).toMatchObject({ level: 'info', msg: 'call ended', reason: 'refused' });
  });
});

describe('how long each party was heard', () => {
  const at = 1_000_000;
  const stopped: CallEvent[] = [
    { type: 'callerLeft', at: at + 60_000 },
    { type: 'recorderFinished', at: at + 60_000 },
  ];

  test('is saved before the end of the call, whoever talks to the last', async () => {
    const { session, ari } = await talking();
    session.hear(caller, true, at);
    session.hear(caller, false, at + 4_000);
    session.hear(destination, true, at + 5_000);
    for (const event of stopped) session.handle(event);
    await settled(session);
    expect(ari.asked.at(-1)).toBe('save ended heard 4000 55000');
  });

  test('is not known of a call that was taken up again', async () => {
    const set = stage();
    const session = CallSession.adopt(stateAt('talking', facts), set.ports);
    for (const event of stopped) session.handle(event);
    await settled(session);
    expect(set.ari.asked).toContain('save ended');
    expect(set.ended).toHaveLength(1);
  });
});

describe('a call that is taken up again', () => {
  test('does nothing until an event comes', async () => {
    const set = stage();
    const session = CallSession.adopt(stateAt('talking', facts), set.ports);
    await settled(session);
    expect(set.ari.asked).toEqual([]);
    session.handle({ type: 'callerLeft', at: 1 });
    session.handle({ type: 'recorderFinished', at: 2 });
    await settled(session);
    expect(set.ended).toMatchObject([{ outcome: { result: 'recorded' } }]);
  });
});

describe('a party whose RTP goes on from another source', () => {
  const debian = { version: '22.10.1+dfsg+~cs6.17.60671434-1', node: 'test' };
  const isAsked = (set: { ari: { asked: readonly string[] } }, text: string): boolean =>
    set.ari.asked.some((each) => each.startsWith(text));

  const releases: (() => void)[] = [];
  // A move goes on beside all else, and has timers: none may begin in the next test.
  afterEach(async () => {
    for (const release of releases.splice(0)) release();
    await Promise.all(sessions.map((session) => session.partiesMoved()));
    await new Promise((resolve) => setImmediate(resolve));
  });

  /** A call that is taken up, in which the destination has changed meanwhile, and is being moved. */
  async function moving() {
    const set = stage();
    set.ari.state.inBridge[bridge] = [caller, destination];
    for (const [index, channel] of [caller, destination].entries()) {
      const source = { ssrc: index, lost: 0 };
      set.ari.state.rtp[channel] = { sentPackets: 9, receivedPackets: 9, reported: '', source };
    }
    set.ari.state.variables[`${caller} ${sourceVariable}`] = '0 1 0';
    set.ari.state.variables[`${destination} ${sourceVariable}`] = '77 1 0';
    const release = set.ari.hold('addToBridge');
    releases.push(release);
    const session = CallSession.adopt(stateAt('talking', { ...facts, asterisk: debian }), set.ports);
    sessions.push(session);
    session.handle({ type: 'recorderStarted', at: 5 });
    await eventually(() => isAsked(set, `addToBridge ${bridge} ${destination}`));

    return { ...set, session, release };
  }
  const comesIn = (at: number): AriEvent => ({ type: 'bridgeEntered', at, bridgeId: bridge, channelId: destination });

  test('is moved beside all else: a recorder that must stop does not wait for it', async () => {
    const set = await moving();
    set.session.handle({ type: 'thirdPartyJoined', channel: stranger });
    await settled(set.session);
    expect(isAsked(set, `stopRecorder ${recorderName(recording)}`)).toBe(true);
    expect(set.session.isMovingParty).toBe(true);
    set.release();
  });

  test('is listened to anew: what listens in Asterisk is as deaf to it as the bridge was', async () => {
    const set = await moving();
    const { session, ari } = set;
    session.hear(destination, true, 1_000);
    set.release();
    session.take(comesIn(3_000));
    await eventually(() => isAsked(set, `setVariable ${destination} TALK_DETECT(set)`));
    expect(ari.asked.filter((each) => each.includes('TALK_DETECT'))).toEqual([
      `setVariable ${destination} TALK_DETECT(remove) `,
      `setVariable ${destination} TALK_DETECT(set) `,
    ]);
    session.hear(caller, true, 3_000);
    session.hear(destination, true, 3_500);
    session.hear(destination, false, 4_500);
    session.handle({ type: 'callerLeft', at: 9_000 });
    session.handle({ type: 'recorderFinished', at: 9_000 });
    await settled(session);
    expect(ari.asked.at(-1)).toBe('save ended heard 6000 3000');
  });

  test('has no time of talking where Asterisk does not listen to it anew', async () => {
    const set = await moving();
    const { session, ari } = set;
    ari.refuse('setVariable', 'ari_request_failed', 9);
    session.take(comesIn(3_000));
    set.release();
    await eventually(() => !session.isMovingParty);
    await settled(session);
    session.hear(caller, true, 3_000);
    session.hear(destination, true, 3_500);
    session.handle({ type: 'callerLeft', at: 9_000 });
    session.handle({ type: 'recorderFinished', at: 9_000 });
    await settled(session);
    expect(ari.asked.at(-1)).toBe('save ended');
  });

  test('and ends the call before it is heard again was not heard until then: that is kept before the end is', async () => {
    const { session, kept, saved, failKeeping } = await moving();
    failKeeping();
    session.handle({ type: 'callerLeft', at: 9_000 });
    session.handle({ type: 'recorderFinished', at: 9_000 });
    await settled(session);
    expect(saved.map(({ kind }) => kind)).not.toContain('ended');
    expect(session.isKept).toBe(false);
    failKeeping(false);
    session.note({ kind: 'change', change: 'joined', at: 1 });
    await settled(session);
    expect(kept[0]).toEqual({ kind: 'change', change: 'unheard', at: undefined, party: 'destination' });
  });
});

describe('time limits', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('end a playback that never ends', async () => {
    const { session } = await started();
    jest.advanceTimersByTime(5_999);
    expect(session.state.kind).toBe('announcing');
    jest.advanceTimersByTime(1);
    expect(session.state).toMatchObject({ kind: 'ended', outcome: { reason: 'notice_timeout' } });
    await settled(session);
    expect(jest.getTimerCount()).toBe(0);
  });

  test.each([
    ['answer', 10_000, 'answer_failed'],
    ['play', 6_000, 'notice_timeout'],
  ] as const)(
    'end the wait for a channel that Asterisk calls gone (404 to %s) and that is up: the call goes on unrecorded',
    async (command, ms, reason) => {
      const set = stage();
      set.ari.refuse(command, 'ari_not_found', Infinity);
      const { session } = await started(set);
      expect(session.state.kind).not.toBe('ended');
      await jest.advanceTimersByTimeAsync(ms);
      await settled(session);
      expect(session.state).toMatchObject({ kind: 'ended', outcome: { result: 'unrecorded', reason } });
      expect(set.ari.asked).toContain(`setVariable ${caller} PREAVIS_REASON ${reason}`);
      expect(set.ari.asked).toContain(`continueInDialplan ${caller}`);
      expect(jest.getTimerCount()).toBe(0);
    },
  );

  test('end the planning of a call that takes too long: it goes on unrecorded, whatever is planned afterwards', async () => {
    const set = stage();
    let give: (made: Order) => void = () => undefined;
    set.planned(() => new Promise((resolve) => (give = resolve)));
    const session = CallSession.start(beginning(facts), set.ports);
    sessions.push(session);
    await jest.advanceTimersByTimeAsync(2_999);
    expect(session.state.kind).toBe('planning');
    await jest.advanceTimersByTimeAsync(1);
    await settled(session);
    expect(session.state).toMatchObject({
      kind: 'ended',
      outcome: { result: 'unrecorded', reason: 'planning_failed' },
    });
    give(order);
    await settled(session);
    expect(set.ari.asked.slice(1)).toEqual([
      `setVariable ${caller} PREAVIS_RESULT unrecorded`,
      `setVariable ${caller} PREAVIS_REASON planning_failed`,
      `continueInDialplan ${caller}`,
      'save ended',
    ]);
    expect(set.lines).toContainEqual(expect.objectContaining({ effect: 'plan', code: 'ari_unreachable' }));
    expect(jest.getTimerCount()).toBe(0);
  });

  test('end the wait for an Asterisk that never tells which prompts it has: the call goes on unrecorded', async () => {
    const set = stage();
    let asked = (): void => undefined;
    const asking = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const readiness = makeReadiness({
      spoolFolder: tmpdir(),
      minimumFreeMib: 0,
      languagesOfSound: () => {
        asked();
        return new Promise<never>(() => undefined);
      },
      clock: { now: () => 0 },
    });
    const session = CallSession.start(beginning(facts), { ...set.ports, readiness });
    sessions.push(session);
    await asking;
    await jest.advanceTimersByTimeAsync(2_999);
    expect(session.state.kind).toBe('checking');
    await jest.advanceTimersByTimeAsync(1);
    await settled(session);
    expect(session.state).toMatchObject({
      kind: 'ended',
      outcome: { result: 'unrecorded', reason: 'prompts_missing' },
    });
    expect(set.ari.asked.slice(2)).toEqual([
      `setVariable ${caller} PREAVIS_RESULT unrecorded`,
      `setVariable ${caller} PREAVIS_REASON prompts_missing`,
      `continueInDialplan ${caller}`,
      'save ended',
    ]);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('are none while the two talk, however long', async () => {
    const { session } = await talking();
    jest.advanceTimersByTime(24 * 3_600_000);
    expect(session.state.kind).toBe('talking');
    expect(jest.getTimerCount()).toBe(0);
  });

  test('do not run on for a call that is left to another process', async () => {
    const { session } = await started();
    expect(jest.getTimerCount()).toBe(1);
    session.abandon();
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('the log of a call', () => {
  test('names the call in every line and never its number or dial string', async () => {
    const { lines, text } = await started();
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).toMatchObject({ call: facts.id });
    expect(text()).not.toContain('PJSIP');
  });
});

describe('what only the receipt tells', () => {
  test('has no sentence of the notice: those are in the state', async () => {
    const { session, kept } = await started();
    await settled(session);
    for (const { playbackId } of order.script.sentences) {
      session.take({ type: 'playbackStarted', at: 4, playbackId });
    }
    await settled(session);
    expect(kept).toEqual([]);
  });

  test('and cannot be kept is a warning, and the call goes on', async () => {
    const { session, lines, failKeeping } = await started();
    await settled(session);
    failKeeping();
    session.take({ type: 'channelHeld', at: 4, channelId: order.destination });
    await settled(session);
    expect(lines).toContainEqual(expect.objectContaining({ level: 'warn', code: 'catalogue_unusable' }));
    expect(session.state.kind).toBe('announcing');
  });

  test('and cannot be kept is kept later, each once, before a recorded call is over', async () => {
    const { session, kept, saved, failKeeping } = await talking();
    failKeeping();
    for (const at of [4, 6]) session.note({ kind: 'change', change: 'joined', at });
    await settled(session);
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance'] });
    try {
      for (const event of fromNotice('ended').slice(fromNotice('talking').length)) session.handle(event);
      await settled(session);
      expect(session.state.kind).toBe('ended');
      expect([kept.length, saved.some(({ kind }) => kind === 'ended'), session.isKept]).toEqual([0, false, false]);
      failKeeping(false);
      await jest.advanceTimersByTimeAsync(5_000);
      await settled(session);
      expect(kept.map((each) => 'at' in each && each.at)).toEqual([4, 6]);
      expect([saved.at(-1)?.kind, session.isKept]).toEqual(['ended', true]);
    } finally {
      jest.useRealTimers();
    }
  });

  test('is not kept while a state of the call is not: the next process would take it for watched, and not know it', async () => {
    const set = await talking();
    const { session, kept } = set;
    set.failSaves(() => true);
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance'] });
    try {
      session.handle({ type: 'thirdPartyJoined', channel: stranger });
      expect(session.isKept).toBe(false);
      await settled(session);
      expect([kept.length, session.isKept]).toEqual([0, false]);
      set.failSaves(() => false);
      await jest.advanceTimersByTimeAsync(5_000);
      await settled(session);
      expect(session.isKept).toBe(true);
    } finally {
      jest.useRealTimers();
    }
  });

  test('is not kept while it waits for Asterisk to obey', async () => {
    const { session, ari, kept } = await talking();
    const release = ari.hold('stopRecorder');
    session.take({ type: 'bridgeEntered', at: 9, bridgeId: bridge, channelId: stranger });
    await eventually(() => ari.asked.some((each) => each.startsWith('stopRecorder')));
    expect([kept.length, session.isKept]).toEqual([0, false]);
    release();
    await settled(session);
    expect([kept.length, session.isKept]).toEqual([1, true]);
  });
});

describe('a hold', () => {
  const hold = { type: 'destinationHeld', at: 7 } as const;
  const back = { type: 'destinationResumed', at: 8 } as const;
  const name = recorderName(recording);

  async function talking() {
    const set = await started();
    for (const event of fromNotice('talking')) set.session.handle(event);
    await settled(set.session);
    set.ari.asked.length = 0;
    const asks = (command: string) => set.ari.asked.filter((request) => request.startsWith(command));

    return { ...set, asks };
  }

  test('pauses the recorder and plays music until it ends, and the receipt has when', async () => {
    const { session, ari, kept } = await talking();
    session.handle(hold);
    session.handle(back);
    await settled(session);
    expect(ari.asked).toEqual([
      `pauseRecorder ${name}`,
      `playMusic ${caller}`,
      'save talking',
      `resumeRecorder ${name}`,
      `stopMusic ${caller}`,
      'save talking',
    ]);
    expect(kept).toEqual([
      { kind: 'change', change: 'recorderPaused', at: 7, doneAt: asteriskNow },
      { kind: 'change', change: 'recorderResumed', at: 8, doneAt: asteriskNow },
    ]);
  });

  test('for which there is no recorder any more is in no receipt as a pause, and has its music', async () => {
    const { session, ari, kept, asks } = await talking();
    ari.refuse('pauseRecorder', 'ari_not_found');
    session.handle(hold);
    await settled(session);
    expect(kept).toEqual([]);
    expect(asks('playMusic')).toHaveLength(1);
  });

  test.each([
    ['the recorder is paused', [hold], 'pauseRecorder', 'recorderPaused'],
    ['the recorder goes on', [hold, back], 'resumeRecorder', 'recorderResumed'],
  ] as const)('is asked for until %s, and not before is it in the receipt', async (_, events, command, change) => {
    const { session, ari, kept, asks } = await talking();
    ari.refuse(command, 'ari_unreachable', 2);
    for (const event of events) session.handle(event);
    await settled(session);
    expect(kept).not.toContainEqual(expect.objectContaining({ change }));
    await eventually(() => kept.some((happening) => 'change' in happening && happening.change === change));
    expect(asks(command)).toHaveLength(3);
  });

  test('ends the music also when Asterisk does not answer at first, and when the catalogue cannot be written', async () => {
    const { session, ari, asks, failSaves } = await talking();
    session.handle(hold);
    await settled(session);
    failSaves(() => true);
    ari.refuse('stopMusic', 'ari_unreachable');
    session.handle(back);
    await eventually(() => asks('stopMusic').length === 2);
  });

  test('does not let a recorder go on that is being stopped for a stranger', async () => {
    const { session, ari, asks } = await talking();
    session.handle(hold);
    ari.refuse('resumeRecorder', 'ari_unreachable');
    session.handle(back);
    session.handle({ type: 'thirdPartyJoined', channel: stranger });
    await settled(session);
    expect(asks('stopRecorder')).toHaveLength(1);
    const since = performance.now();
    await eventually(() => performance.now() - since > 300);
    expect(asks('resumeRecorder')).toHaveLength(1);
  });

  test('is asked for in its order, however slow Asterisk is with the one before', async () => {
    const { session, ari, asks } = await talking();
    ari.refuse('pauseRecorder', 'ari_unreachable');
    session.handle(hold);
    await settled(session);
    // The second try hangs; what comes meanwhile waits for it.
    const release = ari.hold('pauseRecorder');
    await eventually(() => asks('pauseRecorder').length === 2);
    session.handle(back);
    await eventually(() => asks('stopMusic').length === 1);
    expect(asks('resumeRecorder')).toEqual([]);
    release();
    await eventually(() => asks('resumeRecorder').length === 1);
  });

  test('is not undone by what was still asked for after the one before', async () => {
    const { session, ari, asks } = await talking();
    session.handle(hold);
    ari.refuse('resumeRecorder', 'ari_unreachable');
    session.handle(back);
    session.handle({ ...hold, at: 9 });
    await settled(session);
    expect(asks('pauseRecorder')).toHaveLength(2);
    // Longer than the pause before a second try.
    const since = performance.now();
    await eventually(() => performance.now() - since > 300);
    expect(asks('resumeRecorder')).toHaveLength(1);
  });
});

describe('the clock that nobody can set', () => {
  const spoken = order.script.sentences.map(({ playbackId, prompt }) => ({ playbackId, lengthMs: prompt.lengthMs }));
  const [{ playbackId, lengthMs } = { playbackId: '' as PlaybackId, lengthMs: 0 }] = spoken;

  /** A sentence that is whole by Asterisk's clock, and whose end comes so long after it was asked for. */
  async function played(sinceAskedMs: number) {
    const set = stage();
    let ms = 5_000;
    set.ports.clock.sinceBoot = () => ({ boot: 'this one', ms });
    const call = await started(set);
    expect(call.session.state.kind).toBe('announcing');
    ms += sinceAskedMs;
    // Together, as news that were held up come.
    call.session.take({ type: 'playbackStarted', playbackId, at: callStart + 1_000 });
    call.session.take({ type: 'playbackFinished', playbackId, at: callStart + 1_000 + lengthMs, outcome: 'done' });

    return call.session.state;
  }

  test('makes a sentence unheard that ended too soon after it was asked for', async () => {
    expect(await played(0.95 * lengthMs - 1)).toMatchObject({
      kind: 'ended',
      outcome: { result: 'unrecorded', reason: 'notice_cut_short' },
    });
  });

  test('counts from the request itself, however long Asterisk was asked for something before', async () => {
    const asking = someFacts(countingIds(), { sentenceCount: 1, languages: ['fr', 'nl'], asksLanguage: true });
    const set = stage(asking.order);
    let ms = 5_000;
    set.ports.clock.sinceBoot = () => ({ boot: 'this one', ms });
    const session = CallSession.adopt(stateAt('choosing', asking), set.ports);
    sessions.push(session);
    const answer = set.ari.hold('rtp');
    session.handle({ type: 'timeUp', timer: 'choice' });
    await new Promise((resolve) => setImmediate(resolve));
    ms += 4_000;
    answer();
    await eventually(() => set.ari.asked.some((each) => each.startsWith('play ')));
    const { playbackId: first, prompt } =
      session.state.kind === 'announcing' ? session.state.current : (sentence ?? {});
    ms += 0.9 * (prompt?.lengthMs ?? NaN);
    const id = first ?? ('' as PlaybackId);
    session.take({ type: 'playbackStarted', playbackId: id, at: callStart });
    session.take({
      type: 'playbackFinished',
      playbackId: id,
      at: callStart + (prompt?.lengthMs ?? 0),
      outcome: 'done',
    });
    expect(session.state).toMatchObject({ kind: 'ended', outcome: { reason: 'notice_cut_short' } });
  });

  test('lets news be late, the beginning with the end', async () => {
    expect((await played(0.95 * lengthMs)).kind).toBe('confirming');
    expect((await played(60 * lengthMs)).kind).toBe('confirming');
  });

  test('is kept with ours, as they are when the end of the recorder is heard of', async () => {
    const set = stage();
    let at = callStart + 80_000;
    Object.assign(set.ports.clock, { now: () => at, sinceBoot: () => ({ boot: 'this one', ms: at - callStart }) });
    const session = CallSession.adopt(stateAt('closing', facts), set.ports);
    sessions.push(session);
    session.take({ type: 'recorderFinished', name: recorderName(recording), at: callStart + 80_010 });
    at += 60_000;
    await settled(session);
    expect(set.heardEnds).toEqual([{ at: callStart + 80_000, sinceBoot: { boot: 'this one', ms: 80_000 } }]);
  });
});

describe('a pause', () => {
  /** It has begun, and both were told. */
  async function paused() {
    const set = await talking();
    set.session.handle({ type: 'recorderStarted', at: 1 });
    set.session.handle({ type: 'pauseAsked', by: 'operator', at: 100, since: 100, until: asteriskNow + 3_600_000 });
    await settled(set.session);
    await eventually(() => set.session.state.kind === 'talking' && set.session.state.paused?.saying === undefined);

    return set;
  }

  test('that is over lets the recorder go on, also where the catalogue does not take it', async () => {
    const { session, ari, failSaves } = await paused();
    failSaves(() => true);
    session.handle({ type: 'resumeAsked', by: 'operator', at: 200 });
    await eventually(() => ari.asked.includes(`resumeRecorder ${recorderName(recording)}`));
    expect(session.state).not.toHaveProperty('paused');
  });

  test('of a call that has ended leaves no timer behind', async () => {
    const [begun, ended] = [jest.spyOn(globalThis, 'setTimeout'), jest.spyOn(globalThis, 'clearTimeout')];
    const { session } = await paused();
    // By itself it goes after half a minute.
    const index = begun.mock.calls.findIndex(([, ms]) => ms === 30_000);
    expect(index).toBeGreaterThanOrEqual(0);
    for (const event of fromNotice('ended').slice(-2)) session.handle(event);
    await settled(session);
    expect(session.state.kind).toBe('ended');
    expect(ended.mock.calls).toContainEqual([begun.mock.results[index]?.value]);
    begun.mockRestore();
    ended.mockRestore();
  });

  test('that a program asks for where there is nothing to pause is told of in the log', async () => {
    const { session, text } = await started();
    session.take({ type: 'userEvent', at: 5, task: 'pause', channel: caller, call: undefined });
    expect(text()).toContain('pause asked for, nothing to pause');
  });
});
