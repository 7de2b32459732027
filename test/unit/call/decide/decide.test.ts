import { decide, refuse } from '../../../../src/call/decide/decide.ts';
import type { CallEvent, FallibleStep, Timer } from '../../../../src/call/decide/events.ts';
import type { UnrecordedReason } from '../../../../src/call/decide/unrecordedReasons.ts';
import type { CallState, DialStatus } from '../../../../src/call/decide/state.ts';
import {
  beginning,
  callStart,
  course,
  countingIds,
  eventsTo,
  someFacts,
  stateAt,
  typesOf,
  stranger,
} from '../../../support/call/calls.ts';

const facts = someFacts(countingIds(), { sentenceCount: 2 });
const { order } = facts;
const [first, second] = order.script.sentences;

/** What one event does in a state that a well-going call has reached. */
const when = (kind: CallState['kind'], event: CallEvent, given: CallState = stateAt(kind, facts)) => {
  const { state, effects } = decide(given, event);

  return { state, effects, types: typesOf(effects), outcome: state.kind === 'ended' ? state.outcome : undefined };
};

describe('a call that goes well', () => {
  test('is saved and planned before anything is audible', () => {
    expect(beginning(facts)).toEqual({
      state: { kind: 'planning', facts: { ...facts, order: undefined } },
      effects: [{ type: 'save' }, { type: 'plan' }],
    });
  });

  test('is looked at once its order is known', () => {
    expect(when('planning', { type: 'planned', order })).toMatchObject({
      state: { kind: 'checking', facts },
      effects: [{ type: 'checkReadiness' }],
    });
  });

  test('is answered once it is ready, within ten seconds', () => {
    expect(when('checking', { type: 'ready' }).effects).toEqual([
      { type: 'startTimer', timer: 'answer', ms: 10_000 },
      { type: 'answer' },
    ]);
  });

  test('plays the first sentence as soon as it is answered, and allows it five seconds more than its length', () => {
    expect(when('answering', { type: 'callerAnswered' }).effects).toEqual([
      { type: 'startTimer', timer: 'playback', ms: 6_000 },
      { type: 'play', sentence: first },
    ]);
  });

  test('prepares bridge and destination while the last sentence plays, not earlier', () => {
    const { effects } = course(facts, eventsTo('dialling', facts));
    const types = typesOf(effects);
    expect(types.filter((type) => type === 'prepare')).toHaveLength(1);
    expect(types.indexOf('prepare')).toBe(types.lastIndexOf('play') + 1);
  });

  test('saves the proof, then dials, and gives Asterisk five seconds beyond the dialling time', () => {
    const { state, effects } = course(facts, eventsTo('dialling', facts));
    expect(state).toMatchObject({ kind: 'dialling', ringing: false, told: { sentences: [{}, {}] } });
    expect(effects.slice(-3)).toEqual([
      { type: 'save' },
      { type: 'dial', order },
      { type: 'startTimer', timer: 'dial', ms: 35_000 },
    ]);
  });

  test('lets the caller hear ringing once, and no longer when the destination answers', () => {
    const ringing = when('dialling', { type: 'destinationRinging' });
    expect(ringing.effects).toEqual([{ type: 'ring' }]);
    expect(when('dialling', { type: 'destinationRinging' }, ringing.state).effects).toEqual([]);
    expect(when('dialling', { type: 'destinationAnswered', at: undefined }, ringing.state).types).toEqual([
      'startRecorder',
      'stopTimer',
      'ringStop',
    ]);
  });

  test('asks for the recorder before anything else when the destination answers, with the proof in hand', () => {
    const { state, effects } = when('dialling', { type: 'destinationAnswered', at: undefined });
    expect(effects[0]).toMatchObject({ type: 'startRecorder', order, told: { finishedAt: callStart + 3_020 } });
    expect(state).toMatchObject({ kind: 'talking', recorder: { kind: 'requested' } });
  });

  test('saves that the recorder runs, with the time of Asterisk, and tells the dialplan', () => {
    const talking = course(facts, [
      ...eventsTo('dialling', facts),
      { type: 'destinationAnswered', at: undefined },
    ]).state;
    expect(when('talking', { type: 'recorderStarted', at: 42 }, talking)).toMatchObject({
      state: { recorder: { kind: 'running', startedAt: 42 } },
      types: ['save', 'tellRecorded'],
    });
  });

  test.each<[string, CallEvent, string[]]>([
    ['the caller', { type: 'callerLeft', at: 1 }, ['hangUpDestination']],
    ['the destination', { type: 'destinationLeft', at: 1, cause: 16 }, ['hangUpCaller']],
    ['the bridge', { type: 'bridgeGone', alone: ['caller', 'destination'] }, ['hangUpCaller', 'hangUpDestination']],
  ])('stops the recorder first when %s leaves, then hangs up who stays and removes the bridge', (_, event, hangUp) => {
    expect(when('talking', event).types).toEqual(['stopRecorder', ...hangUp, 'destroyBridge', 'startTimer']);
  });

  test('ends as recorded when the recorder reports its end', () => {
    expect(when('closing', { type: 'recorderFinished', at: 77 })).toMatchObject({
      state: { recorder: { kind: 'finished', startedAt: callStart + 20_000, finishedAt: 77 } },
      outcome: { result: 'recorded' },
      types: ['stopTimer', 'save'],
    });
  });

  test('ends as recorded when the recorder never reports its end: the file is the truth', () => {
    expect(when('closing', { type: 'timeUp', timer: 'recorderFinish' })).toMatchObject({
      state: { recorder: { kind: 'finished', finishedAt: undefined } },
      outcome: { result: 'recorded' },
    });
  });
});

