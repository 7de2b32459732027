/**
 * P1 by enumeration: whatever happens to a call, in whatever order, the recorder is started only after every sentence was
 * heard whole. `decide` is pure and its times are quantised here, so the pairs of (state of the call, what the checker
 * remembers) are finitely many and all of them are visited; a second enumeration visits all sequences without merging
 * anything. What was heard is told by an oracle that looks at the events only, never at the state. Deliberately broken
 * rules at the end show that the checker sees a broken promise.
 */
import { begin, decide } from '../../../src/call/decide.ts';
import type { CallEvent, FallibleStep, Timer } from '../../../src/call/events.ts';
import type { CallState, Effect, Facts, Order, Step } from '../../../src/call/state.ts';
import type { PlaybackId } from '../../../src/core/ids.ts';
import { countingIds, someFacts } from '../../support/calls.ts';

type Decide = typeof decide;
type CallFacts = Facts & { order: Order };

const fallibleSteps: readonly FallibleStep[] = ['save', 'answer', 'prepare', 'play', 'dial', 'startRecorder'];
const timers: readonly Timer[] = ['answer', 'playback', 'dial', 'recorderFinish'];

/** What the events alone say, and which effects were asked for. All of it is plain data. */
type Monitor = {
  /** 0 nothing, 1 ready, 2 answered: only then can a sentence be heard. */
  phase: number;
  /** How many sentences were heard whole, in their order. */
  heard: number;
  /** When the sentence after those began; the latest time that was reported, which is the strictest. */
  startedAt: number | undefined;
  /** A sentence was not heard whole, or events were missed: never again told. */
  spoilt: boolean;
  callerLeft: boolean;
  /** The destination left while they talked: by itself, or transferred to live on elsewhere. */
  destinationLeft: boolean;
  /** Asterisk refused to start it (then it may have started all the same), or it has ended. */
  recorder: 'unknown' | 'refused' | 'ended';
  timer: Timer | undefined;
  asked: {
    save: number;
    prepare: number;
    dial: number;
    startRecorder: number;
    stopRecorder: number;
    returnToDialplan: number;
    hangUpCaller: number;
    hangUpDestination: number;
    destroyBridge: number;
  };
};

const fresh: Monitor = {
  phase: 0,
  heard: 0,
  startedAt: undefined,
  spoilt: false,
  callerLeft: false,
  destinationLeft: false,
  recorder: 'unknown',
  timer: undefined,
  asked: {
    save: 0,
    prepare: 0,
    dial: 0,
    startRecorder: 0,
    stopRecorder: 0,
    returnToDialplan: 0,
    hangUpCaller: 0,
    hangUpDestination: 0,
    destroyBridge: 0,
  },
};

/** The oracle: what one more event tells, seen without the state of the call. */
function witness(monitor: Monitor, event: CallEvent, { order }: CallFacts): Monitor {
  const sentence = order.sentences[monitor.heard];
  const audible = monitor.phase === 2 && !monitor.callerLeft && !monitor.spoilt;
  switch (event.type) {
    case 'ready':
      return monitor.phase === 0 ? { ...monitor, phase: 1 } : monitor;
    case 'callerAnswered':
      return monitor.phase === 1 ? { ...monitor, phase: 2 } : monitor;
    case 'playbackStarted':
      if (!audible || event.playbackId !== sentence?.playbackId) return monitor;
      return { ...monitor, startedAt: Math.max(monitor.startedAt ?? -Infinity, event.at) };
    case 'playbackFinished': {
      if (!audible || event.playbackId !== sentence?.playbackId) return monitor;
      const { startedAt } = monitor;
      const whole =
        event.outcome === 'done' &&
        startedAt !== undefined &&
        (event.at - startedAt) * 100 >= sentence.prompt.lengthMs * 95;
      return whole
        ? { ...monitor, heard: monitor.heard + 1, startedAt: undefined }
        : { ...monitor, spoilt: true, startedAt: undefined };
    }
    case 'callerLeft':
      return monitor.callerLeft ? monitor : { ...monitor, callerLeft: true };
    case 'interrupted':
      return monitor.spoilt || monitor.asked.startRecorder > 0 ? monitor : { ...monitor, spoilt: true };
    case 'recorderFinished':
    case 'recorderFailed':
      return monitor.recorder === 'ended' ? monitor : { ...monitor, recorder: 'ended' };
    case 'recorderStarted':
      return monitor.recorder === 'refused' ? { ...monitor, recorder: 'unknown' } : monitor;
    case 'stepFailed':
      return event.step === 'startRecorder' && monitor.recorder === 'unknown'
        ? { ...monitor, recorder: 'refused' }
        : monitor;
    case 'destinationLeft':
      return monitor.asked.startRecorder > 0 && monitor.asked.hangUpDestination === 0 && !monitor.destinationLeft
        ? { ...monitor, destinationLeft: true }
        : monitor;
    case 'notReady':
    case 'destinationRinging':
    case 'destinationAnswered':
    case 'bridgeGone':
    case 'timeUp':
      return monitor;
  }
}

