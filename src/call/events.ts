import type { PlaybackId } from '../core/ids.ts';

/**
 * What can happen to a call, as `decide` sees it. `at` is Asterisk's clock, in ms since 1970 UTC, for everything that is
 * proof (P8); events that stem from our own side (a refused request, a time limit) have none, and it is undefined where
 * Asterisk's own event was missed and only its effect is seen.
 */
export type CallEvent =
  | { type: 'ready' }
  | { type: 'notReady'; reason: UnrecordedReason }
  | { type: 'callerAnswered' }
  | { type: 'playbackStarted'; playbackId: PlaybackId; at: number }
  | { type: 'playbackFinished'; playbackId: PlaybackId; at: number; outcome: 'done' | 'failed' }
  | { type: 'destinationRinging' }
  | { type: 'destinationAnswered' }
  /** No cause: it left the application (a transfer, say) but still exists. */
  | { type: 'destinationLeft'; at: number | undefined; cause: number | undefined }
  | { type: 'recorderStarted'; at: number | undefined }
  | { type: 'recorderFinished'; at: number | undefined }
  | { type: 'recorderFailed' }
  | { type: 'callerLeft'; at: number | undefined }
  /** Events were missed while this call was not yet connected: what was heard can no longer be proved. */
  | { type: 'interrupted' }
  | { type: 'bridgeGone' }
  | { type: 'stepFailed'; step: FallibleStep }
  | { type: 'timeUp'; timer: Timer };

/** Effects that Asterisk or the catalogue may refuse; `stepFailed` names the one that was. */
export type FallibleStep = 'save' | 'answer' | 'prepare' | 'play' | 'dial' | 'startRecorder';

/** One timer runs at a time. */
export type Timer = 'answer' | 'playback' | 'dial' | 'recorderFinish';

/** Why a call went on without being recorded. Kept in the catalogue and given to the dialplan. */
export type UnrecordedReason =
  | 'arguments_invalid'
  | 'no_language'
  | 'prompts_missing'
  | 'spool_unusable'
  | 'spool_full'
  | 'catalogue_unusable'
  | 'shutting_down'
  | 'answer_failed'
  | 'notice_failed'
  | 'notice_cut_short'
  | 'notice_timeout'
  | 'prepare_failed'
  | 'dial_failed'
  | 'recorder_failed'
  | 'interrupted';
