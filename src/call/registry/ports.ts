import type { AriQueries, NamedAsterisk } from '../../ari/port.ts';
import type { IdMaker } from '../../core/ids.ts';
import type { Policy } from '../../policy/policy.ts';
import type { CallState } from '../decide/state.ts';
import type { OtherWorker } from './otherWorker.ts';
import type { Planner } from '../plan/planner.ts';
import type { LanguagePreferences } from '../plan/preferences.ts';
import type { PromptOperators } from '../promptRecording/operators.ts';
import type { OrphanPorts } from '../session/orphans.ts';
import type { SessionPorts } from '../session/ports.ts';
import type { ExtensionKeeper } from '../watch/extensionWatch.ts';
import type { Watch } from '../watch/watch.ts';

/** What the calls of this process need of others. */
export type RegistryPorts = Pick<SessionPorts, 'journal' | 'readiness' | 'log' | 'clock' | 'legUnheard' | 'worker'> & {
  planner: Planner;
  preferences: LanguagePreferences;
  ari: SessionPorts['ari'] & AriQueries;
  policy: Policy;
  ids: IdMaker;
  watch: Pick<Watch, 'until'>;
  /** What is in Asterisk's recording folder and not known to be finished. */
  unfinished: OrphanPorts['unfinished'];
  /** undefined where recording prompts by telephone is not enabled. */
  promptDesk?: PromptOperators | undefined;
  /** undefined where it is not kept who of the house was in a call (privacy.keepExtensions). */
  extensions?: ExtensionKeeper | undefined;
  /** undefined where one serve has all calls. */
  otherWorker?: OtherWorker | undefined;
  asterisk(): NamedAsterisk;
  /** Whether Asterisk tells of the bridges of others: without, nobody knows who is behind a Local/ channel. */
  watchesBridges(): boolean;
  /** Asterisk's clock is so far ahead of ours (behind: negative) that it is no latency, as an arriving call shows. */
  clockIsOff?: ((aheadMs: number) => void) | undefined;
  /** Called after each call's end. */
  callEnded(state: CallState): void;
};
