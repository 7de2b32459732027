/**
 * P1 and consent by enumeration: whatever happens to a call, in whatever order, the recorder is started only after every
 * sentence was heard whole, never after a refusal, never without a yes where one is asked for, never for a call that is
 * left out, never with somebody in the bridge who was not told. `decide` is pure and its times are quantised here, so the
 * pairs of (state of the call, what the checker remembers) are finitely many and all of them are visited; a second
 * enumeration visits all sequences without merging anything. What was heard and which keys were pressed is told by an
 * oracle that looks at the events only, never at the state. Deliberately broken rules at the end show that the checker
 * sees a broken promise.
 */
import { decide } from '../../../src/call/decide.ts';
import type { CallEvent, FallibleStep, Timer } from '../../../src/call/events.ts';
import type { CallState, Effect, Facts, Order, Script, Step } from '../../../src/call/state.ts';
import type { ChannelId, PlaybackId } from '../../../src/core/ids.ts';
import { beginning, countingIds, keys, someFacts } from '../../support/calls.ts';

type Decide = typeof decide;
type CallFacts = Facts & { order: Order };

const fallibleSteps: readonly FallibleStep[] = ['save', 'plan', 'answer', 'prepare', 'play', 'dial', 'startRecorder'];
const timers: readonly Timer[] = ['answer', 'playback', 'choice', 'consent', 'dial', 'recorderFinish'];

/** What the events alone say, and which effects were asked for. All of it is plain data. */
type Monitor = {
  /** 0 nothing, 1 planned, 2 ready, 3 answered: only then can a sentence be heard or a key be pressed. */
  phase: number;
  /** Of the languages that are offered: `offered` while a key may choose one, then which script is said. */
  script: 'offered' | 'default' | number;
  /** How many sentences of the script were heard whole, in their order. */
  heard: number;
  /** When the sentence after those began; the latest time that was reported, which is the strictest. */
  startedAt: number | undefined;
  /** A yes spares the questions behind it: so many sentences are to be heard. */
  enough: number | undefined;
  /** A sentence was not heard whole, or events were missed: never again told. */
  spoilt: boolean;
  /** A valid key, or the feature code while they talk. */
  refused: 'no' | 'before' | 'talking';
  /** Asterisk's time of the answer. */
  answeredAt: number | undefined;
  /** The last key since the destination is dialled. */
  lastKey: string;
  /** Somebody who was not told is in the bridge. */
  stranger: boolean;
  /** Whose channel took the place of the caller's or the destination's while they talked. */
  replaced: { caller?: ChannelId; destination?: ChannelId };
  callerLeft: boolean;
  /** Keys were missed while the caller could still refuse. */
  deaf: boolean;
  /** They are connected. */
  talks: boolean;
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
    discardRecorder: number;
    returnToDialplan: number;
    hangUpCaller: number;
    hangUpDestination: number;
    destroyBridge: number;
  };
};

const fresh: Monitor = {
  phase: 0,
  script: 'offered',
  heard: 0,
  startedAt: undefined,
  enough: undefined,
  spoilt: false,
  refused: 'no',
  answeredAt: undefined,
  lastKey: '',
  stranger: false,
  replaced: {},
  callerLeft: false,
  deaf: false,
  talks: false,
  destinationLeft: false,
  recorder: 'unknown',
  timer: undefined,
  asked: {
    save: 0,
    prepare: 0,
    dial: 0,
    startRecorder: 0,
    stopRecorder: 0,
    discardRecorder: 0,
    returnToDialplan: 0,
    hangUpCaller: 0,
    hangUpDestination: 0,
    destroyBridge: 0,
  },
};

/** The script that is said, as far as the events tell. */
function scriptOf({ order }: CallFacts, { script }: Pick<Monitor, 'script'>): Script {
  return (typeof script === 'number' ? order.menu?.options[script]?.script : undefined) ?? order.script;
}

const isQuestion = (script: Script, index: number): boolean => script.sentences[index]?.prompt.kind === 'optIn';

function witnessKey(monitor: Monitor, { digit, at }: { digit: string; at: number }, facts: CallFacts): Monitor {
  const { asked, callerLeft, phase, spoilt, refused } = monitor;
  if (phase < 3 || callerLeft) return monitor;
  const script = scriptOf(facts, monitor);
  const { consent } = script;
  if (monitor.script === 'offered') {
    const option = facts.order.menu?.options.findIndex((each) => each.digit === digit) ?? -1;
    if (option >= 0) return { ...monitor, script: option };
  }
  if (consent.mode === 'announce') return monitor;
  if (monitor.talks) {
    if (refused !== 'no' || asked.destroyBridge > 0) return monitor;
    // Let go in the first three seconds, the key of before was meant.
    const late = digit === keys.refuse && monitor.answeredAt !== undefined && at - monitor.answeredAt <= 3_000;
    if (late || monitor.lastKey + digit === keys.featureCode) return { ...monitor, refused: 'talking', lastKey: '' };
    return monitor.lastKey === digit ? monitor : { ...monitor, lastKey: digit };
  }
  if (spoilt || refused !== 'no') return monitor;
  if (digit === keys.refuse) return { ...monitor, refused: 'before' };
  if (asked.dial > 0 && asked.destroyBridge === 0) {
    return monitor.lastKey === digit ? monitor : { ...monitor, lastKey: digit };
  }
  if (consent.mode !== 'optIn' || digit !== keys.accept || monitor.enough !== undefined) return monitor;
  const { heard, startedAt } = monitor;
  const begun = isQuestion(script, heard) && startedAt !== undefined;
  if (!begun && !isQuestion(script, heard - 1)) return monitor;

  return { ...monitor, enough: Math.min(heard + 1, script.sentences.length) };
}