const isCounted = (type: Effect['type']): type is keyof Monitor['asked'] => type in fresh.asked;

function note(monitor: Monitor, effects: readonly Effect[]): Monitor {
  if (effects.length === 0) return monitor;
  const asked = { ...monitor.asked };
  let { timer } = monitor;
  for (const effect of effects) {
    // Saves may be many; that there was one is enough, and keeps the pairs few.
    if (isCounted(effect.type)) asked[effect.type] = effect.type === 'save' ? 1 : asked[effect.type] + 1;
    if (effect.type === 'startTimer') ({ timer } = effect);
    if (effect.type === 'stopTimer') timer = undefined;
  }

  return { ...monitor, timer, asked };
}

/** The names of the rules that this step breaks. `seen` is the monitor with the event, `after` with the effects too. */
function broken(from: CallState, event: CallEvent, step: Step, seen: Monitor, after: Monitor, facts: CallFacts) {
  const faults: string[] = [];
  const { sentences } = facts.order;
  const { state, effects } = step;
  if (from.kind === 'ended' && (state !== from || effects.length > 0)) faults.push('ended is final');
  let saved = false;
  for (const effect of effects) {
    switch (effect.type) {
      case 'save':
        saved = true;
        break;
      case 'startRecorder': {
        const proof = effect.told.sentences.map((played) => `${played.sentence.playbackId} ${played.verdict}`);
        const wanted = sentences.map((sentence) => `${sentence.playbackId} verified`);
        if (seen.heard < sentences.length || seen.spoilt) faults.push('recorder without a heard notice');
        if (proof.join() !== wanted.join()) faults.push('recorder without the proof of every sentence');
        if (event.type !== 'destinationAnswered') faults.push('recorder before the destination answered');
        if (seen.callerLeft) faults.push('recorder after the caller left');
        break;
      }
      case 'dial':
        if (!saved) faults.push('dialled before it was saved');
        if (seen.heard < sentences.length || seen.spoilt) faults.push('dialled without a heard notice');
        if (seen.callerLeft) faults.push('something is begun after the caller left');
        break;
      case 'play':
      case 'prepare':
      case 'answer':
      case 'returnToDialplan':
        if (seen.callerLeft) faults.push('something is begun after the caller left');
        break;
      case 'checkReadiness':
      case 'ring':
      case 'ringStop':
      case 'stopRecorder':
      case 'tellRecorded':
      case 'hangUpCaller':
      case 'hangUpDestination':
      case 'destroyBridge':
      case 'startTimer':
      case 'stopTimer':
        break;
    }
  }
  if (after.asked.startRecorder > 1) faults.push('recorder started twice');
  if (after.asked.returnToDialplan > 1) faults.push('sent back to the dialplan twice');
  if (state.kind === 'ended' && from.kind !== 'ended') faults.push(...brokenAtTheEnd(state, after));

  return faults;
}

