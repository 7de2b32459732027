import type { ChannelId, PlaybackId } from '../../core/ids.ts';

/**
 * Recording a prompt by telephone, as a pure function: no I/O, no clock. The operator on the telephone proves by a PIN who
 * they are, names a prompt by its code, hears it as it is now, speaks it, hears what they spoke, and keeps it by a key.
 *
 * answering     the channel is being answered. -> enteringPin
 * enteringPin   keys are gathered until #. -> checkingPin
 * checkingPin   right -> enteringCode; wrong -> enteringPin, at most three times
 * enteringCode  keys are gathered until #. -> identifying
 * identifying   known -> presenting, or starting where that prompt has no sound; unknown -> enteringCode, at most three times
 * presenting    the prompt plays as it is now. Its end, or # -> starting
 * starting      the tone, then the recorder. It runs -> recording
 * recording     the operator speaks. # -> stopping; the recorder's own end: unusable -> starting with the next take
 * stopping      the recorder is being stopped. -> judging
 * judging       usable -> reviewing; unusable -> starting with the next take
 * reviewing     the take plays. 1, once it was heard whole -> storing; 2 -> starting with the next take
 * storing       the take is being put beside prompts.yaml. -> ended
 * ended         nothing left to do
 *
 * In every state but storing and ended the caller's leaving, the key * and a time limit or a refusal of our own side are
 * exits; each removes the take that there is.
 */
export type RecorderState =
  | { kind: 'answering'; facts: RecorderFacts }
  | { kind: 'enteringPin'; facts: RecorderFacts; refused: number; typed: string }
  | { kind: 'checkingPin'; facts: RecorderFacts; refused: number }
  | { kind: 'enteringCode'; facts: RecorderFacts; refused: number; typed: string }
  | { kind: 'identifying'; facts: RecorderFacts; refused: number }
  | { kind: 'presenting'; facts: RecorderFacts; target: PromptTarget }
  | ({ kind: 'starting' } & Spoken)
  | ({ kind: 'recording'; startedAt: number } & Spoken)
  | ({ kind: 'stopping' } & Spoken)
  | ({ kind: 'judging' } & Spoken)
  /** `heard`: played to its end. Only then can it be kept. */
  | ({ kind: 'reviewing'; heard: boolean } & Spoken)
  | { kind: 'storing'; facts: RecorderFacts; target: PromptTarget; take: Take }
  | { kind: 'ended'; facts: RecorderFacts; outcome: RecorderOutcome };

/** What is spoken, and the takes that are left. */
type Spoken = { facts: RecorderFacts; target: PromptTarget; take: Take; spare: readonly Take[] };

export type RecorderFacts = {
  channel: ChannelId;
  /** Of the prompt as it is now. */
  presentation: PlaybackId;
  /** All that may be spoken in this call; chosen beforehand, like every id. */
  takes: readonly Take[];
  maximumMs: number;
};

/** One try at the sentence: the name of its recorder and file, and of the playback that lets the operator hear it. */
export type Take = { name: string; playback: PlaybackId };

/** The sentence that is recorded. */
export type PromptTarget = {
  id: string;
  language: string;
  text: string;
  /** Its sound on Asterisk; undefined where it has none. */
  soundName: string | undefined;
};

/** Times are Asterisk's, ms. */
export type RecorderEvent =
  | { type: 'answered' }
  | { type: 'digit'; digit: string }
  | { type: 'pinChecked'; right: boolean }
  | { type: 'promptKnown'; target: PromptTarget }
  | { type: 'promptUnknown' }
  | { type: 'playbackFinished'; playback: PlaybackId; outcome: 'done' | 'failed' }
  | { type: 'recorderStarted'; name: string; at: number }
  | { type: 'recorderFinished'; name: string; at: number }
  | { type: 'recorderFailed'; name: string }
  | { type: 'takeUsable' }
  | { type: 'takeUnusable' }
  | { type: 'stored' }
  | { type: 'callerLeft' }
  /** Events were missed, or this process stops: what was said and pressed is no longer known. */
  | { type: 'interrupted' }
  | { type: 'stepFailed'; step: RecorderStep }
  | { type: 'timeUp'; timer: RecorderTimer };

export type RecorderTimer = 'answer' | 'entry' | 'presentation' | 'start' | 'recorder' | 'stop' | 'review';
/** Effects that may be refused. */
export type RecorderStep = keyof typeof failures;

export type RecorderOutcome =
  { result: 'stored'; target: PromptTarget } | { result: 'notStored'; reason: NotStoredReason };