/** How many sentences of the script must be heard whole. */
const wantedOf = (monitor: Monitor, facts: CallFacts): number =>
  monitor.enough ?? scriptOf(facts, monitor).sentences.length;

/** The oracle: what one more event tells, seen without the state of the call. */
function witness(monitor: Monitor, event: CallEvent, facts: CallFacts): Monitor {
  const sentence = scriptOf(facts, monitor).sentences[monitor.heard];
  const audible =
    monitor.phase === 3 &&
    monitor.script !== 'offered' &&
    monitor.heard < wantedOf(monitor, facts) &&
    monitor.refused === 'no' &&
    !monitor.callerLeft &&
    !monitor.spoilt;
  switch (event.type) {
    case 'planned':
      return monitor.phase === 0 ? { ...monitor, phase: 1 } : monitor;
    case 'ready':
      return monitor.phase === 1 ? { ...monitor, phase: 2 } : monitor;
    case 'callerAnswered':
      if (monitor.phase !== 2) return monitor;
      return { ...monitor, phase: 3, script: facts.order.menu === undefined ? 'default' : 'offered' };
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
    case 'digit':
      return witnessKey(monitor, event, facts);
    case 'callerHeld':
      // Nobody tells when they are back: from before the answer on, until the last sentence was heard.
      return monitor.heard < wantedOf(monitor, facts) &&
        monitor.refused === 'no' &&
        !monitor.callerLeft &&
        !monitor.spoilt
        ? { ...monitor, spoilt: true }
        : monitor;
    case 'strangerJoined':
      return monitor.asked.prepare > 0 && monitor.asked.destroyBridge === 0 && !monitor.stranger
        ? { ...monitor, stranger: true }
        : monitor;
    case 'partyReplaced':
      return monitor.talks && monitor.asked.destroyBridge === 0
        ? { ...monitor, stranger: true, replaced: { ...monitor.replaced, [event.party]: event.channel } }
        : monitor;
    case 'callerLeft':
      return monitor.callerLeft ? monitor : { ...monitor, callerLeft: true };
    case 'interrupted':
      return monitor.spoilt || monitor.talks ? monitor : { ...monitor, spoilt: true };
    case 'keysMissed': {
      const { consent } = scriptOf(facts, monitor);
      const over = monitor.talks || monitor.callerLeft || monitor.refused !== 'no' || monitor.asked.destroyBridge > 0;
      return consent.mode === 'announce' || monitor.phase < 3 || over || monitor.deaf
        ? monitor
        : { ...monitor, deaf: true };
    }
    case 'recorderFinished':
    case 'recorderFailed':
      return monitor.recorder === 'ended' ? monitor : { ...monitor, recorder: 'ended' };
    case 'recorderStarted':
      return monitor.recorder === 'refused' ? { ...monitor, recorder: 'unknown' } : monitor;
    case 'stepFailed':
      if (event.step === 'play' && monitor.phase === 3 && monitor.script === 'offered') {
        return { ...monitor, script: 'default' };
      }
      return event.step === 'startRecorder' && monitor.recorder === 'unknown'
        ? { ...monitor, recorder: 'refused' }
        : monitor;
    case 'destinationLeft':
      return monitor.talks && monitor.asked.hangUpDestination === 0 && !monitor.destinationLeft
        ? { ...monitor, destinationLeft: true }
        : monitor;
    case 'timeUp':
      return monitor.phase === 3 &&
        monitor.script === 'offered' &&
        (event.timer === 'choice' || event.timer === 'playback')
        ? { ...monitor, script: 'default' }
        : monitor;
    case 'destinationAnswered':
      return monitor.asked.dial > 0 && monitor.asked.destroyBridge === 0 && !monitor.talks
        ? { ...monitor, talks: true, answeredAt: event.at }
        : monitor;
    case 'notReady':
    case 'destinationRinging':
    case 'bridgeGone':
      return monitor;
  }
}

const isCounted = (type: Effect['type']): type is keyof Monitor['asked'] => type in fresh.asked;

/** More of a kind tell nothing new, and would make the pairs many. */
const countedTo: Partial<Record<Effect['type'], number>> = { save: 1, stopRecorder: 1, discardRecorder: 1 };

