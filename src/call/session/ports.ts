import type { AriCommands, AriPromptCommands, AriQueries } from '../../ari/port.ts';
import type { ChannelId, IdMaker } from '../../core/ids.ts';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Order } from '../decide/order.ts';
import type { CallState } from '../decide/state.ts';
import type { Planner } from '../plan/planner.ts';
import type { Readiness } from '../plan/readiness.ts';
import type { LegOutcome, SourceWatchPorts } from '../watch/sourceWatch.ts';
import type { LineAsking } from './codes.ts';
import type { CallJournal } from './journal.ts';
import type { StaffPorts } from './newcomerEvents.ts';
import type { PauseSentencePorts } from './pauseSentences.ts';

/** What one call needs of others. */
export type SessionPorts = StaffPorts & {
  ari: AriCommands &
    Pick<AriPromptCommands, 'recordChannel'> &
    Pick<AriQueries, 'time' | 'variable' | 'rtp' | 'channelsIn' | 'owned' | 'isThere'>;
  journal: CallJournal;
  readiness: Readiness;
  log: Logger;
  clock: Clock;
  /** Whose application it is, where there are two workers. */
  worker?: string | undefined;
  ids: Pick<IdMaker, 'happening'>;
  /** Makes the order of this call; what it knows of the caller stays with it. */
  plan: () => ReturnType<Planner['plan']>;
  /** Called as soon as the order is known, before anything is asked of Asterisk. */
  planned(order: Order): void;
  /** What is said to somebody who comes into this call. */
  planNewcomer: (channel: ChannelId, order: Order) => ReturnType<Planner['planNewcomer']>;
  /** What is heard of these ids is heard by this call from now on, unless they are another call's. */
  owns: (ids: readonly string[]) => void;
  /** Whether this is a Local/ channel: who talks is behind it. */
  isLocal: (channel: ChannelId) => boolean;
  /** What the line of this call says of codes and pauses. */
  lineAsking: () => LineAsking;
  pauseWords: PauseSentencePorts['pauseWords'];
  rememberLanguage: (language: string) => Promise<void>;
  /** Whether Asterisk tells of the bridges of others: without, nobody is followed. */
  watchesBridges: () => boolean;
  /** Whether it may have missed events that it was not told yet. */
  isBehind: () => boolean;
  /** For what is asked again and again of all calls, so that it keeps nothing waiting that cannot wait. */
  legLimits: SourceWatchPorts['limits'];
  /** Asks Asterisk where everybody of the call is, and tells the call. */
  lookAgain: () => Promise<void>;
  /** Counts a leg that was not heard, or could not be looked at. */
  legUnheard: (outcome: LegOutcome) => void;
  /** Called once, when the call has ended and its last effect is done. */
  ended(state: CallState): void;
  /** Called when the catalogue has the end of the call: before `ended`, or later when it could not take it. */
  endSaved(): void;
};
