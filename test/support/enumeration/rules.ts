/** The rules that no call may break, whatever happens in whatever order. Each is named by the sentence that says it broken. */
import type { decide } from '../../../src/call/decide/decide.ts';
import type { CallEvent, Timer } from '../../../src/call/decide/events.ts';
import type { CallState, Effect, Step } from '../../../src/call/decide/state.ts';
import type { ChannelId } from '../../../src/core/ids.ts';
import { mostRecorders } from './newcomerOracle.ts';
import { scriptOf, wantedOf, type CallFacts, type Monitor } from './oracle.ts';

export type Decide = typeof decide;

/** The channel that is this side of the call now. */
function channelOf(party: 'caller' | 'destination', { replaced }: Monitor, facts: CallFacts): ChannelId {
  return replaced[party] ?? (party === 'caller' ? facts.callerChannel : facts.order.destination);
}

/** Why this call must not go on to a recorder, by the events alone. */
function forbidden(seen: Monitor, facts: CallFacts): string[] {
  const { consent } = scriptOf(facts, seen);
  const faults: string[] = [];
  if (seen.heard < wantedOf(seen, facts) || !seen.confirmed || seen.spoilt) faults.push('without a heard notice');
  if (seen.refused !== 'no') faults.push('after a refusal');
  if (consent.mode === 'optIn' && seen.enough === undefined) faults.push('without a yes');
  if (!facts.order.sampled) faults.push('for a call that is left out');
  if (seen.stranger) faults.push('with somebody who was not told');
  if (seen.never) faults.push('with somebody who is never recorded');
  if (seen.deaf) faults.push('with keys that nobody saw');

  return faults;
}

/** One event and what it makes of a call. The monitor before it, and with it, but still without the effects. */
export type Move = { from: CallState; event: CallEvent; step: Step; before: Monitor; seen: Monitor };

/** What each of some events is judged by. */
type Judges = Partial<Record<CallEvent['type'], (move: Move) => readonly string[]>>;

const nothing: readonly string[] = [];

/** The rules that a move breaks. */
export function brokenBy(move: Move, facts: CallFacts): readonly string[] {
  const { from, step } = move;
  const { effects } = step;
  if (from.kind === 'ended' && step.state === from && effects.length === 0) return nothing;
  let faults = from.kind === 'ended' ? ['ended is final'] : brokenByEvent(move);
  for (let index = 0; index < effects.length; index += 1) {
    const effect = effects[index];
    const more = effect === undefined ? nothing : brokenByEffect(effect, index, move, facts);
    if (more.length > 0) faults = [...faults, ...more];
  }

  return faults;
}

