import type { NamedAsterisk } from '../../ari/port.ts';
import type { BridgeId, CallId, ChannelId, PlaybackId, RecordingId } from '../../core/ids.ts';
import type { Asker, BridgedOrder, CallRequest, Mark, Order, Party, PauseWord, RecorderId } from './order.ts';
import type { Answer } from './answer.ts';
import type { FallibleStep, Timer } from './events.ts';
import type { UnrecordedReason } from './unrecordedReasons.ts';
import type { Played, NoticeProof } from './verification.ts';
import type { Sentence } from './sentence.ts';

/**
 * The states of a call and the effects between them. `decide` (decide.ts) is the only place that moves from one to the
 * next. Everything here is plain data: the catalogue keeps it, so that a call survives a restart.
 *
 * planning      what is known of the caller is gathered: stored preference, header, number. -> checking
 * checking      before anything is audible: are the prompts on Asterisk in exactly these languages, is there room to
 *               record? yes -> answering; no -> ended (back to the dialplan, not even answered)
 * answering     the caller's channel is being answered. -> choosing where the line asks for the language, else announcing
 * choosing      the languages are offered; a key or the time limit -> announcing
 * announcing    the sentences play, one playback each. All verified -> confirming; any not -> ended (dialplan)
 * confirming    Asterisk is asked whether the caller could hear them. Yes -> asking, accepting or dialling; no -> ended
 *               (dialplan)
 * asking        opt-in: the question was heard and not yet answered. Yes -> accepting; silence -> acknowledging
 * accepting     opt-in: the caller said yes and is told what follows. -> dialling
 * acknowledging the caller refused, or was silent where they were asked, and is told what follows. -> ended (dialplan)
 * releasing     way `follow`: the caller was told and is let go on in the dialplan. -> following
 * following     the dialplan has them; they talk to nobody. They come into a bridge with somebody -> talking
 * dialling      way `bridge`: the caller was told; the destination rings. Answer -> talking; busy, no answer ... -> ended (dialplan)
 * talking       both are in the bridge, and the recorder runs (or failed, or was refused or withheld: the call goes on).
 *               One side leaves -> closing; of a followed call -> following
 * closing       the recorder is being stopped. Its end, or the time limit -> ended
 * ended         nothing left to do
 *
 * In every state but ended, the caller's leaving is an exit. In an outgoing call `caller` is the one who was called (`Called`).
 */
export type CallState =
  | { kind: 'planning'; facts: Facts }
  | { kind: 'checking'; facts: Facts }
  | { kind: 'answering'; facts: Facts }
  | { kind: 'choosing'; facts: Facts; current: Sentence | undefined; waiting: readonly Sentence[] }
  | {
      kind: 'announcing';
      facts: Facts;
      played: readonly Played[];
      current: Sentence;
      currentStartedAt: number | undefined;
      waiting: readonly Sentence[];
      answer: Answer;
      prepared: boolean;
    }
  | { kind: 'confirming'; facts: Facts; played: readonly Played[]; answer: Answer; prepared: boolean }
  | { kind: 'asking'; facts: Facts; told: NoticeProof; holding: readonly Party[] }
  | ({ kind: 'accepting'; current: Sentence; waiting: readonly Sentence[]; prepared: boolean } & Agreed)
  | {
      kind: 'acknowledging';
      facts: Facts;
      played: readonly Played[];
      answer: Answer;
      why: 'refused' | 'no_consent';
      current: Sentence;
      waiting: readonly Sentence[];
    }
  /** `keysMissed`: the caller may have refused unheard. They will talk, unrecorded. */
  | ({ kind: 'dialling'; ringing: boolean; keysMissed: boolean } & Agreed & InBridge)
  | { kind: 'releasing'; facts: Facts; told: NoticeProof; answer: Answer }
  /**
   * `recorder`: as the last talk has left it. `untold`: somebody who was not told has talked with them, or the caller may have refused
   * unheard, or the disk was full; nothing more is recorded.
   */
  | ({ kind: 'following'; recorder: Recorder; paused?: Pause } & Omit<Agreed, 'holding'> & Omit<InBridge, 'others'>)
  /**
   * `answeredAt`: Asterisk's time of the answer, ms; undefined where it was missed. `telling`: who is being told; until they are, nothing is
   * recorded. `paused`: until it is over, nothing is recorded either.
   */
  | ({
      kind: 'talking';
      recorder: Recorder;
      answeredAt: number | undefined;
      telling: readonly ChannelId[];
      paused?: Pause;
    } & Agreed &
      InBridge)
  | ({ kind: 'closing'; recorder: Recorder; endedAt: number | undefined } & Omit<Agreed, 'holding'>)
  | {
      kind: 'ended';
      facts: Facts;
      played: readonly Played[];
      answer: Answer;
      recorder: Recorder;
      outcome: Outcome;
      endedAt: number | undefined;
    };