function note(monitor: Monitor, effects: readonly Effect[]): Monitor {
  if (effects.length === 0) return monitor;
  const asked = { ...monitor.asked };
  let { timer } = monitor;
  for (const effect of effects) {
    if (isCounted(effect.type)) {
      asked[effect.type] = Math.min(asked[effect.type] + 1, countedTo[effect.type] ?? Infinity);
    }
    if (effect.type === 'startTimer') ({ timer } = effect);
    if (effect.type === 'stopTimer') timer = undefined;
  }

  return { ...monitor, timer, asked };
}

/** The channel that is this side of the call now. */
function channelOf(party: 'caller' | 'destination', { replaced }: Monitor, facts: CallFacts): ChannelId {
  return replaced[party] ?? (party === 'caller' ? facts.callerChannel : facts.order.destination);
}

/** Why this call must not go on to a recorder, by the events alone. */
function forbidden(seen: Monitor, facts: CallFacts): string[] {
  const { consent } = scriptOf(facts, seen);
  const faults: string[] = [];
  if (seen.heard < wantedOf(seen, facts) || seen.spoilt) faults.push('without a heard notice');
  if (seen.refused !== 'no') faults.push('after a refusal');
  if (consent.mode === 'optIn' && seen.enough === undefined) faults.push('without a yes');
  if (!facts.order.sampled) faults.push('for a call that is left out');
  if (seen.stranger) faults.push('with somebody who was not told');
  if (seen.deaf) faults.push('with keys that nobody saw');

  return faults;
}

/** The names of the rules that this step breaks. `seen` is the monitor with the event, `after` with the effects too. */
function broken(
  from: CallState,
  event: CallEvent,
  step: Step,
  before: Monitor,
  seen: Monitor,
  after: Monitor,
  facts: CallFacts,
) {
  const faults: string[] = [];
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
        const wanted = scriptOf(facts, seen)
          .sentences.slice(0, wantedOf(seen, facts))
          .map((sentence) => `${sentence.playbackId} verified`);
        faults.push(...forbidden(seen, facts).map((why) => `recorder ${why}`));
        if (proof.join() !== wanted.join()) faults.push('recorder without the proof of every sentence');
        if (event.type !== 'destinationAnswered') faults.push('recorder before the destination answered');
        if (seen.callerLeft) faults.push('recorder after the caller left');
        break;
      }
      case 'dial':
        if (!saved) faults.push('dialled before it was saved');
        faults.push(...forbidden(seen, facts).map((why) => `dialled ${why}`));
        if (seen.callerLeft) faults.push('something is begun after the caller left');
        break;
      case 'rememberLanguage': {
        const [language] = scriptOf(facts, seen).language.languages;
        const chosen = before.script === 'offered' && typeof seen.script === 'number';
        if (!chosen || effect.language !== language) faults.push('remembers what nobody chose');
        break;
      }
      case 'play':
      case 'prepare':
      case 'answer':
      case 'returnToDialplan':
        if (seen.callerLeft) faults.push('something is begun after the caller left');
        break;
      case 'discardRecorder':
        if (seen.refused !== 'talking' && !seen.deaf) faults.push('discards what nobody refused');
        break;
      case 'plan':
      case 'checkReadiness':
      case 'stopPlayback':
      case 'ring':
      case 'ringStop':
      case 'sayToBoth':
      case 'stopRecorder':
      case 'tellRecorded':
      case 'tellUnrecorded':
      case 'hangUpCaller':
        if (state.facts.callerChannel !== channelOf('caller', seen, facts))
          faults.push('hangs up who is not in the call');
        break;
      case 'hangUpDestination':
        if (effect.destination !== channelOf('destination', seen, facts))
          faults.push('hangs up who is not in the call');
        break;
      case 'hangUpReplaced':
        if (event.type !== 'partyReplaced' || effect.channel !== channelOf(event.party, before, facts)) {
          faults.push('hangs up who was not replaced');
        }
        break;
      case 'destroyBridge':
      case 'startTimer':
      case 'stopTimer':
        break;
    }
  }
  if (from.kind !== 'ended') faults.push(...brokenByTheEvent(event, step, before, seen));
  if (after.asked.startRecorder > 1) faults.push('recorder started twice');
  if (after.asked.returnToDialplan > 1) faults.push('sent back to the dialplan twice');
  if (state.kind === 'ended' && from.kind !== 'ended') faults.push(...brokenAtTheEnd(state, after));

  return faults;
}

