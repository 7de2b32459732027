import { answerOf, type Answer } from './consent.ts';
import { abandon, acknowledge, end, goOnUnrecorded, orderOf, type SoFar } from './decideEnd.ts';
import { talk, typedWith } from './decideTalk.ts';
import type { FallibleStep } from './events.ts';
import { remembersHolds } from './hold.ts';
import { ignored, ignoresPlayback, ignoresSetUp, stay, type Handlers } from './handlers.ts';
import type { DialStatus, In, Outcome, Step } from './state.ts';

/** The destination is dialled. */

/** How long Asterisk may take beyond the dialling time to give up on a destination. */
const dialSlackMs = 5_000;

/** The caller was told and may be recorded: only from here on there is a way to the recorder. */
export function dial(agreed: Pick<In<'dialling'>, 'facts' | 'told' | 'answer' | 'holding'>, prepared: boolean): Step {
  const order = orderOf(agreed.facts);

  return {
    state: { kind: 'dialling', ...agreed, ringing: false, keysMissed: false, typed: '' },
    effects: [
      { type: 'save' },
      ...(prepared ? [] : [{ type: 'prepare' as const, order }]),
      { type: 'dial', order },
      { type: 'startTimer', timer: 'dial', ms: order.request.timeoutSeconds * 1_000 + dialSlackMs },
    ],
  };
}

type Dialling = In<'dialling'>;

function told({ facts, told: { sentences }, answer }: Dialling): SoFar {
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

  return end(told(state), outcome, endedAt, [{ type: 'returnToDialplan', outcome }]);
}

function stepFailedWhileDialling(state: Dialling, step: FallibleStep): Step {
  switch (step) {
    case 'save':
      return goOnUnrecorded(told(state), 'catalogue_unusable');
    case 'prepare':
      return goOnUnrecorded(told(state), 'prepare_failed');
    case 'dial':
      return goOnUnrecorded(told(state), 'dial_failed');
    case 'plan':
    case 'answer':
    case 'play':
    case 'startRecorder':
    case 'sayToBoth':
      return stay(state);
  }
}

export const whileDialling: Handlers<Dialling> = {
  ...ignoresSetUp,
  ...ignoresPlayback,
  recorderStarted: ignored,
  recorderFinished: ignored,
  recorderFailed: ignored,
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
    const { featureCode, acknowledgement } = consent.refusal;
    const typed = typedWith(state, digit, featureCode);
    const given = answerOf(consent, digit, at, true);
    if (given.kind !== 'refused' && typed !== featureCode) return stay({ ...state, typed });
    const answer: Answer = given.kind === 'refused' ? given : { kind: 'refused', digits: featureCode, at };
    return acknowledge({ ...told(state), answer }, 'refused', acknowledgement, [], 'in the bridge');
  },
  strangerJoined: (state) => goOnUnrecorded(told(state), 'untold_party'),
  partyReplaced: ignored,
  keysMissed: (state) =>
    orderOf(state.facts).script.consent.mode === 'announce' ? stay(state) : stay({ ...state, keysMissed: true }),
  timeUp: (state, { timer }) => (timer === 'dial' ? notConnected(state, 'NOANSWER', undefined) : stay(state)),
  stepFailed: (state, { step }) => stepFailedWhileDialling(state, step),
  bridgeGone: (state) => goOnUnrecorded(told(state), 'dial_failed'),
  callerLeft: (state, { at }) => abandon(told(state), at),
  interrupted: (state) => goOnUnrecorded(told(state), 'interrupted'),
};