/** What must be true of every call when it has ended. */
function brokenAtTheEnd(state: Extract<CallState, { kind: 'ended' }>, { asked, callerLeft, ...monitor }: Monitor) {
  const faults: string[] = [];
  const { outcome } = state;
  if (asked.prepare > 0 && !monitor.destinationLeft && asked.hangUpDestination !== 1)
    faults.push('the destination is left');
  if (monitor.destinationLeft && asked.hangUpDestination > 0) faults.push('a destination that left is hung up');
  if (asked.prepare > 0 && asked.destroyBridge !== 1) faults.push('the bridge is left');
  if (asked.prepare === 0 && asked.hangUpDestination + asked.destroyBridge > 0)
    faults.push('removes what was not made');
  if (monitor.timer !== undefined) faults.push('a timer is left');
  if (asked.save === 0) faults.push('the end is not saved');
  if (asked.startRecorder > 0 && monitor.recorder === 'unknown' && asked.stopRecorder === 0)
    faults.push('the recorder is left');
  if (asked.startRecorder === 0) {
    const wanted = outcome.result === 'abandoned' ? 0 : 1;
    if (asked.returnToDialplan !== wanted) faults.push('the caller is left in silence');
    if ((outcome.result === 'abandoned') !== callerLeft) faults.push('abandoned means that the caller left');
    if (outcome.result === 'recorded') faults.push('recorded without a recorder');
  } else {
    if (asked.returnToDialplan > 0) faults.push('sent back to the dialplan after talking');
    if (!callerLeft && asked.hangUpCaller !== 1) faults.push('the caller is left in silence');
  }

  return faults;
}

/** In every state but ended the caller's leaving is an exit, and so is the timer that runs. */
function withoutExit(state: CallState, monitor: Monitor, rule: Decide): string[] {
  if (state.kind === 'ended') return [];
  const faults: string[] = [];
  const left = rule(state, { type: 'callerLeft', at: 9_000 }).state.kind;
  const wantsTimer = state.kind !== 'checking' && state.kind !== 'talking';
  if (left !== 'ended' && left !== 'closing') faults.push('no exit by the caller');
  if (wantsTimer !== (monitor.timer !== undefined)) faults.push('a state without its timer');
  if (monitor.timer !== undefined && rule(state, { type: 'timeUp', timer: monitor.timer }).state.kind !== 'ended') {
    faults.push('no exit by the timer');
  }

  return faults;
}

type Times = { starts: readonly number[]; finishes: readonly number[] };

/** Sentences are 1000 ms long: 949 is too short, 950 just long enough. Only differences count, so times may repeat. */
const exactTimes: Times = { starts: [0, 100], finishes: [949, 950, 1_050] };

/** Every event that can be told of a call, fitting or not. */
function everyEvent({ order }: CallFacts, { starts, finishes }: Times): CallEvent[] {
  const playbackIds = [...order.sentences.map((sentence) => sentence.playbackId), 'preavis-another' as PlaybackId];

  return [
    { type: 'ready' },
    { type: 'notReady', reason: 'prompts_missing' },
    { type: 'callerAnswered' },
    ...playbackIds.flatMap((playbackId): CallEvent[] => [
      ...starts.map((at): CallEvent => ({ type: 'playbackStarted', playbackId, at })),
      ...finishes.map((at): CallEvent => ({ type: 'playbackFinished', playbackId, at, outcome: 'done' })),
      { type: 'playbackFinished', playbackId, at: 1_050, outcome: 'failed' },
    ]),
    { type: 'destinationRinging' },
    { type: 'destinationAnswered' },
    { type: 'destinationLeft', at: 5_000, cause: 17 },
    { type: 'destinationLeft', at: undefined, cause: undefined },
    { type: 'recorderStarted', at: 6_000 },
    { type: 'recorderStarted', at: undefined },
    { type: 'recorderFinished', at: 7_000 },
    { type: 'recorderFailed' },
    { type: 'callerLeft', at: 8_000 },
    { type: 'callerLeft', at: undefined },
    { type: 'interrupted' },
    { type: 'bridgeGone' },
    ...fallibleSteps.map((step): CallEvent => ({ type: 'stepFailed', step })),
    ...timers.map((timer): CallEvent => ({ type: 'timeUp', timer })),
  ];
}

type Found = { rule: string; path: string };
type Exploration = { visited: number; steps: number; states: ReadonlySet<CallState['kind']>; found: readonly Found[] };