/** What no effect may do to such a call. */
function brokenByEffect(effect: Effect, index: number, move: Move, facts: CallFacts): readonly string[] {
  const { from, event, step, before, seen } = move;
  switch (effect.type) {
    case 'startRecorder': {
      const faults = forbidden(seen, facts).map((why) => `recorder ${why}`);
      const { sentences } = effect.told;
      const wanted = scriptOf(facts, seen).sentences.slice(0, wantedOf(seen, facts));
      const proved = sentences.every(({ sentence, verdict }, place) => {
        // A question that was answered, or a sentence of another language after it.
        const isAsked = sentences.slice(0, place + 1).some((each) => each.sentence.prompt.kind === 'optIn');
        const isSpared = seen.enough !== undefined && isAsked;
        const isHeard = verdict === 'verified' || (isSpared && verdict === 'answered');
        return isHeard && sentence.playbackId === wanted[place]?.playbackId;
      });
      if (!proved || sentences.length !== wanted.length) faults.push('recorder without the proof of every sentence');
      const isFollowed = facts.order.request.way === 'follow';
      // Of a followed call each talk has its own, and so has what goes on after somebody was told, or from another source.
      const isAnew = isFollowed && event.type === 'sourceChanged' && before.followed?.isTogether === true;
      const isResumed = event.type === 'pauseSaid' && before.pausing !== undefined;
      const isOnRequest = facts.order.records === 'onRequest';
      const begins = isFollowed
        ? event.type === 'joined' || isResumed || tells(facts)
        : event.type === 'destinationAnswered'
          ? !isOnRequest
          : isOnRequest && isResumed;
      if (!begins && !isAnew) faults.push('recorder before the destination answered');
      if (isAnew && !asks(step.effects.slice(0, index), 'stopRecorder')) faults.push('two recorders run at once');
      if (seen.untoldHere.length > 0) faults.push('recorder with a newcomer who was not told yet');
      if (seen.pausing !== undefined) faults.push('recorder while somebody wants a pause');
      if (seen.erased) faults.push('recorder after an erasure');
      if (seen.spent.room) faults.push('recorder where there is no room');
      const isOver = seen.spent.time.seconds >= facts.order.maximumSeconds;
      if (isOver && event.type === 'joined') faults.push('recorder after the time of the recording');
      if (seen.callerLeft) faults.push('recorder after the caller left');
      return faults;
    }
    case 'dial': {
      const faults = forbidden(seen, facts).map((why) => `dialled ${why}`);
      if (!asks(step.effects.slice(0, index), 'save')) faults.push('dialled before it was saved');
      if (seen.callerLeft) faults.push('something is begun after the caller left');
      if (scriptOf(facts, seen).consent.mode === 'optIn' && from.kind !== 'accepting') faults.push('a yes is not told');
      return faults;
    }
    case 'release': {
      const faults = forbidden(seen, facts).map((why) => `let go on ${why}`);
      if (!asks(step.effects.slice(0, index), 'save')) faults.push('let go on before it was saved');
      if (seen.callerLeft) faults.push('something is begun after the caller left');
      if (scriptOf(facts, seen).consent.mode === 'optIn' && from.kind !== 'accepting') faults.push('a yes is not told');
      return faults;
    }
    case 'whisper':
      return seen.callerLeft ? ['something is begun after the caller left'] : nothing;
    case 'rememberLanguage': {
      const [language] = scriptOf(facts, seen).language.languages;
      const chosen = before.script === 'offered' && typeof seen.script === 'number';
      return chosen && effect.language === language ? nothing : ['remembers what nobody chose'];
    }
    case 'returnToDialplan':
      if (effect.outcome.result === 'unrecorded') {
        const { reason, turnedAway = false } = effect.outcome;
        const isWanted = ['refused', 'no_consent', 'not_sampled', 'never_recorded', 'internal_call'].includes(reason);
        const mustBe = facts.request?.mustRecord === true && !isWanted;
        if (turnedAway !== mustBe) return [mustBe ? 'goes on unrecorded where the law forbids it' : 'is turned away'];
      }
      if (effect.outcome.result === 'unrecorded' && effect.outcome.reason === 'no_consent') {
        return from.kind === 'acknowledging' ? nothing : ['silence is not told'];
      }
      // Of an outgoing call the other side may be there still, and Dial() waits for the notice channel.
      if (facts.called !== undefined && effect.outcome.result === 'abandoned') {
        return seen.callerLeft && !seen.sentOn ? nothing : ['abandoned means that somebody left'];
      }
      return seen.callerLeft ? ['something is begun after the caller left'] : nothing;
    case 'play': {
      const earlier = step.effects.slice(0, index);
      const removed = earlier.findIndex(({ type }) => type === 'destroyBridge');
      const hasLeft = asks(earlier.slice(0, removed === -1 ? undefined : removed), 'leaveBridge');
      if (before.asked.dial > 0 && before.asked.destroyBridge === 0 && !hasLeft)
        return ['plays to who is still in the bridge'];
      return seen.callerLeft ? ['something is begun after the caller left'] : nothing;
    }
    case 'prepare':
    case 'answer':
      return seen.callerLeft ? ['something is begun after the caller left'] : nothing;
    case 'hold': {
      const isPausing = seen.pausing !== undefined;
      const onHold = seen.holding.caller || seen.holding.destination || seen.untoldHere.length > 0 || isPausing;
      if (effect.recorder?.paused === false && isPausing) return ['a pause is ended by something else'];
      if (effect.recorder?.paused === false && seen.stranger) return ['records somebody who was not told'];
      return effect.recorder?.paused === true && !onHold ? ['pauses while nobody is on hold'] : nothing;
    }
    case 'discardRecorder':
      return seen.refused === 'talking' || seen.never || seen.erased || seen.asked.startRecorder === 0
        ? nothing
        : ['discards what nobody refused'];
    case 'hangUpCaller': {
      const inTheCall = step.state.facts.callerChannel === channelOf('caller', seen, facts);
      return inTheCall ? nothing : ['hangs up who is not in the call'];
    }
    case 'hangUpDestination': {
      const inTheCall = effect.destination === channelOf('destination', seen, facts);
      return inTheCall ? nothing : ['hangs up who is not in the call'];
    }
    case 'hangUpReplaced': {
      const wasReplaced = event.type === 'partyReplaced' && effect.channel === channelOf(event.party, before, facts);
      return wasReplaced ? nothing : ['hangs up who was not replaced'];
    }
    case 'plan':
    case 'confirmNotice':
    case 'checkReadiness':
    case 'stopPlayback':
    case 'ring':
    case 'ringStop':
    case 'sayToBoth':
    case 'stopRecorder':
    case 'tellRecorded':
    case 'tellUnrecorded':
    case 'save':
    case 'leaveBridge':
    case 'destroyBridge':
    case 'startTimer':
    case 'stopTimer':
    case 'watchHolds':
      return nothing;
    case 'sayPause': {
      if (effect.word === 'resumed')
        return seen.pausing?.wish === 'resumed' ? nothing : ['tells of an end nobody wants'];
      const isBegun = before.pausing !== undefined || asks(step.effects.slice(0, index), 'save');
      if (before.pausing?.saying !== undefined && event.type === 'pauseAsked') return ['two sentences at once'];
      return isBegun ? nothing : ['tells of a pause before it is saved'];
    }
    case 'sayErased':
      if (!seen.erased || before.erased) return ['tells of an erasure that nobody asked for'];
      return asks(step.effects.slice(0, index), 'save') ? nothing : ['tells of an erasure before it is saved'];
    case 'tellNewcomer':
      return seen.untoldHere.includes(effect.channel) ? nothing : ['tells somebody who knows'];
  }
}