describe('a destination that does not answer', () => {
  test.each<[number, DialStatus]>([
    [17, 'BUSY'],
    [34, 'CONGESTION'],
    [16, 'NOANSWER'],
    [18, 'CHANUNAVAIL'],
    [19, 'NOANSWER'],
    [0, 'CHANUNAVAIL'],
    [1, 'CHANUNAVAIL'],
    [3, 'CHANUNAVAIL'],
    [20, 'CHANUNAVAIL'],
    [21, 'CHANUNAVAIL'],
    [27, 'CHANUNAVAIL'],
    [127, 'CHANUNAVAIL'],
  ])('with hang-up cause %i gives the dialplan %s', (cause, dialStatus) => {
    const step = when('dialling', { type: 'destinationLeft', at: 5, cause });
    expect(step.outcome).toEqual({ result: 'notConnected', dialStatus });
    expect(step.types).toEqual(['stopTimer', 'returnToDialplan', 'hangUpDestination', 'destroyBridge', 'save']);
  });

  test('is waited for when it only left the application without being hung up', () => {
    const state = stateAt('dialling', facts);
    expect(decide(state, { type: 'destinationLeft', at: 5, cause: undefined })).toEqual({ state, effects: [] });
  });

  test('within the dialling time gives NOANSWER', () => {
    expect(when('dialling', { type: 'timeUp', timer: 'dial' }).outcome).toEqual({
      result: 'notConnected',
      dialStatus: 'NOANSWER',
    });
  });
});

describe('a caller whom the dialplan has sent on by itself', () => {
  test.each(['planning', 'checking', 'answering', 'announcing', 'confirming', 'dialling'] as const)(
    'while %s is unrecorded, is not sent back again, and nothing is left',
    (kind) => {
      const { outcome, types } = when(kind, { type: 'callerSentOn', at: 9 });
      expect(outcome).toEqual({ result: 'unrecorded', reason: 'sent_on' });
      expect(types).not.toContain('returnToDialplan');
      expect(types.includes('destroyBridge')).toBe(['confirming', 'dialling'].includes(kind));
    },
  );

  test('while they talk has left', () => {
    expect(when('talking', { type: 'callerSentOn', at: 9 }).types).toContain('hangUpDestination');
  });
});