/** Somebody asked that nothing be recorded (pause.ts). Times are Asterisk's, ms. */
export type Pause = {
  /** From then on nothing may be heard in the recording. */
  since: number;
  /** line: it records on request, and nobody has asked for that yet. */
  by: Asker | 'line';
  /** When it ends by itself; undefined where it stays until somebody ends it. */
  until: number | undefined;
  /** Who asked for its end, which comes when both were told; `limit`: its time is over. */
  endsBy?: Asker | 'limit';
  /** What is being said of it. */
  saying?: PauseWord;
};

/** A caller who was told, and may be recorded. */
export type Agreed = {
  facts: Facts;
  told: NoticeProof;
  answer: Answer;
  /** Who has put the other on hold: while anybody has, nothing is recorded. */
  holding: readonly Party[];
};

type InBridge = {
  /** Somebody who was not told is in the bridge, or was: they talk unrecorded. */
  untold: boolean;
  /** Who else is in the bridge. */
  others: readonly ChannelId[];
  /** The caller's last keys, no more than a feature code has. */
  typed: string;
};

/** What is known of a call from its start. */
export type Facts = {
  id: CallId;
  /** Asterisk's time of StasisStart, ms. */
  startedAt: number;
  callerChannel: ChannelId;
  /** Of an outgoing call; undefined for an incoming one. */
  called?: Called;
  /** Who came, where somebody else has taken their place since; undefined while nobody has. */
  toldChannel?: ChannelId | undefined;
  /** With whom a followed caller has talked first, and who was behind them: whoever else joins was not told. undefined before the first talk. */
  met?: readonly ChannelId[];
  /** Who came later and knows: staff, and who was told. */
  aware?: readonly ChannelId[];
  /** Of a party that is a Local/ channel: who is behind it, or was; empty until somebody was seen. A side that is none is not in it. */
  farEnds?: Readonly<Partial<Record<Party, readonly ChannelId[]>>> | undefined;
  /**
   * Of a followed call: for how long those of its recorders ran in all that are known to have ended, ms, and which one runs, since when by
   * Asterisk's clock, ms.
   */
  recorded?: { ms: number; open?: { part: number; since: number } };
  /** What somebody has marked, each once. */
  marks?: readonly Mark[];
  policyVersion: string;
  /** The Asterisk that took the call. */
  asterisk: NamedAsterisk;
  /** What the dialplan asked for; undefined for a call whose arguments could not be used. */
  request: CallRequest | undefined;
  /** undefined until it is planned. */
  order: Order | undefined;
};

/**
 * In an outgoing call the one who was called is told and followed: they stand where the caller of an incoming call does, and who dialled is
 * whom they talk with.
 */
type Called = {
  /** The half of a Local/ channel that we have. The other half is with who was called: they hear what is played here, and nobody else does. */
  noticeChannel: ChannelId;
  /** Who waits for them meanwhile; undefined where the dialplan does not tell. */
  dialler?: ChannelId;
};