const tells = ({ order }: CallFacts): boolean => order.newcomers === 'tell';

const asks = (effects: readonly Effect[], type: Effect['type']): boolean =>
  effects.some((effect) => effect.type === type);

/** What must follow at once from an event that tells something new. */
const judgedIfNew: Judges = {
  digit: brokenByKey,
  callerHeld: brokenByHold,
  newcomerUntold: brokenByUnwantedRecorder,
  pauseAsked: brokenByUnwantedRecorder,
  eraseAsked: brokenByErasure,
  partyReplaced: brokenByReplacement,
  callerLeft: brokenByLeaving,
  callerSentOn: brokenByLeaving,
  destinationLeft: brokenByLeaving,
  farEndSeen: brokenByFarEnd,
  farEndLeft: brokenByFarEnd,
  farEndLost: brokenByFarEnd,
  roomSpent: brokenByUnwantedRecorder,
};

/** What must follow at once also from one that tells nothing new. */
const alwaysJudged: Judges = { recorderStarted: brokenByUnwantedRecorder, thirdPartyJoined: brokenByUnwantedRecorder };

export const isAlwaysJudged = ({ type }: CallEvent): boolean => type in alwaysJudged;

function brokenByEvent(move: Move): readonly string[] {
  const { event, before, seen } = move;
  const judge = (before === seen ? undefined : judgedIfNew[event.type]) ?? alwaysJudged[event.type];

  return judge?.(move) ?? nothing;
}

function brokenByReplacement(move: Move): readonly string[] {
  const { event, before, seen } = move;
  return event.type === 'partyReplaced' && seen.replaced[event.party] !== before.replaced[event.party]
    ? [...brokenByTransfer(move), ...brokenByUnwantedRecorder(move)]
    : nothing;
}

function brokenByErasure({ from, step: { state, effects }, before, seen }: Move): readonly string[] {
  if (!seen.erased || before.erased) return nothing;
  const faults = asks(effects, 'discardRecorder') ? [] : ['an erasure does not discard at once'];
  if (state.kind !== from.kind) faults.push('an erasure ends the talk');
  if ('answer' in state && state.answer.kind === 'refused') faults.push('an erasure is taken for a refusal');

  return faults;
}