type NotStoredReason =
  | 'hung_up'
  | 'given_up'
  | 'no_input'
  | 'pin_wrong'
  | 'code_unknown'
  | 'prompts_invalid'
  | 'asterisk_failed'
  | 'spool_unusable'
  | 'store_failed'
  | 'too_many_takes'
  | 'interrupted';

export type ToneName = 'ready' | 'accepted' | 'refused' | 'speak' | 'stored';

export type RecorderEffect =
  | { type: 'answer' }
  /** Lasts as long as the tone; what is behind it waits. */
  | { type: 'tone'; tone: ToneName }
  | { type: 'checkPin'; typed: string }
  | { type: 'identify'; code: string }
  | { type: 'present'; target: PromptTarget }
  | { type: 'stopPlayback'; playback: PlaybackId }
  | { type: 'record'; take: Take }
  | { type: 'stopRecorder'; take: Take }
  | { type: 'judge'; take: Take; target: PromptTarget }
  /** A take that Asterisk itself ended: as long as is allowed, or without sound from the telephone. */
  | { type: 'noteCut'; reason: 'too_long' | 'broken_off' }
  | { type: 'playTake'; take: Take }
  | { type: 'store'; take: Take; target: PromptTarget }
  /** Stops its recorder if it runs, and removes its file. */
  | { type: 'discard'; take: Take }
  | { type: 'returnToDialplan'; outcome: RecorderOutcome }
  | { type: 'startTimer'; timer: RecorderTimer; ms: number }
  | { type: 'stopTimer' };

export type RecorderMove = { state: RecorderState; effects: readonly RecorderEffect[] };

type In<Kind extends RecorderState['kind']> = Extract<RecorderState, { kind: Kind }>;

/** How many takes one call has. */
export const takesPerCall = 5;
/** How many PINs, and how many codes, may be typed in one call. */
export const triesPerCall = 3;
/** What is typed beyond this is not kept: no PIN and no code is as long. */
export const longestEntry = 20;

const stepMs = 10_000;
const entryMs = 30_000;
const presentationMs = 60_000;
const slackMs = 5_000;
const reviewMs = 30_000;

const giveUpKey = '*';
const endKey = '#';
const keepKey = '1';
const againKey = '2';

export function beginRecorder(facts: RecorderFacts): RecorderMove {
  return { state: { kind: 'answering', facts }, effects: [timer('answer', stepMs), { type: 'answer' }] };
}

export function decideRecorder(state: RecorderState, event: RecorderEvent): RecorderMove {
  // What was confirmed is kept, whatever the operator does meanwhile.
  if (state.kind === 'storing') return whileStoring(state, event);
  if (state.kind === 'ended') return stay(state);
  if (event.type === 'callerLeft') return leave(state);
  if (event.type === 'interrupted') return giveUp(state, 'interrupted');
  if (event.type === 'digit' && event.digit === giveUpKey) return giveUp(state, 'given_up');
  if (event.type === 'stepFailed') return giveUp(state, failures[event.step]);
  switch (state.kind) {
    case 'answering':
      return whileAnswering(state, event);
    case 'enteringPin':
    case 'enteringCode':
      return whileEntering(state, event);
    case 'checkingPin':
      return whileCheckingPin(state, event);
    case 'identifying':
      return whileIdentifying(state, event);
    case 'presenting':
      return whilePresenting(state, event);
    case 'starting':
      return whileStarting(state, event);
    case 'recording':
      return whileRecording(state, event);
    case 'stopping':
      return whileStopping(state, event);
    case 'judging':
      return whileJudging(state, event);
    case 'reviewing':
      return whileReviewing(state, event);
  }
}

/** Why nothing is stored where one of these effects is refused. */
export const failures = {
  answer: 'asterisk_failed',
  identify: 'prompts_invalid',
  record: 'asterisk_failed',
  judge: 'spool_unusable',
  playTake: 'asterisk_failed',
  store: 'store_failed',
} as const satisfies Partial<Record<RecorderEffect['type'], NotStoredReason>>;

const stay = (state: RecorderState): RecorderMove => ({ state, effects: [] });
const timer = (name: RecorderTimer, ms: number): RecorderEffect => ({ type: 'startTimer', timer: name, ms });
const tone = (name: ToneName): RecorderEffect => ({ type: 'tone', tone: name });
const stopTimer: RecorderEffect = { type: 'stopTimer' };

const isTimeUp = (event: RecorderEvent, name: RecorderTimer): boolean =>
  event.type === 'timeUp' && event.timer === name;