describe('a call that cannot be announced', () => {
  test.each<[CallState['kind'], CallEvent, UnrecordedReason]>([
    ['planning', { type: 'notReady', reason: 'no_language' }, 'no_language'],
    ['planning', { type: 'stepFailed', step: 'save' }, 'catalogue_unusable'],
    ['planning', { type: 'stepFailed', step: 'plan' }, 'planning_failed'],
    ['checking', { type: 'notReady', reason: 'prompts_missing' }, 'prompts_missing'],
    ['checking', { type: 'notReady', reason: 'spool_full' }, 'spool_full'],
    ['answering', { type: 'stepFailed', step: 'answer' }, 'answer_failed'],
    ['answering', { type: 'timeUp', timer: 'answer' }, 'answer_failed'],
    ['announcing', { type: 'stepFailed', step: 'play' }, 'notice_failed'],
    ['announcing', { type: 'timeUp', timer: 'playback' }, 'notice_timeout'],
    ['announcing', { type: 'callerHeld', at: 4_000 }, 'notice_on_hold'],
    ['announcing', { type: 'eventsMissed' }, 'interrupted'],
    ['answering', { type: 'noticeDenied', why: 'notice_on_hold' }, 'notice_on_hold'],
    ['confirming', { type: 'noticeDenied', why: 'notice_on_hold' }, 'notice_on_hold'],
    ['confirming', { type: 'noticeDenied', why: 'notice_not_received' }, 'notice_not_received'],
    ['confirming', { type: 'callerHeld', at: 4_000 }, 'notice_on_hold'],
    ['confirming', { type: 'eventsMissed' }, 'interrupted'],
    ['confirming', { type: 'interrupted' }, 'interrupted'],
    ['confirming', { type: 'stepFailed', step: 'confirmNotice' }, 'notice_failed'],
    ['confirming', { type: 'timeUp', timer: 'confirmation' }, 'notice_timeout'],
    ['confirming', { type: 'thirdPartyJoined', channel: stranger }, 'untold_party'],
    ['confirming', { type: 'bridgeGone', alone: ['caller', 'destination'] }, 'prepare_failed'],
    ['dialling', { type: 'stepFailed', step: 'save' }, 'catalogue_unusable'],
    ['dialling', { type: 'stepFailed', step: 'prepare' }, 'prepare_failed'],
    ['dialling', { type: 'stepFailed', step: 'dial' }, 'dial_failed'],
    ['dialling', { type: 'bridgeGone', alone: ['caller', 'destination'] }, 'dial_failed'],
    ['planning', { type: 'interrupted' }, 'interrupted'],
    ['checking', { type: 'interrupted' }, 'interrupted'],
    ['answering', { type: 'interrupted' }, 'interrupted'],
    ['announcing', { type: 'interrupted' }, 'interrupted'],
    ['dialling', { type: 'interrupted' }, 'interrupted'],
  ])('while %s, by %j, goes back to the dialplan as %s', (kind, event, reason) => {
    const { effects, outcome } = when(kind, event);
    expect(outcome).toEqual({ result: 'unrecorded', reason });
    expect(effects).toContainEqual({ type: 'returnToDialplan', outcome });
  });

  const inLast = course(facts, [...eventsTo('dialling', facts).slice(0, -2)]).state;

  test.each<[string, CallEvent]>([
    ['bridge or channel cannot be made', { type: 'stepFailed', step: 'prepare' }],
    ['the destination is gone', { type: 'destinationLeft', at: 1, cause: 16 }],
    ['the bridge is gone', { type: 'bridgeGone', alone: ['caller', 'destination'] }],
  ])('during the last sentence, because %s, removes what was made', (_, event) => {
    expect(when('announcing', event, inLast)).toMatchObject({
      outcome: { result: 'unrecorded', reason: 'prepare_failed' },
      types: ['stopTimer', 'returnToDialplan', 'hangUpDestination', 'destroyBridge', 'save'],
    });
  });

  test.each<[string, number, 'done' | 'failed', UnrecordedReason]>([
    ['failed', 1_000, 'failed', 'notice_failed'],
    ['was cut short', 949, 'done', 'notice_cut_short'],
  ])('because a sentence %s keeps the verdict of each sentence', (_, length, result, reason) => {
    if (second === undefined || inLast.kind !== 'announcing') throw new Error('the notice has two sentences');
    const at = (inLast.currentStartedAt ?? 0) + length;
    const { state } = when(
      'announcing',
      { type: 'playbackFinished', playbackId: second.playbackId, at, outcome: result },
      inLast,
    );
    expect(state).toMatchObject({
      outcome: { result: 'unrecorded', reason },
      played: [{ verdict: 'verified' }, { verdict: reason, finishedAt: at }],
    });
  });

  test('because the caller could not hear it has that as the verdict of the last sentence', () => {
    const { state } = when('confirming', { type: 'noticeDenied', why: 'notice_not_received' });
    expect(state).toMatchObject({ played: [{ verdict: 'verified' }, { verdict: 'notice_not_received' }] });
  });

  test('was refused at once: it goes back to the dialplan with the reason, and is saved', () => {
    const outcome = { result: 'unrecorded', reason: 'shutting_down' };
    expect(refuse(facts, 'shutting_down')).toMatchObject({
      state: { kind: 'ended', outcome, played: [] },
      effects: [{ type: 'stopTimer' }, { type: 'returnToDialplan', outcome }, { type: 'save' }],
    });
  });
});