/** Leaves out what never changes during a call. */
const variable = (key: string, value: unknown): unknown => (key === 'facts' || key === 'prompt' ? undefined : value);

type Node = { state: CallState; monitor: Monitor; before: Node | undefined; event: CallEvent | undefined };

function pathTo(node: Node | undefined): string {
  return node?.event === undefined ? '' : `${pathTo(node.before)} ${JSON.stringify(node.event)}`;
}

/** Visits every pair of state and monitor that can be reached, breadth first; stops early when `mostFound` are found. */
function closure(rule: Decide, facts: CallFacts, times: Times, mostFound = 1): Exploration {
  const events = everyEvent(facts, times);
  const start = begin(facts);
  const first: Node = {
    state: start.state,
    monitor: note(fresh, start.effects),
    before: undefined,
    event: undefined,
  };
  const known = new Set<string>();
  const queue: Node[] = [];
  const states = new Set<CallState['kind']>();
  const found: Found[] = [];
  let steps = 0;
  const visit = (node: Node): void => {
    const key = JSON.stringify([node.state, node.monitor], variable);
    if (known.has(key)) return;
    known.add(key);
    queue.push(node);
    states.add(node.state.kind);
    for (const fault of withoutExit(node.state, node.monitor, rule)) found.push({ rule: fault, path: pathTo(node) });
  };
  visit(first);
  // The queue grows while it is walked.
  for (const node of queue) {
    if (found.length >= mostFound) break;
    for (const event of events) {
      steps += 1;
      const step = rule(node.state, event);
      const seen = witness(node.monitor, event, facts);
      const monitor = note(seen, step.effects);
      const next: Node = { state: step.state, monitor, before: node, event };
      for (const fault of broken(node.state, event, step, seen, monitor, facts)) {
        found.push({ rule: fault, path: pathTo(next) });
      }
      // What an ended call still hears changes nothing more.
      if (node.state.kind === 'ended' && step.state === node.state) continue;
      if (step.state !== node.state || monitor !== node.monitor) visit(next);
    }
  }

  return { visited: known.size, steps, states, found };
}

/** Every sequence of at most `length` of these events, none merged with another; an ended call ends its sequence. */
function sequences(facts: CallFacts, events: readonly CallEvent[], length: number, before: readonly CallEvent[] = []) {
  const found: Found[] = [];
  const states = new Set<CallState['kind']>();
  let visited = 0;
  const path: CallEvent[] = [];
  const advance = (state: CallState, monitor: Monitor, event: CallEvent): [CallState, Monitor] => {
    const step = decide(state, event);
    const seen = witness(monitor, event, facts);
    const after = note(seen, step.effects);
    for (const rule of broken(state, event, step, seen, after, facts)) {
      found.push({ rule, path: JSON.stringify([...before, ...path, event]) });
    }

    return [step.state, after];
  };
  const extend = (state: CallState, monitor: Monitor, left: number): void => {
    visited += 1;
    states.add(state.kind);
    if (left === 0 || state.kind === 'ended') return;
    for (const event of events) {
      const [nextState, nextMonitor] = advance(state, monitor, event);
      path.push(event);
      extend(nextState, nextMonitor, left - 1);
      path.pop();
    }
  };
  const start = begin(facts);
  let [state, monitor]: [CallState, Monitor] = [start.state, note(fresh, start.effects)];
  for (const event of before) [state, monitor] = advance(state, monitor, event);
  extend(state, monitor, length);

  return { visited, states, found };
}

const factsWith = (sentenceCount: number): CallFacts => someFacts(countingIds(), { sentenceCount });
const everyState = ['announcing', 'answering', 'checking', 'closing', 'dialling', 'ended', 'talking'];

describe('every reachable state', () => {
  test.each([
    { sentences: 1, least: 700 },
    { sentences: 2, least: 2_000 },
    { sentences: 4, least: 19_000 },
  ])(
    'of a notice of $sentences sentences keeps every rule, over at least $least pairs of state and history',
    ({ sentences, least }) => {
      const explored = closure(decide, factsWith(sentences), exactTimes);
      expect(explored.found).toEqual([]);
      expect(explored.visited).toBeGreaterThan(least);
      expect([...explored.states].sort()).toEqual(everyState);
    },
  );
});