/** What must follow from some events at once. */
function brokenByTheEvent(event: CallEvent, { state, effects }: Step, before: Monitor, seen: Monitor): string[] {
  const faults: string[] = [];
  const asks = (type: Effect['type']): boolean => effects.some((effect) => effect.type === type);
  const runs = seen.asked.startRecorder > 0 && seen.recorder === 'unknown' && seen.asked.destroyBridge === 0;
  if (seen.refused === 'talking' && before.refused === 'no') {
    const [first] = effects;
    const mayRun = seen.asked.startRecorder > 0;
    if (mayRun && first?.type !== 'discardRecorder') faults.push('a refusal does not discard at once');
    if (!asks('tellUnrecorded') || !asks('sayToBoth')) faults.push('a refusal is not told');
    if (state.kind !== 'talking') faults.push('a refusal ends the talk');
  }
  if (seen.refused === 'talking' && event.type === 'recorderStarted' && runs && !asks('discardRecorder')) {
    faults.push('a recorder runs after a refusal');
  }
  const replaced = event.type === 'partyReplaced' && seen.replaced[event.party] !== before.replaced[event.party];
  const mayRun = event.type === 'strangerJoined' || event.type === 'recorderStarted' || replaced;
  if (mayRun && seen.stranger && runs && seen.refused === 'no' && !asks('stopRecorder')) {
    faults.push('a recorder runs with somebody who was not told');
  }
  if (replaced) {
    if (!asks('hangUpReplaced')) faults.push('who transferred the call is left');
    if (!asks('save')) faults.push('a transfer is not kept');
    if (state.kind !== 'talking') faults.push('a transfer ends the talk');
  }
  if (event.type === 'callerHeld' && seen.spoilt && !before.spoilt) {
    const outcome = state.kind === 'ended' ? state.outcome : undefined;
    if (outcome?.result !== 'unrecorded' || outcome.reason !== 'notice_on_hold') faults.push('told on hold');
  }

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
  if (asked.startRecorder > 0 && monitor.recorder === 'unknown' && asked.stopRecorder + asked.discardRecorder === 0)
    faults.push('the recorder is left');
  const refused = outcome.result === 'unrecorded' && outcome.reason === 'refused';
  const interrupted = outcome.result === 'unrecorded' && outcome.reason === 'interrupted';
  if (asked.startRecorder === 0 && outcome.result === 'recorded') faults.push('recorded without a recorder');
  if (monitor.talks && monitor.deaf && !refused && !interrupted) faults.push('why it was not recorded is not kept');
  if (!monitor.talks) {
    const wanted = outcome.result === 'abandoned' ? 0 : 1;
    if (asked.returnToDialplan !== wanted) faults.push('the caller is left in silence');
    if ((outcome.result === 'abandoned') !== callerLeft) faults.push('abandoned means that the caller left');
    if (monitor.refused === 'before' && !refused && !callerLeft) faults.push('a refusal is not kept');
  } else {
    if (asked.returnToDialplan > 0) faults.push('sent back to the dialplan after talking');
    if (!callerLeft && asked.hangUpCaller !== 1) faults.push('the caller is left in silence');
    if ((monitor.refused === 'talking') !== refused) faults.push('a refusal is not kept');
  }
  if ((monitor.refused !== 'no') !== (state.answer.kind === 'refused')) faults.push('the answer is not kept');

  return faults;
}

/** Our own steps are waited for without a timer; so is the end of the talk. */
const untimed: readonly CallState['kind'][] = ['planning', 'checking', 'talking'];

/** In every state but ended the caller's leaving is an exit, and so is the timer that runs. */
function withoutExit(state: CallState, monitor: Monitor, rule: Decide): string[] {
  if (state.kind === 'ended') return [];
  const faults: string[] = [];
  const left = rule(state, { type: 'callerLeft', at: 9_000 }).state.kind;
  if (left !== 'ended' && left !== 'closing') faults.push('no exit by the caller');
  if (untimed.includes(state.kind) === (monitor.timer !== undefined)) faults.push('a state without its timer');
  if (monitor.timer === undefined) return faults;
  const over = rule(state, { type: 'timeUp', timer: monitor.timer }).state.kind;
  if (over !== (state.kind === 'choosing' ? 'announcing' : 'ended')) faults.push('no exit by the timer');

  return faults;
}

type Times = { starts: readonly number[]; finishes: readonly number[] };

/** Sentences are 1000 ms long: 949 is too short, 950 just long enough. Only differences count, so times may repeat. */
const exactTimes: Times = { starts: [0, 100], finishes: [949, 950, 1_050] };
/** Where keys are pressed and not times compared. */
const plainTimes: Times = { starts: [0], finishes: [949, 950] };

/** A question's keys, the key before them in the feature code, and one that means nothing. */
const digits = [keys.accept, keys.refuse, '*', '5'];

function playbackIds({ menu, script }: Order): PlaybackId[] {
  const said = ({ sentences, consent }: Script): PlaybackId[] =>
    [...sentences, ...(consent.mode === 'announce' ? [] : consent.refusal.acknowledgement)].map(
      (each) => each.playbackId,
    );

  return [
    ...(menu?.prompts ?? []).map((each) => each.playbackId),
    ...[script, ...(menu?.options ?? []).map((option) => option.script)].flatMap(said),
    'preavis-another' as PlaybackId,
  ];
}

