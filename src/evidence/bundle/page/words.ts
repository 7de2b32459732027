import type { HoldGround } from '../../../catalogue/holdGrounds.ts';
import type { RecipeStep } from '../recipe.ts';

/** What a page says in one language; each gets facts as text. What stands between backticks is shown as code, between two asterisks bold. */
export type ExplanationWords = {
  title: string;
  intro: (about: { recording: string; company: string | undefined; madeAt: string; madeBy: string }) => string;
  /** Labels of the facts at the top. */
  glance: Readonly<
    Record<'recording' | 'began' | 'ended' | 'lasts' | 'after' | 'choice' | 'stamp' | 'key' | 'notStated', string>
  >;
  choices: Readonly<Record<'announced' | 'couldRefuse' | 'unheard' | 'saidYes', string>>;
  stamps: Readonly<Record<'yes' | 'no', string>>;
  figure: Readonly<
    Record<
      'noticeTrack' | 'recordingTrack' | 'begins' | 'saidYes' | 'pause' | 'silence' | 'caption' | 'noSound',
      string
    >
  >;
  otherPages: string;
  /** Before what was said after a yes, and before all else that was said. */
  acknowledged: string;
  alsoSaid: string;
  /** Of a sentence that was broken off; both in seconds. */
  cutShort: (about: { heard: string; length: string }) => string;
  /** Why begin and end are further apart than the file is long; a list of reasons follows. */
  apart: (about: { wall: string; file: string; missing: string }) => string;
  pausedFor: (about: { from: string; to: string }) => string;
  unexplained: (seconds: string) => string;
  /** The rest, where the length of a pause is not known. */
  pausedOrMore: (seconds: string) => string;
  /** Before a list of what happened in between. */
  meanwhile: string;
  /** Made silent by Préavis, from and to in seconds of the file; `silencedSomewhere` where it is not known. */
  silenced: (about: { from: string; to: string }) => string;
  silencedSomewhere: string;
  joined: (at: string) => string;
  transferred: (at: string) => string;
  /** The sound of one side may be missing; `to` undefined: to the end. */
  unheard: (about: { from: string; to: string | undefined }) => string;
  callTitle: string;
  call: (about: { began: string; ended: string; seconds: string; bytes: string; sha256: string }) => string;
  unknownTime: string;
  /** How often the recorder was paused for a hold. */
  pauses: (count: number) => string;
  /** What was flagged, by the names of receipts. */
  flags: (list: string) => string;
  noticeTitle: string;
  noticeIntro: string;
  sentence: (about: { language: string; from: string; to: string; sha256: string }) => string;
  heardWhole: string;
  answeredMeanwhile: string;
  soundIn: (file: string) => string;
  soundMissing: string;
  gap: (seconds: string) => string;
  gapUnknown: string;
  witness: Readonly<Record<'agrees' | 'disagrees' | 'missing' | 'unavailable' | 'notCompared', string>>;
  consentTitle: string;
  announced: string;
  couldRefuse: string;
  /** The same, and for a while no key would have been heard. */
  refusalUnknown: string;
  saidYes: (about: { key: string; at: string }) => string;
  purposeTitle: string;
  /** Why and on which basis is in the company's own words, whatever their language. */
  purpose: (about: { purpose: string; why: string; basis: string; days: number; until: string }) => string;
  /** Its end in the receipt, where it was shortened since. */
  shortened: (before: string) => string;
  policy: (version: string) => string;
  holdGrounds: Readonly<Record<HoldGround, string>>;
  /** Kept beyond the end of the purposes; `until` is the last day. */
  held: (about: { why: string; until: string }) => string;
  checkTitle: string;
  check: (about: { kid: string }) => string;
  byHand: string;
  /** What stands above the commands of a step; there are none for a time stamp where there is none. */
  steps: Readonly<Record<RecipeStep, string>>;
  history: (about: { rows: number; unchained: number }) => string;
  stamped: string;
  notStamped: (madeAt: string) => string;
  limitsTitle: string;
  limits: string;
};
