import type { CallId, BridgeId, ChannelId, RecordingId } from '../core/ids.ts';
import type { AsteriskIdentity } from '../ari/port.ts';
import type { CallRequest } from './arguments.ts';
import type { FallibleStep, Timer, UnrecordedReason } from './events.ts';
import type { LanguageDecision } from './language.ts';
import type { Played, Sentence, Told } from './notice.ts';

/**
 * The states of a call and the effects between them. `decide` (decide.ts) is the only place that moves from one to the
 * next. Everything here is plain data: the catalogue keeps it, so that a call survives a restart.
 *
 * checking   before anything is audible: are the prompts on Asterisk in exactly these languages, is there room to record?
 *            yes -> answering; no -> ended (back to the dialplan, not even answered)
 * answering  the caller's channel is being answered. -> announcing
 * announcing the sentences play, one playback each. All verified -> dialling; any not -> ended (back to the dialplan)
 * dialling   the caller was told; the destination rings. Answer -> talking; busy, no answer ... -> ended (dialplan)
 * talking    both are in the bridge, and the recorder runs (or failed: the call goes on). One side leaves -> closing
 * closing    the recorder is being stopped. Its end, or the time limit -> ended
 * ended      nothing left to do
 *
 * In every state but ended, the caller's leaving is an exit.
 */
export type CallState =
  | { kind: 'checking'; facts: Facts }
  | { kind: 'answering'; facts: Facts }
  | {
      kind: 'announcing';
      facts: Facts;
      played: readonly Played[];
      current: Sentence;
      currentStartedAt: number | undefined;
      waiting: readonly Sentence[];
    }
  | { kind: 'dialling'; facts: Facts; told: Told; ringing: boolean }
  | { kind: 'talking'; facts: Facts; told: Told; recorder: Recorder }
  | { kind: 'closing'; facts: Facts; told: Told; recorder: Recorder; endedAt: number | undefined }
  | {
      kind: 'ended';
      facts: Facts;
      played: readonly Played[];
      recorder: Recorder;
      outcome: Outcome;
      endedAt: number | undefined;
    };

/** What is known of a call from its start. */
export type Facts = {
  id: CallId;
  /** Asterisk's time of StasisStart, ms. */
  startedAt: number;
  callerChannel: ChannelId;
  policyVersion: string;
  /** The Asterisk that took the call. */
  asterisk: AsteriskIdentity;
  /** undefined for a call whose arguments could not be used. */
  order: Order | undefined;
};

/** What an accepted call is to become. All ids are chosen before anything is asked of Asterisk. */
export type Order = {
  request: CallRequest;
  language: LanguageDecision;
  sentences: readonly Sentence[];
  /** Days that the longest of its purposes keeps it. */
  keepDays: number;
  maximumSeconds: number;
  bridge: BridgeId;
  destination: ChannelId;
  recording: RecordingId;
};

/** The recorder of the bridge. Times are Asterisk's, ms; undefined where the event was missed. */
export type Recorder =
  | { kind: 'none' }
  | { kind: 'requested' }
  | { kind: 'running'; startedAt: number | undefined }
  | { kind: 'finished'; startedAt: number | undefined; finishedAt: number | undefined }
  | { kind: 'failed' };

export type DialStatus = 'BUSY' | 'NOANSWER' | 'CONGESTION' | 'CHANUNAVAIL';

/** How the call ended for Préavis. */
export type Outcome =
  | { result: 'recorded' }
  | { result: 'unrecorded'; reason: UnrecordedReason }
  | { result: 'notConnected'; dialStatus: DialStatus }
  | { result: 'abandoned' };

export type Effect =
  | { type: 'checkReadiness' }
  | { type: 'answer' }
  | { type: 'play'; sentence: Sentence }
  /** Makes the bridge and the destination's channel, while the last sentence plays; nothing is dialled. */
  | { type: 'prepare'; order: Order }
  | { type: 'dial'; order: Order }
  | { type: 'ring' }
  | { type: 'ringStop' }
  /** P1: needs the proof that the caller was told. */
  | { type: 'startRecorder'; order: Order; told: Told }
  | { type: 'stopRecorder'; recording: RecordingId }
  /** Tells the dialplan, for its hangup handler or CDR, that this call is recorded, and as what. */
  | { type: 'tellRecorded'; recording: RecordingId }
  | { type: 'hangUpCaller' }
  | { type: 'hangUpDestination'; destination: ChannelId }
  | { type: 'destroyBridge'; bridge: BridgeId }
  /** Tells the dialplan how it went and sends the caller back to it. */
  | { type: 'returnToDialplan'; outcome: Outcome }
  | { type: 'startTimer'; timer: Timer; ms: number }
  | { type: 'stopTimer' }
  /** Writes the state into the catalogue; the effects behind it happen only if that succeeds. */
  | { type: 'save' };

/** The step that an effect is, for `stepFailed`; undefined for effects whose failure changes nothing. */
export function fallibleStep(effect: Effect): FallibleStep | undefined {
  switch (effect.type) {
    case 'save':
    case 'answer':
    case 'prepare':
    case 'play':
    case 'dial':
    case 'startRecorder':
      return effect.type;
    case 'checkReadiness':
    case 'ring':
    case 'ringStop':
    case 'stopRecorder':
    case 'tellRecorded':
    case 'hangUpCaller':
    case 'hangUpDestination':
    case 'destroyBridge':
    case 'returnToDialplan':
    case 'startTimer':
    case 'stopTimer':
      return undefined;
  }
}

export type Step = { state: CallState; effects: readonly Effect[] };