describe('a caller who leaves', () => {
  test.each<[CallState['kind'], string[]]>([
    ['planning', ['stopTimer', 'save']],
    ['checking', ['stopTimer', 'save']],
    ['answering', ['stopTimer', 'save']],
    ['announcing', ['stopTimer', 'save']],
    ['dialling', ['stopTimer', 'hangUpDestination', 'destroyBridge', 'save']],
  ])('while %s has abandoned the call', (kind, types) => {
    expect(when(kind, { type: 'callerLeft', at: 99 })).toMatchObject({
      outcome: { result: 'abandoned' },
      state: { endedAt: 99 },
      types,
    });
  });
});

describe('a recorder that does not run', () => {
  const requested = course(facts, [
    ...eventsTo('dialling', facts),
    { type: 'destinationAnswered', at: undefined },
  ]).state;

  test('lets the call go on', () => {
    const { state, effects } = decide(requested, { type: 'stepFailed', step: 'startRecorder' });
    expect(state).toMatchObject({ kind: 'talking', recorder: { kind: 'failed' } });
    expect(typesOf(effects)).toEqual(['save']);
  });

  test('makes an unrecorded call, and is not stopped again', () => {
    const failed = decide(requested, { type: 'stepFailed', step: 'startRecorder' }).state;
    expect(when('talking', { type: 'callerLeft', at: 1 }, failed)).toMatchObject({
      outcome: { result: 'unrecorded', reason: 'recorder_failed' },
      types: ['hangUpDestination', 'destroyBridge', 'stopTimer', 'save'],
    });
  });

  test('but was started all the same, as its event says, is a recording', () => {
    const failed = decide(requested, { type: 'stepFailed', step: 'startRecorder' }).state;
    expect(when('talking', { type: 'recorderStarted', at: 8 }, failed).state).toMatchObject({
      recorder: { kind: 'running', startedAt: 8 },
    });
  });

  test('after some time, by a failure of Asterisk, leaves a recording of what was said until then', () => {
    expect(when('talking', { type: 'recorderFailed' }).state).toMatchObject({
      recorder: { kind: 'finished', finishedAt: undefined },
    });
  });

  test('while a party is not heard is stopped: the talk goes on, and what was said before stays', () => {
    const talking = stateAt('talking', facts);
    const unheard: CallEvent = { type: 'partyUnheard' };
    expect(decide(talking, unheard)).toEqual({
      state: talking,
      effects: [{ type: 'stopRecorder', recording: facts.order.recording }],
    });
    const stopped = decide(talking, { type: 'recorderFinished', at: 9 }).state;
    expect(decide(stopped, unheard)).toEqual({ state: stopped, effects: [] });
  });

  test('and never started before the caller left makes an unrecorded call', () => {
    const closing = decide(requested, { type: 'callerLeft', at: 1 }).state;
    expect(when('closing', { type: 'timeUp', timer: 'recorderFinish' }, closing).outcome).toEqual({
      result: 'unrecorded',
      reason: 'recorder_failed',
    });
  });
});

describe('what does not concern a state', () => {
  const ignored: [CallState['kind'], FallibleStep[], Timer[]][] = [
    ['planning', ['answer', 'prepare', 'play', 'dial', 'startRecorder'], ['answer', 'playback', 'choice', 'consent']],
    [
      'checking',
      ['save', 'plan', 'answer', 'prepare', 'play', 'dial', 'startRecorder'],
      ['answer', 'playback', 'dial'],
    ],
    ['answering', ['save', 'prepare', 'play', 'dial', 'startRecorder'], ['playback', 'dial', 'recorderFinish']],
    ['announcing', ['save', 'answer', 'dial', 'startRecorder'], ['answer', 'dial', 'recorderFinish']],
    ['dialling', ['answer', 'play', 'startRecorder'], ['answer', 'playback', 'recorderFinish']],
    ['talking', ['save', 'answer', 'prepare', 'play', 'dial'], ['answer', 'playback', 'dial', 'recorderFinish']],
    ['closing', ['save', 'answer', 'prepare', 'play', 'dial'], ['answer', 'playback', 'dial']],
  ];

  test.each(ignored)('while %s, failures of other steps and other timers, changes nothing', (kind, steps, timers) => {
    const state = stateAt(kind, facts);
    const events: CallEvent[] = [
      ...steps.map((step): CallEvent => ({ type: 'stepFailed', step })),
      ...timers.map((timer): CallEvent => ({ type: 'timeUp', timer })),
    ];
    for (const event of events) expect(decide(state, event)).toEqual({ state, effects: [] });
  });
});
