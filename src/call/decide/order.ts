import type { CallConsent } from '../../config/consent.ts';
import type { BridgeId, ChannelId, RecordingId } from '../../core/ids.ts';
import type { CallRequest } from '../plan/arguments.ts';
import type { LanguageDecision } from '../plan/language.ts';
import type { ConsentPlan } from './answer.ts';
import type { Sentence } from './sentence.ts';

export type Party = 'caller' | 'destination';

/** What an accepted call is to become. All ids are chosen before anything is asked of Asterisk. */
export type Order = {
  request: CallRequest;
  /** Offered first where the line asks for the language. */
  menu: Menu | undefined;
  /** What is said: at first without a choice of the caller, afterwards with it. */
  script: Script;
  /** Why the call has its mode of consent; undefined in a call that an older version planned. */
  asked?: Pick<CallConsent, 'reason' | 'purposes'>;
  /** False for a call that is left out by recordPercent: it is announced and not recorded. */
  sampled: boolean;
  /** Days that the longest of its purposes keeps it. */
  keepDays: number;
  maximumSeconds: number;
  bridge: BridgeId;
  destination: ChannelId;
  recording: RecordingId;
};

/** The notice in one language or two, with the question that goes with it. */
export type Script = { language: LanguageDecision; sentences: readonly Sentence[]; consent: ConsentPlan };

export type Menu = {
  prompts: readonly Sentence[];
  options: readonly { digit: string; script: Script }[];
  /** How long a key is waited for after the last of the prompts, ms. */
  waitMs: number;
};