function brokenByKey({ step: { state, effects }, before, seen }: Move): readonly string[] {
  if (seen.refused !== 'talking' || before.refused !== 'no') return nothing;
  const faults: string[] = [];
  const mayRun = seen.asked.startRecorder > 0 && !seen.erased;
  // Before that, the refusal is saved, music ends, and the sentence is begun (effects.ts waits 250 ms for it at most).
  const first = effects.find(({ type }) => !['save', 'hold', 'sayToBoth', 'whisper'].includes(type));
  if (mayRun && first?.type !== 'discardRecorder') faults.push('a refusal does not discard at once');
  const isTold =
    seen.followed === undefined
      ? asks(effects, 'tellUnrecorded') && asks(effects, 'sayToBoth')
      : asks(effects, 'whisper');
  if (!isTold) faults.push('a refusal is not told');
  if (state.kind !== (seen.followed?.isTogether === false ? 'following' : 'talking'))
    faults.push('a refusal ends the talk');

  return faults;
}

function brokenByUnwantedRecorder({ event, step: { effects }, before, seen }: Move): readonly string[] {
  const runs = seen.asked.startRecorder > 0 && seen.recorder === 'unknown' && seen.asked.destroyBridge === 0;
  if (!runs) return nothing;
  // Between the talks it was asked to stop already.
  if (seen.followed?.isTogether === false && event.type !== 'recorderStarted') return nothing;
  const isRemoved = seen.refused === 'talking' || seen.erased;
  if (isRemoved && event.type === 'recorderStarted' && !asks(effects, 'discardRecorder')) {
    return [seen.erased ? 'a recorder runs after an erasure' : 'a recorder runs after a refusal'];
  }
  // A recorder of a bridge of ours pauses.
  const isTold = seen.followed === undefined || (seen.untoldHere.length === 0 && seen.pausing === undefined);
  // That of a followed call was asked to stop already.
  const wasAsked =
    seen.followed !== undefined &&
    (before.stranger || before.spent.room || before.untoldHere.length > 0 || before.pausing !== undefined);
  const isUnwanted = (seen.stranger || seen.spent.room || !isTold) && (event.type === 'recorderStarted' || !wasAsked);
  // What is not to be kept was asked to end before; if it starts all the same, it is asked again.
  const isAsked =
    asks(effects, 'discardRecorder') || (seen.asked.discardRecorder > 0 && event.type !== 'recorderStarted');
  const isEnded = asks(effects, 'stopRecorder') || ((seen.never || seen.erased) && isAsked);

  if (!isUnwanted || seen.refused !== 'no' || isEnded) return nothing;

  return [
    seen.stranger || !isTold
      ? 'a recorder runs with somebody who was not told'
      : 'a recorder runs where there is no room',
  ];
}

/** Somebody who was not told is behind one of the two now. */
function brokenByFarEnd(move: Move): readonly string[] {
  const { from, before, seen, step } = move;
  if (before.stranger || !seen.stranger || (from.kind !== 'dialling' && from.kind !== 'talking')) return nothing;
  const faults = [...brokenByUnwantedRecorder(move)];
  if (step.state.kind !== from.kind) faults.push('a talk of others is ended');
  if (!asks(step.effects, 'save')) faults.push('who came behind a party is not kept');

  return faults;
}

function brokenByTransfer({ step: { state, effects } }: Move): readonly string[] {
  const faults: string[] = [];
  if (!asks(effects, 'hangUpReplaced')) faults.push('who transferred the call is left');
  if (!asks(effects, 'save')) faults.push('a transfer is not kept');
  if (state.kind !== 'talking' && state.kind !== 'dialling') faults.push('a transfer ends the talk');

  return faults;
}

/** P3: while others are there it is their talk. */
function brokenByLeaving({ event, before, seen, step: { state, effects } }: Move): readonly string[] {
  const party = event.type === 'destinationLeft' ? 'destination' : 'caller';
  if (seen.replaced[party] === before.replaced[party]) return nothing;
  const faults: string[] = [];
  if (state.kind !== 'talking' && state.kind !== 'dialling') faults.push('a talk of others is ended');
  if (!asks(effects, 'save')) faults.push('who took the place of whom is not kept');

  return faults;
}

function brokenByHold({ step: { state }, before, seen }: Move): readonly string[] {
  if (!seen.spoilt || before.spoilt) return nothing;
  const outcome = state.kind === 'ended' ? state.outcome : undefined;

  return outcome?.result === 'unrecorded' && outcome.reason === 'notice_on_hold' ? nothing : ['told on hold'];
}