describe('every sequence, none merged with another', () => {
  const facts = factsWith(1);
  const [sentence] = facts.order.sentences;
  const playbackId = sentence?.playbackId ?? ('' as PlaybackId);
  const another = 'preavis-another' as PlaybackId;

  test('of six events from the arrival on, more than 10 million, keeps every rule', () => {
    const events: CallEvent[] = [
      { type: 'ready' },
      { type: 'notReady', reason: 'spool_full' },
      { type: 'callerAnswered' },
      { type: 'playbackStarted', playbackId, at: 0 },
      { type: 'playbackStarted', playbackId, at: 100 },
      { type: 'playbackStarted', playbackId: another, at: 0 },
      { type: 'playbackFinished', playbackId, at: 949, outcome: 'done' },
      { type: 'playbackFinished', playbackId, at: 950, outcome: 'done' },
      { type: 'playbackFinished', playbackId, at: 950, outcome: 'failed' },
      { type: 'playbackFinished', playbackId: another, at: 950, outcome: 'done' },
      { type: 'destinationAnswered' },
      { type: 'destinationLeft', at: 5_000, cause: 17 },
      { type: 'recorderStarted', at: 6_000 },
      { type: 'callerLeft', at: 8_000 },
      { type: 'interrupted' },
      { type: 'stepFailed', step: 'play' },
      { type: 'timeUp', timer: 'playback' },
    ];
    const explored = sequences(facts, events, 6);
    expect(explored.found).toEqual([]);
    expect(explored.visited).toBeGreaterThan(10_000_000);
    expect([...explored.states].sort()).toEqual(everyState);
  });

  test('of four events from the end of the notice on, more than 350,000, keeps every rule', () => {
    const told: CallEvent[] = [
      { type: 'ready' },
      { type: 'callerAnswered' },
      { type: 'playbackStarted', playbackId, at: 0 },
      { type: 'playbackFinished', playbackId, at: 950, outcome: 'done' },
    ];
    const events = everyEvent(facts, { starts: [0], finishes: [950] });
    const explored = sequences(facts, events, 4, told);
    expect(explored.found).toEqual([]);
    expect(explored.visited).toBeGreaterThan(350_000);
    expect([...explored.states].sort()).toEqual(['closing', 'dialling', 'ended', 'talking']);
  });
});

/** `decide`, but with the event or the step changed on purpose. */
const changed =
  (change: {
    event?: (state: CallState, event: CallEvent) => CallEvent;
    step?: (state: CallState, step: Step) => Step;
  }) =>
  (state: CallState, event: CallEvent): Step => {
    const step = decide(state, change.event?.(state, event) ?? event);

    return change.step?.(state, step) ?? step;
  };

const without = (step: Step, ...types: Effect['type'][]): Step => ({
  ...step,
  effects: step.effects.filter((effect) => !types.includes(effect.type)),
});

