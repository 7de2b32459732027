import { whileAccepting, whileAcknowledging, whileAsking } from './consent.ts';
import { whileDialling } from './dial.ts';
import { withStaff } from './newcomers.ts';
import { goOnUnrecorded } from './end.ts';
import { withRecordedTime } from './recordedTime.ts';
import { whileFollowing, whileReleasing } from './follow.ts';
import {
  whileAnnouncing,
  whileAnswering,
  whileChecking,
  whileChoosing,
  whileConfirming,
  whilePlanning,
} from './notice.ts';
import { whileClosing } from './closing.ts';
import { whileTalking } from './talk.ts';
import type { CallEvent } from './events.ts';
import type { UnrecordedReason } from './unrecordedReasons.ts';
import { apply, stay } from './handlers.ts';
import type { CallState, Facts, Step } from './state.ts';

/**
 * The call as a pure function: no I/O, no clock, time arrives in events. P1 is proved on it by enumeration
 * (test/unit/call/decide/decide.enumeration.*.test.ts).
 */
export function decide(before: CallState, event: CallEvent): Step {
  const state = withRecordedTime(withStaff(before, event), event);
  switch (state.kind) {
    case 'planning':
      return apply(whilePlanning, state, event);
    case 'checking':
      return apply(whileChecking, state, event);
    case 'answering':
      return apply(whileAnswering, state, event);
    case 'choosing':
      return apply(whileChoosing, state, event);
    case 'announcing':
      return apply(whileAnnouncing, state, event);
    case 'confirming':
      return apply(whileConfirming, state, event);
    case 'asking':
      return apply(whileAsking, state, event);
    case 'accepting':
      return apply(whileAccepting, state, event);
    case 'acknowledging':
      return apply(whileAcknowledging, state, event);
    case 'dialling':
      return apply(whileDialling, state, event);
    case 'releasing':
      return apply(whileReleasing, state, event);
    case 'following':
      return apply(whileFollowing, state, event);
    case 'talking':
      return apply(whileTalking, state, event);
    case 'closing':
      return apply(whileClosing, state, event);
    case 'ended':
      return stay(state);
  }
}

/** The first step of a call whose arguments can be used. */
export function begin(facts: Facts): Step {
  return { state: { kind: 'planning', facts }, effects: [{ type: 'save' }, { type: 'plan' }] };
}

/** The only step of a call that goes back to the dialplan at once. */
export function refuse(facts: Facts, reason: UnrecordedReason): Step {
  return goOnUnrecorded({ facts, prepared: false }, reason);
}