/** Every event that can be told of a call, fitting or not. */
function everyEvent({ order }: CallFacts, { starts, finishes }: Times): CallEvent[] {
  const pressed = order.script.consent.mode === 'announce' && order.menu === undefined ? [keys.refuse] : digits;

  return [
    { type: 'planned', order },
    { type: 'ready' },
    { type: 'notReady', reason: 'prompts_missing' },
    { type: 'callerAnswered' },
    ...playbackIds(order).flatMap((playbackId): CallEvent[] => [
      ...starts.map((at): CallEvent => ({ type: 'playbackStarted', playbackId, at })),
      ...finishes.map((at): CallEvent => ({ type: 'playbackFinished', playbackId, at, outcome: 'done' })),
      { type: 'playbackFinished', playbackId, at: 1_050, outcome: 'failed' },
    ]),
    // The destination answers at 0.
    ...pressed.flatMap((digit): CallEvent[] => [
      { type: 'digit', digit, at: 3_000 },
      { type: 'digit', digit, at: 3_001 },
    ]),
    { type: 'callerHeld' },
    { type: 'destinationRinging' },
    { type: 'destinationAnswered', at: 0 },
    { type: 'destinationAnswered', at: undefined },
    { type: 'destinationLeft', at: 5_000, cause: 17 },
    { type: 'destinationLeft', at: undefined, cause: undefined },
    { type: 'strangerJoined' },
    { type: 'partyReplaced', party: 'caller', channel: 'another-caller' as ChannelId },
    { type: 'partyReplaced', party: 'destination', channel: 'another-destination' as ChannelId },
    { type: 'recorderStarted', at: 6_000 },
    { type: 'recorderStarted', at: undefined },
    { type: 'recorderFinished', at: 7_000 },
    { type: 'recorderFailed' },
    { type: 'callerLeft', at: 8_000 },
    { type: 'callerLeft', at: undefined },
    { type: 'interrupted' },
    { type: 'keysMissed' },
    { type: 'bridgeGone' },
    ...fallibleSteps.map((step): CallEvent => ({ type: 'stepFailed', step })),
    ...timers.map((timer): CallEvent => ({ type: 'timeUp', timer })),
  ];
}

type Found = { rule: string; path: string };
type Exploration = { visited: number; steps: number; states: ReadonlySet<CallState['kind']>; found: readonly Found[] };

/** Leaves out what never changes during a call; which script is said stands in the monitor. */
const variable = (key: string, value: unknown): unknown => (key === 'facts' || key === 'prompt' ? undefined : value);

type Node = { state: CallState; monitor: Monitor; before: Node | undefined; event: CallEvent | undefined };

function pathTo(node: Node | undefined): string {
  if (node?.event === undefined) return '';
  const { type, ...rest } = node.event;
  const told = type === 'planned' ? '' : JSON.stringify(rest);

  return `${pathTo(node.before)} ${type} ${told}`;
}