function discardOf(state: RecorderState): RecorderEffect[] {
  return 'take' in state ? [{ type: 'discard', take: state.take }] : [];
}

/** The operator is gone: nobody hears a tone, and there is no channel to send back. */
function leave(state: RecorderState): RecorderMove {
  const outcome: RecorderOutcome = { result: 'notStored', reason: 'hung_up' };

  return { state: { kind: 'ended', facts: state.facts, outcome }, effects: [stopTimer, ...discardOf(state)] };
}

function giveUp(state: RecorderState, reason: NotStoredReason): RecorderMove {
  const outcome: RecorderOutcome = { result: 'notStored', reason };

  return {
    state: { kind: 'ended', facts: state.facts, outcome },
    effects: [stopTimer, ...discardOf(state), tone('refused'), { type: 'returnToDialplan', outcome }],
  };
}

function whileAnswering(state: In<'answering'>, event: RecorderEvent): RecorderMove {
  if (isTimeUp(event, 'answer')) return giveUp(state, 'asterisk_failed');
  if (event.type !== 'answered') return stay(state);

  return ask('enteringPin', state.facts, 0, 'ready');
}

type Entering = In<'enteringPin' | 'enteringCode'>;

function ask(kind: Entering['kind'], facts: RecorderFacts, refused: number, sound: ToneName): RecorderMove {
  return {
    state: { kind, facts, refused, typed: '' },
    effects: [stopTimer, tone(sound), timer('entry', entryMs)],
  };
}

/** One key too many is kept, so that what was too long stays wrong. */
const withDigit = (typed: string, digit: string): string => (typed.length > longestEntry ? typed : `${typed}${digit}`);

function whileEntering(state: Entering, event: RecorderEvent): RecorderMove {
  if (isTimeUp(event, 'entry')) return giveUp(state, 'no_input');
  if (event.type !== 'digit') return stay(state);
  const { kind, facts, refused, typed } = state;
  if (event.digit !== endKey) return stay({ ...state, typed: withDigit(typed, event.digit) });

  return kind === 'enteringPin'
    ? { state: { kind: 'checkingPin', facts, refused }, effects: [stopTimer, { type: 'checkPin', typed }] }
    : { state: { kind: 'identifying', facts, refused }, effects: [stopTimer, { type: 'identify', code: typed }] };
}

function whileCheckingPin(state: In<'checkingPin'>, event: RecorderEvent): RecorderMove {
  if (event.type !== 'pinChecked') return stay(state);
  if (event.right) return ask('enteringCode', state.facts, 0, 'accepted');
  const refused = state.refused + 1;

  return refused >= triesPerCall ? giveUp(state, 'pin_wrong') : ask('enteringPin', state.facts, refused, 'refused');
}

function whileIdentifying(state: In<'identifying'>, event: RecorderEvent): RecorderMove {
  if (event.type === 'promptUnknown') {
    const refused = state.refused + 1;
    return refused >= triesPerCall
      ? giveUp(state, 'code_unknown')
      : ask('enteringCode', state.facts, refused, 'refused');
  }
  if (event.type !== 'promptKnown') return stay(state);
  const { facts } = state;
  const { target } = event;
  if (target.soundName === undefined) return speak(state, target, facts.takes, [tone('accepted')]);

  return {
    state: { kind: 'presenting', facts, target },
    effects: [tone('accepted'), timer('presentation', presentationMs), { type: 'present', target }],
  };
}

function whilePresenting(state: In<'presenting'>, event: RecorderEvent): RecorderMove {
  const { facts, target } = state;
  const stop: RecorderEffect = { type: 'stopPlayback', playback: facts.presentation };
  if (isTimeUp(event, 'presentation')) return speak(state, target, facts.takes, [stop]);
  if (event.type === 'digit' && event.digit === endKey) return speak(state, target, facts.takes, [stop]);
  // A sound that cannot be played is what a recording is to mend.
  if (event.type === 'playbackFinished' && event.playback === facts.presentation) {
    return speak(state, target, facts.takes, []);
  }

  return stay(state);
}

/** The next take, if there is one. */
function speak(
  state: RecorderState,
  target: PromptTarget,
  takes: readonly Take[],
  before: readonly RecorderEffect[],
): RecorderMove {
  const { facts } = state;
  const [take, ...spare] = takes;
  if (take === undefined) {
    const { state: ended, effects } = giveUp({ kind: 'presenting', facts, target }, 'too_many_takes');
    return { state: ended, effects: [...before, ...effects] };
  }

  return {
    state: { kind: 'starting', facts, target, take, spare },
    effects: [stopTimer, ...before, tone('speak'), { type: 'record', take }, timer('start', stepMs)],
  };
}