/** The channel that we have until the dialplan goes on: nothing can be asked of a channel that is not in our application. */
export const channelInHand = ({ callerChannel, called }: Pick<Facts, 'callerChannel' | 'called'>): ChannelId =>
  called?.noticeChannel ?? callerChannel;

/** The recorder of the bridge. Times are Asterisk's, ms; undefined where the event was missed. */
export type Recorder =
  | { kind: 'none' }
  /** Never asked for. */
  | { kind: 'withheld'; why: WithheldReason }
  | { kind: 'requested'; resumes?: Resumed }
  /** To be asked for when all who are there were told. */
  | { kind: 'awaited'; resumes?: Resumed }
  | { kind: 'running'; startedAt: number | undefined }
  | { kind: 'finished'; startedAt: number | undefined; finishedAt: number | undefined }
  /** Stopped and removed because the caller refused while they talked, or somebody asked to erase it (erase.ts). */
  | { kind: 'discarded'; startedAt: number | undefined; erasedBy?: Asker }
  | { kind: 'failed' };

/** What was recorded in earlier talks of a followed call: its times. */
type Resumed = {
  startedAt: number | undefined;
  /** Nothing was recorded from then on at the earliest, and from `doneAt` on at the latest. */
  pausedAt: number | undefined;
  doneAt?: number | undefined;
  /** The next part was asked for then, so it began no sooner. */
  askedAt?: number | undefined;
  /** It was paused for a hold before, and that is told. */
  isHold?: true;
};

/**
 * interrupted: keys of the caller were missed while they could still refuse. untold_party: who is there was not told. never_recorded: who is
 * there has a number that is never recorded. not_requested: the line records on request, and nobody
 * has asked for it; or somebody wanted a pause before the recording began.
 */
export type WithheldReason = 'interrupted' | 'untold_party' | 'never_recorded' | 'not_requested';

export type DialStatus = 'BUSY' | 'NOANSWER' | 'CONGESTION' | 'CHANUNAVAIL';

/** How the call ended for Préavis. */
export type Outcome =
  | { result: 'recorded' }
  /** `turnedAway`: nobody is dialled, since this call must not go on unrecorded. */
  | { result: 'unrecorded'; reason: UnrecordedReason; turnedAway?: true }
  /** dialStatus is undefined where the dialplan dialled. */
  | { result: 'notConnected'; dialStatus: DialStatus | undefined }
  | { result: 'abandoned' };