/** Visits every pair of state and monitor that can be reached, breadth first, until a fault (of this name) is found. */
function closure(rule: Decide, facts: CallFacts, times: Times, wanted?: string): Exploration {
  const events = everyEvent(facts, times);
  const start = beginning(facts);
  const first: Node = {
    state: start.state,
    monitor: note(fresh, start.effects),
    before: undefined,
    event: undefined,
  };
  const known = new Set<string>();
  const queue: Node[] = [];
  const states = new Set<CallState['kind']>();
  let found: Found[] = [];
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
    if (wanted === undefined ? found.length > 0 : found.some((fault) => fault.rule === wanted)) break;
    if (wanted !== undefined) found = [];
    for (const event of events) {
      steps += 1;
      const step = rule(node.state, event);
      const seen = witness(node.monitor, event, facts);
      const monitor = note(seen, step.effects);
      const next: Node = { state: step.state, monitor, before: node, event };
      for (const fault of broken(node.state, event, step, node.monitor, seen, monitor, facts)) {
        found.push({ rule: fault, path: pathTo(next) });
      }
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
    for (const rule of broken(state, event, step, monitor, seen, after, facts)) {
      found.push({ rule, path: JSON.stringify([...path, event].map(({ type }) => type)) });
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
  const start = beginning(facts);
  let [state, monitor]: [CallState, Monitor] = [start.state, note(fresh, start.effects)];
  for (const event of before) [state, monitor] = advance(state, monitor, event);
  extend(state, monitor, length);

  return { visited, states, found };
}

const factsWith = (over: Parameters<typeof someFacts>[1]): CallFacts => someFacts(countingIds(), over);
const always = ['announcing', 'answering', 'checking', 'ended', 'planning'] as const;
const recorded = ['closing', 'dialling', 'talking'] as const;

describe('every reachable state', () => {
  test.each([
    { sentenceCount: 1, least: 1_500 },
    { sentenceCount: 2, least: 4_500 },
    { sentenceCount: 3, least: 14_000 },
  ])(
    'of a notice of $sentenceCount sentences, each cut at every length, keeps every rule: at least $least pairs of state and history',
    ({ sentenceCount, least }) => {
      const explored = closure(decide, factsWith({ sentenceCount }), exactTimes);
      expect(explored.found).toEqual([]);
      expect(explored.visited).toBeGreaterThan(least);
      expect([...explored.states].sort()).toEqual([...always, ...recorded].sort());
    },
  );

  /** Pairs of state and history that a recorded call has in one language and without a menu; others have more. */
  const least = { announce: 600, optOut: 3_500, optIn: 3_600 } as const;
  const shapes = (['announce', 'optOut', 'optIn'] as const).flatMap((mode) =>
    [['fr'], ['fr', 'nl']].flatMap((languages) =>
      [false, true].flatMap((asksLanguage) =>
        [true, false].map((sampled) => ({ mode, languages, asksLanguage, sampled })),
      ),
    ),
  );

  test.each(shapes)(
    'of a call with $mode, in $languages, with a menu: $asksLanguage, recorded at all: $sampled, keeps every rule',
    ({ mode, languages, asksLanguage, sampled }) => {
      const explored = closure(
        decide,
        factsWith({ mode, languages, asksLanguage, sampled, sentenceCount: 1 }),
        plainTimes,
      );
      expect(explored.found).toEqual([]);
      expect(explored.visited).toBeGreaterThanOrEqual(sampled ? least[mode] : 100);
      expect([...explored.states].sort()).toEqual(
        [
          ...always,
          ...(sampled ? recorded : []),
          ...(asksLanguage ? (['choosing'] as const) : []),
          ...(mode === 'announce' ? [] : (['acknowledging'] as const)),
          ...(mode === 'optIn' && sampled ? (['asking'] as const) : []),
        ].sort(),
      );
    },
  );
});

describe('every sequence, none merged with another', () => {
  const facts = factsWith({ sentenceCount: 1 });
  const { order } = facts;
  const playbackId = order.script.sentences[0]?.playbackId ?? ('' as PlaybackId);
  const another = 'preavis-another' as PlaybackId;

  test('of five events from the arrival on, more than a million, keeps every rule', () => {
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
      { type: 'destinationAnswered', at: 0 },
      { type: 'destinationLeft', at: 5_000, cause: 17 },
      { type: 'recorderStarted', at: 6_000 },
      { type: 'strangerJoined' },
      { type: 'callerHeld' },
      { type: 'callerLeft', at: 8_000 },
      { type: 'interrupted' },
      { type: 'stepFailed', step: 'play' },
      { type: 'timeUp', timer: 'playback' },
    ];
    const explored = sequences(facts, events, 5, [{ type: 'planned', order }]);
    expect(explored.found).toEqual([]);
    expect(explored.visited).toBeGreaterThan(1_000_000);
    expect([...explored.states].sort()).toEqual([
      'announcing',
      'answering',
      'checking',
      'dialling',
      'ended',
      'talking',
    ]);
  });

  test('of four events from the end of the notice on, more than 850,000, keeps every rule', () => {
    const told: CallEvent[] = [
      { type: 'planned', order },
      { type: 'ready' },
      { type: 'callerAnswered' },
      { type: 'playbackStarted', playbackId, at: 0 },
      { type: 'playbackFinished', playbackId, at: 950, outcome: 'done' },
    ];
    const events = everyEvent(facts, { starts: [0], finishes: [950] });
    const explored = sequences(facts, events, 4, told);
    expect(explored.found).toEqual([]);
    expect(explored.visited).toBeGreaterThan(850_000);
    expect([...explored.states].sort()).toEqual(['closing', 'dialling', 'ended', 'talking']);
  });

  test.each(['optOut', 'optIn'] as const)('of keys and what a call with %s may hear between them', (mode) => {
    const asking = factsWith({ mode, sentenceCount: 1 });
    const [notice, question] = asking.order.script.sentences.map((sentence) => sentence.playbackId);
    if (notice === undefined || question === undefined) throw new Error('there is a notice and a question');
    const events: CallEvent[] = [
      ...digits.map((digit): CallEvent => ({ type: 'digit', digit, at: 3_000 })),
      ...[notice, question].flatMap((id): CallEvent[] => [
        { type: 'playbackStarted', playbackId: id, at: 0 },
        { type: 'playbackFinished', playbackId: id, at: 1_000, outcome: 'done' },
      ]),
      { type: 'timeUp', timer: 'consent' },
      { type: 'destinationAnswered', at: 0 },
      { type: 'recorderStarted', at: 6_000 },
      { type: 'strangerJoined' },
      { type: 'keysMissed' },
    ];
    const answered: CallEvent[] = [
      { type: 'planned', order: asking.order },
      { type: 'ready' },
      { type: 'callerAnswered' },
    ];
    const before: CallEvent[] = [...answered, { type: 'playbackStarted', playbackId: notice, at: 0 }];
    const explored = sequences(asking, events, 5, before);
    expect(explored.found).toEqual([]);
    expect(explored.visited).toBeGreaterThan(250_000);
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

/** Passes over one kind of event in one state. */
const deafTo =
  (kind: CallState['kind'], type: CallEvent['type']): Decide =>
  (state, event) =>
    state.kind === kind && event.type === type ? { state, effects: [] } : decide(state, event);

type Mutation = { what: string; rule: Decide; finds: string; of?: Parameters<typeof someFacts>[1] };

const mutations: Mutation[] = [
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
              effects: [
                ...step.effects,
                { type: 'startRecorder', order: factsWith({ sentenceCount: 2 }).order, told: step.state.told },
              ],
            }
          : step,
    }),
  },
  {
    what: 'starts the recorder again when the destination answers again',
    finds: 'recorder started twice',
    rule: (state, event) =>
      state.kind === 'talking' && event.type === 'destinationAnswered'
        ? {
            state,
            effects: [{ type: 'startRecorder', order: factsWith({ sentenceCount: 2 }).order, told: state.told }],
          }
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
  {
    what: 'passes over who joins the bridge during the notice',
    finds: 'dialled with somebody who was not told',
    rule: deafTo('announcing', 'strangerJoined'),
  },
  {
    what: 'passes over who joins the talk',
    finds: 'a recorder runs with somebody who was not told',
    rule: deafTo('talking', 'strangerJoined'),
  },
  {
    what: 'passes over a transfer',
    finds: 'a recorder runs with somebody who was not told',
    rule: deafTo('talking', 'partyReplaced'),
  },
  {
    what: 'records again what starts after a transfer',
    finds: 'a recorder runs with somebody who was not told',
    rule: changed({
      step: (state, step) =>
        state.kind === 'talking' && step.state.kind === 'talking' && step.state.facts !== state.facts
          ? { ...step, state: { ...step.state, untold: false } }
          : step,
    }),
  },
  {
    what: 'leaves who transferred the call',
    finds: 'who transferred the call is left',
    rule: changed({ step: (_, step) => without(step, 'hangUpReplaced') }),
  },
  {
    what: 'forgets to whom the call was transferred',
    finds: 'hangs up who is not in the call',
    rule: changed({
      step: (state, step) =>
        state.kind === 'talking' && step.state.kind === 'talking'
          ? { ...step, state: { ...step.state, facts: state.facts } }
          : step,
    }),
  },
  { what: 'takes a sentence on hold as heard', finds: 'told on hold', rule: deafTo('announcing', 'callerHeld') },
  { what: 'announces to whom put it on hold before', finds: 'told on hold', rule: deafTo('answering', 'callerHeld') },
  {
    what: 'forgets that it was put on hold while languages were offered',
    finds: 'told on hold',
    of: { sentenceCount: 1, asksLanguage: true },
    rule: deafTo('choosing', 'callerHeld'),
  },
  {
    what: 'counts a yes before the question',
    finds: 'dialled without a yes',
    of: { mode: 'optIn', sentenceCount: 1 },
    rule: (state, event) =>
      state.kind === 'announcing' && event.type === 'digit' && event.digit === keys.accept
        ? { state: { ...state, answer: { kind: 'accepted', digits: event.digit, at: event.at } }, effects: [] }
        : decide(state, event),
  },
  {
    what: 'takes silence as a yes',
    finds: 'dialled without a yes',
    of: { mode: 'optIn', sentenceCount: 1 },
    rule: changed({
      event: (state, event) =>
        state.kind === 'asking' && event.type === 'timeUp' ? { type: 'digit', digit: keys.accept, at: 0 } : event,
    }),
  },
  {
    what: 'takes any key as a yes',
    finds: 'dialled without a yes',
    of: { mode: 'optIn', sentenceCount: 1 },
    rule: changed({
      event: (state, event) =>
        state.kind === 'asking' && event.type === 'digit' && event.digit === '5'
          ? { ...event, digit: keys.accept }
          : event,
    }),
  },
  {
    what: 'passes over a refusal before its sentence',
    finds: 'dialled after a refusal',
    of: { mode: 'optOut', sentenceCount: 1 },
    rule: (state, event) =>
      state.kind === 'announcing' && event.type === 'digit' && state.current.prompt.kind !== 'optOut'
        ? { state, effects: [] }
        : decide(state, event),
  },
  {
    what: 'passes over a refusal while it dials',
    finds: 'recorder after a refusal',
    of: { mode: 'optOut', sentenceCount: 1 },
    rule: deafTo('dialling', 'digit'),
  },
  {
    what: 'passes over a refusal that was meant for before the answer',
    finds: 'a refusal does not discard at once',
    of: { mode: 'optOut', sentenceCount: 1 },
    rule: (state, event) => decide(state.kind === 'talking' ? { ...state, answeredAt: undefined } : state, event),
  },
  {
    what: 'forgets at the answer which keys came before it',
    finds: 'a refusal does not discard at once',
    of: { mode: 'optOut', sentenceCount: 1 },
    rule: (state, event) => decide(state.kind === 'dialling' ? { ...state, typed: '' } : state, event),
  },
  {
    what: 'passes over a refusal after a yes',
    finds: 'recorder after a refusal',
    of: { mode: 'optIn', sentenceCount: 1 },
    rule: deafTo('dialling', 'digit'),
  },
  {
    what: 'passes over a refusal while languages are offered',
    finds: 'dialled after a refusal',
    of: { mode: 'optOut', sentenceCount: 1, asksLanguage: true },
    rule: (state, event) =>
      state.kind === 'choosing' && event.type === 'digit' && event.digit === keys.refuse
        ? { state, effects: [] }
        : decide(state, event),
  },
  {
    what: 'records a caller whose keys were missed while it dialled',
    finds: 'recorder with keys that nobody saw',
    of: { mode: 'optOut', sentenceCount: 1 },
    rule: deafTo('dialling', 'keysMissed'),
  },
  {
    what: 'records a caller who may have taken back a yes unheard',
    finds: 'recorder with keys that nobody saw',
    of: { mode: 'optIn', sentenceCount: 1 },
    rule: deafTo('dialling', 'keysMissed'),
  },
  {
    what: 'goes on with a notice in which keys were missed',
    finds: 'dialled with keys that nobody saw',
    of: { mode: 'optOut', sentenceCount: 1 },
    rule: deafTo('announcing', 'keysMissed'),
  },
  {
    what: 'takes a yes after keys that were missed',
    finds: 'dialled with keys that nobody saw',
    of: { mode: 'optIn', sentenceCount: 1 },
    rule: deafTo('asking', 'keysMissed'),
  },
  {
    what: 'forgets while languages are offered that keys were missed',
    finds: 'dialled with keys that nobody saw',
    of: { mode: 'optOut', sentenceCount: 1, asksLanguage: true },
    rule: deafTo('choosing', 'keysMissed'),
  },
  {
    what: 'does not serve who refused',
    finds: 'the caller is left in silence',
    of: { mode: 'optOut', sentenceCount: 1 },
    rule: changed({
      step: (state, step) => (state.kind === 'acknowledging' ? without(step, 'returnToDialplan') : step),
    }),
  },
  {
    what: 'only stops the recorder at the feature code',
    finds: 'a refusal does not discard at once',
    of: { mode: 'optOut', sentenceCount: 1 },
    rule: changed({
      step: (_, step) => ({
        ...step,
        effects: step.effects.map((effect) =>
          effect.type === 'discardRecorder' ? { ...effect, type: 'stopRecorder' } : effect,
        ),
      }),
    }),
  },
  {
    what: 'ends the talk at the feature code',
    finds: 'a refusal ends the talk',
    of: { mode: 'optOut', sentenceCount: 1 },
    rule: changed({
      step: (state, step) =>
        step.effects.some((effect) => effect.type === 'discardRecorder') ? decide(state, { type: 'bridgeGone' }) : step,
    }),
  },
  {
    what: 'lets a recorder run that starts after a refusal',
    finds: 'a recorder runs after a refusal',
    of: { mode: 'optOut', sentenceCount: 1 },
    rule: (state, event) =>
      state.kind === 'talking' && state.recorder.kind === 'discarded' && event.type === 'recorderStarted'
        ? { state, effects: [] }
        : decide(state, event),
  },
  {
    what: 'hears the feature code where nobody may refuse',
    finds: 'discards what nobody refused',
    rule: (state, event) =>
      state.kind === 'talking' && event.type === 'digit'
        ? { state, effects: [{ type: 'discardRecorder', recording: factsWith({}).order.recording }] }
        : decide(state, event),
  },
  {
    what: 'records a call that is left out',
    finds: 'recorder for a call that is left out',
    of: { sampled: false, sentenceCount: 1 },
    rule: (state, event) =>
      state.kind === 'announcing' && state.facts.order !== undefined
        ? decide({ ...state, facts: { ...state.facts, order: { ...state.facts.order, sampled: true } } }, event)
        : decide(state, event),
  },
  {
    what: 'remembers a language that nobody chose',
    finds: 'remembers what nobody chose',
    of: { asksLanguage: true, sentenceCount: 1 },
    rule: changed({
      step: (state, step) =>
        state.kind === 'choosing' && step.state.kind === 'announcing'
          ? { ...step, effects: [...step.effects, { type: 'rememberLanguage', language: 'fr' }] }
          : step,
    }),
  },
];

describe('the checker finds a rule that', () => {
  test.each(mutations)('$what', ({ rule, finds, of }) => {
    const explored =
      of === undefined
        ? closure(rule, factsWith({ sentenceCount: 2 }), exactTimes, finds)
        : closure(rule, factsWith(of), plainTimes, finds);
    expect(explored.found.map((fault) => fault.rule)).toContain(finds);
  });
});
