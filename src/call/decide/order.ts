import type { CallConsent } from '../../config/consent.ts';
import type { NewcomerRule } from '../../config/newcomers.ts';
import type { BridgeId, CallId, ChannelId, RecordingId } from '../../core/ids.ts';
import type { ConsentPlan } from './answer.ts';
import type { Sentence } from './sentence.ts';

/** The two sides of a call. */
export const parties = ['caller', 'destination'] as const;
export type Party = (typeof parties)[number];

/** Who asks for something in a talk: a side of the call by keys, or a program or a command. */
export const askers = [...parties, 'operator'] as const;
export type Asker = (typeof askers)[number];

/** What both sides are told of a pause. */
export type PauseWord = 'paused' | 'resumed';
/** The same, and that what was recorded is erased. */
export type TalkWord = PauseWord | 'erased';

/** What can be marked in a talk. */
export type AskedMark = 'agreement' | 'exemplary';
/** agreementUntold: an agreement was marked whose purpose the caller was not told of. */
export type Mark = AskedMark | 'agreementUntold';

/** What the dialplan asked for in Stasis(), checked against the policy. */
type Asked = {
  line: string;
  purposes: readonly string[];
  /** Language that the dialplan decided, without a region. */
  language: string | undefined;
  /**
   * What a TIMEOUT(absolute) of the operator has left, s; 0 for none. undefined from an include file that does not go on by itself
   * when nothing is done for the caller: then no time limit is set.
   */
  leftSeconds?: number | undefined;
  /** Whoever cannot be recorded is not put through: the law forbids to talk unrecorded. */
  mustRecord?: true;
};

/** Préavis dials, in the place of Dial(): `to` is the destination's dial string. */
export type BridgeRequest = Asked & { way: 'bridge'; to: string; timeoutSeconds: number };
/** The caller is told and goes back into the dialplan, which dials; Préavis follows them there. */
export type FollowRequest = Asked & { way: 'follow' };
export type CallRequest = BridgeRequest | FollowRequest;

/** Which evidence decided the language, in the order in which they are asked. */
export type LanguageReason =
  'argument' | 'choice' | 'preference' | 'line' | 'channel' | 'number' | 'acceptLanguage' | 'lineDefault';

export type LanguageDecision = {
  /** One language, or two that are played one after the other. */
  languages: readonly string[];
  reason: LanguageReason;
  /** Languages that were wanted more than the last one taken but that have no prompts: they are never claimed. */
  unavailable: readonly { language: string; reason: LanguageReason }[];
};

/** What an accepted call is to become. All ids are chosen before anything is asked of Asterisk. */
export type Order = {
  request: CallRequest;
  /** Offered first where the line asks for the language. */
  menu: Menu | undefined;
  /** What is said: at first without a choice of the caller, afterwards with it. */
  script: Script;
  /** Why the call has its mode of consent; undefined in a call that an older version planned. */
  asked?: Pick<CallConsent, 'reason' | 'purposes'>;
  /** The whole notice that was heard in an earlier call and counts for this one. `finishedAt`: Asterisk's time of its end, ms. */
  earlier?: { call: CallId; finishedAt: number };
  /** False for a call that is left out by recordPercent: it is announced and not recorded. */
  sampled: boolean;
  /** Days that the longest of its purposes keeps it. */
  keepDays: number;
  maximumSeconds: number;
  /** Nothing is recorded until somebody asks for it. */
  records?: 'onRequest';
  /** The purpose that it is for as well once somebody marks an agreement, and the days that it keeps the recording. */
  agreement?: { purpose: string; keepDays: number };
  /** What becomes of the recording when somebody joins who was not told; undefined is stop. */
  newcomers?: NewcomerRule;
  /** What a caller hears who is turned away, as the dialplan's Playback() takes it; nobody is where it is undefined. */
  turnedAway?: readonly string[];
  /** Of a followed call: that of the present talk or the last one; before the first, an id that nothing has. So with `destination`. */
  bridge: BridgeId;
  destination: ChannelId;
  recording: RecordingId;
  /** Of a followed call: which part of the recording belongs to that talk, 1 for the first. */
  part?: number;
  /** Of a followed call: each side is recorded by itself. */
  sound?: 'stereo';
  /** Of a followed call: the caller's channel has more than 4 kHz of sound, and is recorded with 16,000 Hz. */
  isWideband?: true;
};