export type Effect =
  | { type: 'plan' }
  | { type: 'checkReadiness' }
  | { type: 'answer' }
  | { type: 'play'; sentence: Sentence }
  | { type: 'stopPlayback'; playbackId: PlaybackId }
  /** Asks whether the caller could hear what was played. */
  | { type: 'confirmNotice' }
  /** Keeps the language that the caller chose, for the next call. */
  | { type: 'rememberLanguage'; language: string }
  /** Makes the bridge and the destination's channel, while the last sentence plays; nothing is dialled. */
  | { type: 'prepare'; order: BridgedOrder }
  | { type: 'dial'; order: BridgedOrder }
  /** Lets the caller go on in the dialplan, whose bridges are watched from then on. */
  | { type: 'release'; order: Order }
  | { type: 'ring' }
  | { type: 'ringStop' }
  /** P1: needs the proof that the caller was told. */
  | { type: 'startRecorder'; order: Order; told: NoticeProof }
  /** Asks for the holds of one who is not in our application: they are told of by the channel that holds. */
  | { type: 'watchHolds'; channel: ChannelId }
  /** Plays the notice to this newcomer alone, who is in a bridge with the caller. newcomerTold or newcomerUntold follows. */
  | { type: 'tellNewcomer'; channel: ChannelId; order: Order }
  | HoldEffect
  /** Says to both sides that it is paused, or goes on. pauseSaid follows. */
  | { type: 'sayPause'; word: PauseWord; order: Order }
  /** Says to both sides that what was recorded is erased. eraseSaid follows. */
  | { type: 'sayErased'; order: Order }
  | ({ type: 'stopRecorder' } & RecorderId)
  /** Stops and removes what was recorded, of all talks until that one. */
  | ({ type: 'discardRecorder' } & RecorderId)
  /** Says a sentence to one who is not in a bridge of ours; nobody else hears it. */
  | { type: 'whisper'; channel: ChannelId; sentence: Sentence }
  /** Says a sentence to both sides. */
  | { type: 'sayToBoth'; bridge: BridgeId; sentence: Sentence }
  /** Tells the dialplan, for its hangup handler or CDR, that this call is recorded, and as what. */
  | { type: 'tellRecorded'; recording: RecordingId }
  /** Tells it that they talk unrecorded; takes back what was told before. */
  | { type: 'tellUnrecorded'; reason: 'refused' | 'erase_asked' | WithheldReason }
  | { type: 'hangUpCaller' }
  | { type: 'hangUpDestination'; destination: ChannelId }
  /** Whoever transferred the call is no longer in it. */
  | { type: 'hangUpReplaced'; channel: ChannelId }
  /**
   * Takes the caller out of it. What is to be played to somebody whose bridge is being destroyed is thrown away by Asterisk,
   * without an event (22.10, res_stasis_playback).
   */
  | { type: 'leaveBridge'; bridge: BridgeId }
  | { type: 'destroyBridge'; bridge: BridgeId }
  /** Tells the dialplan how it went and sends the caller back to it. */
  | { type: 'returnToDialplan'; outcome: Outcome }
  | { type: 'startTimer'; timer: Timer; ms: number }
  | { type: 'stopTimer' }
  /** Writes the state into the catalogue; the effects behind it happen only if that succeeds. */
  /** What is behind it is left out where it fails; `goesOn`: is done all the same. */
  | { type: 'save'; goesOn?: true };

/**
 * One has put the other on hold, or is back. Who waits hears music: in a bridge with a recorder, Asterisk plays none by itself.
 * All of it is what is wanted from now on, whatever was before. `at` is Asterisk's time of the hold or its end, ms; undefined where
 * only its effect was seen.
 */
export type HoldEffect = {
  type: 'hold';
  waiting: readonly ChannelId[];
  back: readonly ChannelId[];
  recorder: (RecorderId & { paused: boolean; at: number | undefined }) | undefined;
};

/** The step that an effect is, for `stepFailed`; undefined for effects whose failure changes nothing. */
export function fallibleStep(effect: Effect): FallibleStep | undefined {
  switch (effect.type) {
    case 'save':
    case 'plan':
    case 'answer':
    case 'prepare':
    case 'play':
    case 'confirmNotice':
    case 'dial':
    case 'release':
    case 'startRecorder':
    case 'sayToBoth':
      return effect.type;
    // What is said next would not be heard.
    case 'leaveBridge':
      return 'play';
    case 'checkReadiness':
    case 'stopPlayback':
    case 'rememberLanguage':
    case 'ring':
    case 'ringStop':
    case 'hold':
    case 'stopRecorder':
    case 'discardRecorder':
    case 'whisper':
    case 'watchHolds':
    case 'tellNewcomer':
    case 'sayPause':
    case 'sayErased':
    case 'tellRecorded':
    case 'tellUnrecorded':
    case 'hangUpCaller':
    case 'hangUpDestination':
    case 'hangUpReplaced':
    case 'destroyBridge':
    case 'returnToDialplan':
    case 'startTimer':
    case 'stopTimer':
      return undefined;
  }
}

export type Step = { state: CallState; effects: readonly Effect[] };
export type In<Kind extends CallState['kind']> = Extract<CallState, { kind: Kind }>;
