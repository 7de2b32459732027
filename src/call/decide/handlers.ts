import type { CallEvent } from './events.ts';
import type { CallState, Step } from './state.ts';

/** What one state makes of every event; ignoring one is said, not forgotten. */
export type Handlers<State extends CallState> = {
  readonly [Type in CallEvent['type']]:
    ((state: State, event: Extract<CallEvent, { type: Type }>) => Step) | typeof ignored;
};

export const ignored = 'ignored';

/** The steps of our own side before the destination is dialled. */
export const ignoresSetUp = {
  planned: ignored,
  ready: ignored,
  notReady: ignored,
  callerAnswered: ignored,
  noticeConfirmed: ignored,
  noticeDenied: ignored,
} as const;
/** Those who come into a talk are told only in it. */
export const ignoresNewcomers = { newcomerTold: ignored, newcomerUntold: ignored } as const;
/** What somebody asks for by a code, a program or a command counts only in a talk. */
export const ignoresAsked = {
  pauseAsked: ignored,
  resumeAsked: ignored,
  pauseSaid: ignored,
  recordAsked: ignored,
  eraseAsked: ignored,
  eraseSaid: ignored,
  markAsked: ignored,
} as const;
/** What happens to a followed caller only, or in a talk. */
export const ignoresFollowing = {
  ...ignoresNewcomers,
  ...ignoresAsked,
  widebandSeen: ignored,
  callerReleased: ignored,
  joined: ignored,
  parted: ignored,
} as const;
export const ignoresPlayback = { playbackStarted: ignored, playbackFinished: ignored } as const;
export const ignoresDestination = {
  destinationRinging: ignored,
  destinationAnswered: ignored,
  destinationLeft: ignored,
} as const;
export const ignoresBridge = {
  thirdPartyJoined: ignored,
  thirdPartyLeft: ignored,
  partyReplaced: ignored,
  bridgeGone: ignored,
} as const;
export const ignoresFarEnd = { farEndSeen: ignored, farEndLeft: ignored, farEndLost: ignored } as const;
export const ignoresRecorder = {
  recorderStarted: ignored,
  recorderFinished: ignored,
  recorderFailed: ignored,
  recorderUnbegun: ignored,
  partyUnheard: ignored,
  sourceChanged: ignored,
  roomSpent: ignored,
} as const;
export const ignoresHold = {
  callerHeld: ignored,
  callerResumed: ignored,
  destinationHeld: ignored,
  destinationResumed: ignored,
  holdsFound: ignored,
} as const;

export const stay = (state: CallState): Step => ({ state, effects: [] });
export const saved = (state: CallState): Step => ({ state, effects: [{ type: 'save' }] });

export function apply<State extends CallState>(handlers: Handlers<State>, state: State, event: CallEvent): Step {
  const handler = handlers[event.type];
  if (handler === ignored) return stay(state);

  // The mapped type ties each handler to its event; the compiler cannot follow that through the look-up.
  return (handler as (state: State, event: CallEvent) => Step)(state, event);
}
