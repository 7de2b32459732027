import type { ChannelId } from '../../core/ids.ts';
import { answerOf, type Answer } from './answer.ts';
import { abandon, acknowledge, end, goOnUnrecorded, sentOn, type SoFar } from './end.ts';
import { orderOf, partyOf } from './parties.ts';
import { factsWith, replace, talk, typedWith, withOther, without } from './talk.ts';
import type { CallEvent, FallibleStep } from './events.ts';
import { leftDuringTheNotice, seenTogether, withoutTold } from './farEnd.ts';
import { remembersHolds } from './musicHold.ts';
import { isAware } from './newcomers.ts';
import { ignored, ignoresFollowing, ignoresPlayback, ignoresSetUp, saved, stay, type Handlers } from './handlers.ts';
import type { BridgedOrder } from './order.ts';
import type { Agreed, DialStatus, Effect, In, Outcome, Step } from './state.ts';

/** The destination is dialled. */

/** How long Asterisk may take beyond the dialling time to give up on a destination. */
const dialSlackMs = 5_000;

/** The caller was told and may be recorded: only from here on there is a way to the recorder. */
export function dial(agreed: Agreed, order: BridgedOrder, prepared: boolean): Step {
  return {
    state: { kind: 'dialling', ...agreed, ringing: false, keysMissed: false, untold: false, others: [], typed: '' },
    effects: [
      { type: 'save' },
      ...(prepared ? [] : [{ type: 'prepare' as const, order }]),
      { type: 'dial', order },
      { type: 'startTimer', timer: 'dial', ms: order.request.timeoutSeconds * 1_000 + dialSlackMs },
    ],
  };
}

type Dialling = In<'dialling'>;

function untilNow({ facts, told: { sentences }, answer }: Dialling): SoFar {
  return { facts, played: sentences, answer, prepared: true };
}

/** As app_dial.c of Asterisk 16 to 22 maps hang-up causes (ITU-T Q.850) to DIALSTATUS. */
function dialStatusOf(cause: number): DialStatus {
  switch (cause) {
    case 17:
      return 'BUSY';
    case 34:
      return 'CONGESTION';
    case 16: // normal clearing
    case 19: // no answer
      return 'NOANSWER';
    default:
      return 'CHANUNAVAIL';
  }
}

function notConnected(state: Dialling, dialStatus: DialStatus, endedAt: number | undefined): Step {
  const outcome: Outcome = { result: 'notConnected', dialStatus };

  return end(untilNow(state), outcome, endedAt, [{ type: 'returnToDialplan', outcome }]);
}

function stepFailedWhileDialling(state: Dialling, step: FallibleStep): Step {
  switch (step) {
    case 'save':
      return goOnUnrecorded(untilNow(state), 'catalogue_unusable');
    case 'prepare':
      return goOnUnrecorded(untilNow(state), 'prepare_failed');
    case 'dial':
      return goOnUnrecorded(untilNow(state), 'dial_failed');
    case 'plan':
    case 'answer':
    case 'play':
    case 'confirmNotice':
    case 'release':
    case 'startRecorder':
    case 'sayToBoth':
      return stay(state);
  }
}

/** They wait for the destination in the caller's place. They were not told: the talk will not be recorded. */
function takeOver(state: Dialling, channel: ChannelId, effects: readonly Effect[] = []): Step {
  const facts = factsWith(state.facts, 'caller', channel);

  return {
    state: {
      ...state,
      facts,
      untold: true,
      others: without(state, channel),
      holding: state.holding.filter((party) => party !== 'caller'),
    },
    // What rang for the caller before does not ring for them.
    effects: [...effects, ...(state.ringing ? [{ type: 'ring' as const }] : []), { type: 'save' }],
  };
}

/** A transfer before we know of the answer: where it is the destination's, they have answered. */
function replaceWhileDialling(state: Dialling, event: Extract<CallEvent, { type: 'partyReplaced' }>): Step {
  const { party, channel } = event;
  const { callerChannel } = state.facts;
  if (partyOf(channel, state.facts) !== undefined) return stay(state);
  if (party === 'caller') return takeOver(state, channel, [{ type: 'hangUpReplaced', channel: callerChannel }]);
  const answered = talk({ ...state, untold: true });
  const { state: now, effects } = replace(answered.state, event);

  return { state: now, effects: [...answered.effects, ...effects] };
}

/** Somebody who was not told will talk with them. */
const withUntold = (state: Dialling): Step => ({ state: { ...state, untold: true }, effects: [{ type: 'save' }] });

const withoutCaller = (state: Dialling): Step => withUntold({ ...state, facts: withoutTold(state.facts, 'caller') });

export const whileDialling: Handlers<Dialling> = {
  ...ignoresSetUp,
  ...ignoresFollowing,
  ...ignoresPlayback,
  recorderStarted: ignored,
  recorderFinished: ignored,
  recorderFailed: ignored,
  recorderUnbegun: ignored,
  ...remembersHolds<Dialling>(),
  destinationRinging: (state) =>
    state.ringing ? stay(state) : { state: { ...state, ringing: true }, effects: [{ type: 'ring' }] },
  destinationAnswered: (state, { at }) => talk(state, at),
  destinationLeft: (state, { at, cause }) =>
    cause === undefined ? stay(state) : notConnected(state, dialStatusOf(cause), at),
  // A refusal after the notice: the destination is given up and dialled again by the dialplan.
  digit: (state, { digit, at }) => {
    const { consent } = orderOf(state.facts).script;
    if (consent.mode === 'announce') return stay(state);
    const { featureCode } = consent.refusal;
    const typed = typedWith(state, digit, featureCode);
    const given = answerOf(consent, digit, at, true);
    if (given.kind !== 'refused' && typed !== featureCode) return stay({ ...state, typed });
    const answer: Answer = given.kind === 'refused' ? given : { kind: 'refused', digits: featureCode, at };
    return acknowledge({ ...untilNow(state), answer }, 'refused', [], 'in the bridge');
  },
  thirdPartyJoined: (state, { channel }) => ({
    state: { ...state, untold: state.untold || !isAware(state.facts, channel), others: withOther(state, channel) },
    effects: state.untold ? [] : [{ type: 'save' }],
  }),
  thirdPartyLeft: (state, { channel }) => stay({ ...state, others: without(state, channel) }),
  partyReplaced: replaceWhileDialling,
  farEndSeen: seenTogether<Dialling>(withUntold),
  farEndLeft: leftDuringTheNotice<Dialling>(withoutCaller, saved),
  farEndLost: (state, { party }) => withUntold({ ...state, facts: withoutTold(state.facts, party) }),
  partyUnheard: ignored,
  sourceChanged: ignored,
  roomSpent: ignored,
  eventsMissed: (state) =>
    orderOf(state.facts).script.consent.mode === 'announce' ? stay(state) : stay({ ...state, keysMissed: true }),
  timeUp: (state, { timer }) => (timer === 'dial' ? notConnected(state, 'NOANSWER', undefined) : stay(state)),
  stepFailed: (state, { step }) => stepFailedWhileDialling(state, step),
  bridgeGone: (state) => goOnUnrecorded(untilNow(state), 'dial_failed'),
  callerLeft: (state, { at }) => {
    const [next] = state.others;
    return next === undefined ? abandon(untilNow(state), at) : takeOver(state, next);
  },
  callerSentOn: (state, { at }) => {
    const [next] = state.others;
    return next === undefined ? sentOn(untilNow(state), at) : takeOver(state, next);
  },
  interrupted: (state) => goOnUnrecorded(untilNow(state), 'interrupted'),
};