/** The rules that a call in this state and with this history has broken, however it came there. */
export function brokenIn(state: CallState, monitor: Monitor, facts: CallFacts): readonly string[] {
  const { startRecorder, returnToDialplan } = monitor.asked;
  const atTheEnd = monitor.followed === undefined ? brokenAtTheEnd : brokenAtTheEndOfFollowed;
  const faults = state.kind === 'ended' ? atTheEnd(state, monitor, facts) : [];
  const onHold = monitor.holding.caller || monitor.holding.destination;
  // With somebody who was not told it is being stopped.
  const isUnwanted = monitor.stranger || monitor.spent.room;
  const runs = state.kind === 'talking' && state.recorder.kind === 'running' && !isUnwanted;
  // Who refuses on hold is told so without music; when they have heard it is not followed here.
  const isToldOfIt = monitor.refused === 'talking' || monitor.erased;
  if (state.kind === 'talking' && !isToldOfIt && monitor.followed === undefined) {
    const hears = (party: 'caller' | 'destination'): boolean =>
      monitor.music.includes(channelOf(party, monitor, facts));
    if (hears('caller') !== monitor.holding.destination || hears('destination') !== monitor.holding.caller) {
      faults.push('music for who does not wait, or none for who does');
    }
  }
  const isUntold = monitor.untoldHere.length > 0;
  const isPausing = monitor.pausing !== undefined;
  if (runs && isPausing && !monitor.paused) faults.push('a pause is recorded');
  else if (runs && isUntold && !monitor.paused) faults.push('a newcomer who was not told is recorded');
  else if (runs && monitor.paused !== (onHold || isUntold || isPausing)) {
    faults.push(onHold ? 'a hold is recorded' : 'a talk after a hold is not recorded');
  }
  const { talks, hasChanged } = monitor.followed ?? { talks: 1, hasChanged: false };
  const most = monitor.followed !== undefined && tells(facts) ? mostRecorders + 1 : talks;
  if (startRecorder > most + (hasChanged ? 1 : 0)) faults.push('recorder started twice');
  if (returnToDialplan > 1) faults.push('sent back to the dialplan twice');

  return faults;
}

const reasonOf = (outcome: Extract<CallState, { kind: 'ended' }>['outcome']): string | undefined =>
  outcome.result === 'unrecorded' ? outcome.reason : undefined;

const isErased = ({ erased, refused }: Monitor): boolean => erased && refused === 'no';

/** Of a line that records on request: nobody has asked for it, and nothing else kept it from being recorded. */
const isUnasked = ({ isRequested, refused, stranger, never, deaf }: Monitor, { order }: CallFacts): boolean =>
  order.records === 'onRequest' && !isRequested && refused === 'no' && !stranger && !never && !deaf;

/** What must be true of every call when it has ended. */
function brokenAtTheEnd(state: Extract<CallState, { kind: 'ended' }>, whole: Monitor, facts: CallFacts) {
  const { asked, callerLeft, ...monitor } = whole;
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
  const withheld =
    outcome.result === 'unrecorded' &&
    (outcome.reason === 'interrupted' || outcome.reason === 'untold_party' || outcome.reason === 'never_recorded');
  if (asked.startRecorder === 0 && outcome.result === 'recorded') faults.push('recorded without a recorder');
  if (monitor.talks && monitor.deaf && !refused && !withheld) faults.push('why it was not recorded is not kept');
  if (!monitor.talks) {
    const isOutgoing = state.facts.called !== undefined;
    const wanted = callerLeft && !(isOutgoing && !monitor.sentOn) ? 0 : 1;
    if (asked.returnToDialplan !== wanted) faults.push('the caller is left in silence');
    if ((outcome.result === 'abandoned') !== (callerLeft && !monitor.sentOn))
      faults.push('abandoned means that the caller left');
    if (monitor.refused === 'before' && !refused && !callerLeft) faults.push('a refusal is not kept');
  } else {
    if (asked.returnToDialplan > 0) faults.push('sent back to the dialplan after talking');
    if (!callerLeft && asked.hangUpCaller !== 1) faults.push('the caller is left in silence');
    if ((monitor.refused === 'talking') !== refused) faults.push('a refusal is not kept');
  }
  if ((monitor.refused !== 'no') !== (state.answer.kind === 'refused')) faults.push('the answer is not kept');
  if (isErased(whole) !== (reasonOf(outcome) === 'erase_asked')) faults.push('an erasure is not kept');
  if (isUnasked(whole, facts) && monitor.talks && reasonOf(outcome) !== 'not_requested')
    faults.push('that nobody asked for it is not kept');

  return faults;
}