export type BridgedOrder = Order & { request: BridgeRequest };
export const isBridged = (order: Order): order is BridgedOrder => order.request.way === 'bridge';

/** The order of a followed call with the part behind this one. */
export const nextPart = (order: Order): Order & { part: number } => ({ ...order, part: (order.part ?? 0) + 1 });

/** A recorder of a call; of a followed call each talk has one of its own. */
export type RecorderId = Pick<Order, 'recording' | 'part' | 'sound'>;

export const recorderOf = ({ recording, part, sound }: Order): RecorderId => ({
  recording,
  ...(part === undefined ? {} : { part }),
  ...(sound === undefined ? {} : { sound }),
});

/** What Asterisk calls the two directions of the told channel: what comes from it, and what it hears. */
export const sides = ['in', 'out'] as const;
export type Side = (typeof sides)[number];

/** The notice in one language or two, with the question that goes with it. */
export type Script = { language: LanguageDecision; sentences: readonly Sentence[]; consent: ConsentPlan };

export type Menu = {
  prompts: readonly Sentence[];
  options: readonly { digit: string; script: Script }[];
  /** How long a key is waited for after the last of the prompts, ms. */
  waitMs: number;
};

/** What is said to the caller besides the notice and its question. */
function answersTo(consent: ConsentPlan): readonly Sentence[] {
  if (consent.mode === 'announce') return [];
  const { acknowledgement, erasure } = consent.refusal;

  return [
    ...acknowledgement,
    ...erasure,
    ...(consent.mode === 'optIn' ? [...consent.acceptance, ...consent.silence] : []),
  ];
}

/** Every sentence that may be played in this call. */
export function sentencesOf({ menu, script }: Pick<Order, 'menu' | 'script'>): Sentence[] {
  const scripts = [script, ...(menu?.options.map((option) => option.script) ?? [])];

  return [
    ...(menu?.prompts ?? []),
    ...scripts.flatMap(({ sentences, consent }) => [...sentences, ...answersTo(consent)]),
  ];
}

/** The name under which Asterisk knows the recorder, and the recording's file name without `.wav`. */
export function recorderName(recordingId: string, part?: number, side?: Side): string {
  if (part === undefined) return `preavis-${recordingId}`;

  return side === undefined ? `preavis-${recordingId}-${part}` : `preavis-${recordingId}-${part}-${side}`;
}

/** The names of what Asterisk runs for one recorder: two where each side is recorded by itself. */
export const recorderNames = ({ recording, part, sound }: RecorderId): string[] =>
  sound === undefined || part === undefined
    ? [recorderName(recording, part)]
    : sides.map((side) => recorderName(recording, part, side));

/** As `recorderName` makes them. */
const partName = /^(preavis-.{26})-(\d+)(?:-(in|out))?$/;

/** Which part of a recording a recorder has this name for; undefined where it is none of a followed call. */
export const partOf = (name: string): number | undefined => {
  const part = partName.exec(name)?.[2];

  return part === undefined ? undefined : Number(part);
};

/** Which direction this recorder records; undefined for both. */
export const sideOf = (name: string): Side | undefined => sides.find((side) => side === partName.exec(name)?.[3]);

/** The name of the recorder of the other side; undefined where there is but one. */
export const otherSideOf = (name: string): string | undefined => {
  const side = sideOf(name);
  if (side === undefined) return undefined;

  return name.slice(0, -side.length) + (side === 'in' ? 'out' : 'in');
};

/** The name by which a call knows what Asterisk runs for a part of its recording. */
export const wholeName = (name: string): string => name.replace(partName, '$1');