const another = (state: RecorderState & Spoken, effects: readonly RecorderEffect[]): RecorderMove =>
  speak(state, state.target, state.spare, [...effects, { type: 'discard', take: state.take }]);

function whileStarting(state: In<'starting'>, event: RecorderEvent): RecorderMove {
  const { facts, target, take, spare } = state;
  if (isTimeUp(event, 'start') || isFailure(event, take)) return giveUp(state, 'asterisk_failed');
  if (event.type !== 'recorderStarted' || event.name !== take.name) return stay(state);

  return {
    state: { kind: 'recording', facts, target, take, spare, startedAt: event.at },
    effects: [timer('recorder', facts.maximumMs + slackMs)],
  };
}

/** The end of a recorder that was never seen to run is a failure, too. */
const isFailure = (event: RecorderEvent, take: Take): boolean =>
  (event.type === 'recorderFailed' || event.type === 'recorderFinished') && event.name === take.name;

function whileRecording(state: In<'recording'>, event: RecorderEvent): RecorderMove {
  const { facts, target, take, spare, startedAt } = state;
  if (isTimeUp(event, 'recorder')) return giveUp(state, 'asterisk_failed');
  if (event.type === 'recorderFailed' && event.name === take.name) return giveUp(state, 'asterisk_failed');
  if (event.type === 'recorderFinished' && event.name === take.name) {
    // Asterisk counts whole seconds.
    const reason = event.at - startedAt >= facts.maximumMs - 1_000 ? 'too_long' : 'broken_off';
    return another(state, [{ type: 'noteCut', reason }, tone('refused')]);
  }
  if (event.type !== 'digit' || event.digit !== endKey) return stay(state);

  return {
    state: { kind: 'stopping', facts, target, take, spare },
    effects: [timer('stop', stepMs), { type: 'stopRecorder', take }],
  };
}

function whileStopping(state: In<'stopping'>, event: RecorderEvent): RecorderMove {
  const { facts, target, take, spare } = state;
  if (isTimeUp(event, 'stop')) return giveUp(state, 'asterisk_failed');
  if (event.type === 'recorderFailed' && event.name === take.name) return giveUp(state, 'asterisk_failed');
  if (event.type !== 'recorderFinished' || event.name !== take.name) return stay(state);

  return {
    state: { kind: 'judging', facts, target, take, spare },
    effects: [stopTimer, { type: 'judge', take, target }],
  };
}

function whileJudging(state: In<'judging'>, event: RecorderEvent): RecorderMove {
  if (event.type === 'takeUnusable') return another(state, [tone('refused')]);
  if (event.type !== 'takeUsable') return stay(state);
  const { facts, target, take, spare } = state;

  return {
    state: { kind: 'reviewing', facts, target, take, spare, heard: false },
    effects: [timer('review', facts.maximumMs + slackMs), { type: 'playTake', take }],
  };
}

function whileReviewing(state: In<'reviewing'>, event: RecorderEvent): RecorderMove {
  const { facts, target, take, heard } = state;
  if (isTimeUp(event, 'review')) return giveUp(state, 'no_input');
  if (event.type === 'playbackFinished' && event.playback === take.playback && !heard) {
    if (event.outcome === 'failed') return giveUp(state, 'asterisk_failed');
    return { state: { ...state, heard: true }, effects: [stopTimer, tone('ready'), timer('review', reviewMs)] };
  }
  if (event.type !== 'digit') return stay(state);
  if (event.digit === againKey) return another(state, heard ? [] : [{ type: 'stopPlayback', playback: take.playback }]);
  if (event.digit !== keepKey || !heard) return stay(state);

  return { state: { kind: 'storing', facts, target, take }, effects: [stopTimer, { type: 'store', take, target }] };
}

function whileStoring(state: In<'storing'>, event: RecorderEvent): RecorderMove {
  if (event.type === 'stepFailed' && event.step === 'store') return giveUp(state, 'store_failed');
  if (event.type !== 'stored') return stay(state);
  const outcome: RecorderOutcome = { result: 'stored', target: state.target };

  return {
    state: { kind: 'ended', facts: state.facts, outcome },
    effects: [{ type: 'discard', take: state.take }, tone('stored'), { type: 'returnToDialplan', outcome }],
  };
}