/** The dialplan has the caller: nothing of theirs is ours to end. */
function brokenAtTheEndOfFollowed(
  { outcome, answer }: Extract<CallState, { kind: 'ended' }>,
  monitor: Monitor,
  facts: CallFacts,
) {
  const { asked, timer, recorder, refused } = monitor;
  const faults: string[] = [];
  if (timer !== undefined) faults.push('a timer is left');
  if (asked.hangUpCaller + asked.hangUpDestination + asked.destroyBridge > 0)
    faults.push('ends what is the dialplan’s');
  if (asked.startRecorder > 0 && recorder === 'unknown' && asked.stopRecorder + asked.discardRecorder === 0)
    faults.push('the recorder is left');
  if (asked.startRecorder === 0 && outcome.result === 'recorded') faults.push('recorded without a recorder');
  if (outcome.result === 'abandoned') faults.push('abandoned means that the caller left before they were told');
  const isRefused = outcome.result === 'unrecorded' && outcome.reason === 'refused';
  if ((refused !== 'no') !== isRefused || isRefused !== (answer.kind === 'refused'))
    faults.push('a refusal is not kept');
  // With others who were not told before them it is why already.
  const isWhy =
    outcome.result === 'unrecorded' &&
    ['never_recorded', 'untold_party', 'refused', 'recorder_failed'].includes(outcome.reason);
  if (monitor.never && asked.startRecorder === 0 && !isWhy) faults.push('that somebody is never recorded is not kept');
  if (isErased(monitor) !== (reasonOf(outcome) === 'erase_asked')) faults.push('an erasure is not kept');
  const hasTalked = (monitor.followed?.talks ?? 0) > 0;
  if (isUnasked(monitor, facts) && hasTalked && reasonOf(outcome) !== 'not_requested')
    faults.push('that nobody asked for it is not kept');
  if (monitor.followed?.talks === 0 && !isRefused && outcome.result === 'recorded') faults.push('recorded nobody');

  return faults;
}

/** Our own steps are waited for without a timer; so is the end of the talk. */
const untimed: readonly CallState['kind'][] = ['planning', 'checking', 'following', 'talking'];

/** What comes after a state whose time is over. */
function afterTheTimer(kind: CallState['kind']): readonly CallState['kind'][] {
  if (kind === 'choosing') return ['announcing'];
  if (kind === 'asking') return ['acknowledging'];

  return kind === 'accepting' ? ['accepting', 'dialling', 'releasing'] : ['ended'];
}

/** In every state but ended the caller's leaving is an exit, whether they hang up or are sent on, and so is the timer that runs. */
export function withoutExit(state: CallState, timer: Timer | undefined, rule: Decide): readonly string[] {
  if (state.kind === 'ended') return [];
  const faults: string[] = [];
  // Each of the others takes the caller's place first.
  const others = 'others' in state ? state.others.length : 0;
  const isFollowed = state.facts.order?.request.way === 'follow';
  const isDialplans = isFollowed && ['releasing', 'following', 'talking', 'closing'].includes(state.kind);
  for (const type of isDialplans ? (['callerLeft'] as const) : (['callerLeft', 'callerSentOn'] as const)) {
    let after: CallState = state;
    for (let count = 0; count <= others; count += 1) after = rule(after, { type, at: 9_000 }).state;
    if (after.kind !== 'ended' && after.kind !== 'closing') faults.push('no exit by the caller');
  }
  if (untimed.includes(state.kind) === (timer !== undefined)) faults.push('a state without its timer');
  if (timer === undefined) return faults;
  const over = rule(state, { type: 'timeUp', timer }).state;
  if (over === state || !afterTheTimer(state.kind).includes(over.kind)) faults.push('no exit by the timer');

  return faults;
}