const mutations: { what: string; rule: Decide; finds: string }[] = [
  {
    what: 'takes a sentence that was cut short as heard',
    finds: 'dialled without a heard notice',
    rule: changed({
      event: (_, event) => (event.type === 'playbackFinished' ? { ...event, at: event.at + 1 } : event),
    }),
  },
  {
    what: 'takes a failed playback as heard',
    finds: 'dialled without a heard notice',
    rule: changed({ event: (_, event) => (event.type === 'playbackFinished' ? { ...event, outcome: 'done' } : event) }),
  },
  {
    what: 'takes the end of any playback as that of the sentence',
    finds: 'dialled without a heard notice',
    rule: changed({
      event: (state, event) =>
        event.type === 'playbackFinished' && state.kind === 'announcing'
          ? { ...event, playbackId: state.current.playbackId }
          : event,
    }),
  },
  {
    what: 'does without the start of a playback',
    finds: 'dialled without a heard notice',
    rule: (state, event) =>
      decide(
        state.kind === 'announcing' && event.type === 'playbackFinished'
          ? { ...state, currentStartedAt: state.currentStartedAt ?? 0 }
          : state,
        event,
      ),
  },
  {
    what: 'believes the earlier of two reported starts',
    finds: 'dialled without a heard notice',
    rule: (state, event) =>
      decide(
        state,
        state.kind === 'announcing' && event.type === 'playbackStarted'
          ? { ...event, at: Math.min(event.at, state.currentStartedAt ?? event.at) }
          : event,
      ),
  },
  {
    what: 'leaves the last sentence out',
    finds: 'dialled without a heard notice',
    rule: (state, event) =>
      decide(state.kind === 'announcing' && state.played.length === 0 ? { ...state, waiting: [] } : state, event),
  },
  {
    what: 'starts the recorder when it dials',
    finds: 'recorder before the destination answered',
    rule: changed({
      step: (state, step) =>
        state.kind === 'announcing' && step.state.kind === 'dialling'
          ? {
              ...step,
              effects: [...step.effects, { type: 'startRecorder', order: factsWith(2).order, told: step.state.told }],
            }
          : step,
    }),
  },
  {
    what: 'starts the recorder again when the destination answers again',
    finds: 'recorder started twice',
    rule: (state, event) =>
      state.kind === 'talking' && event.type === 'destinationAnswered'
        ? { state, effects: [{ type: 'startRecorder', order: factsWith(2).order, told: state.told }] }
        : decide(state, event),
  },
  {
    what: 'goes on when events were missed during the notice',
    finds: 'dialled without a heard notice',
    rule: (state, event) => (event.type === 'interrupted' ? { state, effects: [] } : decide(state, event)),
  },
  {
    what: 'does not hear that the caller left while the destination rings',
    finds: 'no exit by the caller',
    rule: (state, event) =>
      state.kind === 'dialling' && event.type === 'callerLeft' ? { state, effects: [] } : decide(state, event),
  },
  {
    what: 'leaves the destination ringing',
    finds: 'the destination is left',
    rule: changed({ step: (_, step) => without(step, 'hangUpDestination') }),
  },
  {
    what: 'leaves the bridge',
    finds: 'the bridge is left',
    rule: changed({ step: (state, step) => (state.kind === 'talking' ? without(step, 'destroyBridge') : step) }),
  },
  {
    what: 'keeps the caller when the notice failed',
    finds: 'the caller is left in silence',
    rule: changed({ step: (state, step) => (state.kind === 'announcing' ? without(step, 'returnToDialplan') : step) }),
  },
  {
    what: 'keeps the caller when the destination hung up',
    finds: 'the caller is left in silence',
    rule: changed({ step: (_, step) => without(step, 'hangUpCaller') }),
  },
  {
    what: 'sends the caller back twice',
    finds: 'sent back to the dialplan twice',
    rule: changed({
      step: (_, step) => ({
        ...step,
        effects: [...step.effects, ...step.effects.filter((effect) => effect.type === 'returnToDialplan')],
      }),
    }),
  },
  {
    what: 'dials before it saves',
    finds: 'dialled before it was saved',
    rule: changed({
      step: (_, step) => ({
        ...step,
        effects: step.effects.some((effect) => effect.type === 'dial') ? [...step.effects].reverse() : step.effects,
      }),
    }),
  },
  {
    what: 'leaves the recorder running',
    finds: 'the recorder is left',
    rule: changed({ step: (_, step) => without(step, 'stopRecorder') }),
  },
  {
    what: 'waits for ever for a playback',
    finds: 'no exit by the timer',
    rule: (state, event) => (event.type === 'timeUp' ? { state, effects: [] } : decide(state, event)),
  },
  {
    what: 'forgets to start a timer',
    finds: 'a state without its timer',
    rule: changed({ step: (_, step) => without(step, 'startTimer') }),
  },
  {
    what: 'reacts after the end',
    finds: 'ended is final',
    rule: (state, event) =>
      state.kind === 'ended' && event.type === 'destinationAnswered'
        ? { state, effects: [{ type: 'hangUpCaller' }] }
        : decide(state, event),
  },
];

describe('the checker finds a rule that', () => {
  test.each(mutations)('$what', ({ rule, finds }) => {
    const explored = closure(rule, factsWith(2), exactTimes, 200);
    expect(explored.found.map((fault) => fault.rule)).toContain(finds);
  });
});
