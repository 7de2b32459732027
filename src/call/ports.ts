import type { UnrecordedReason } from './events.ts';
import type { CallState, Order } from './state.ts';

/** Where calls are kept; the catalogue is one. */
export type CallJournal = {
  /**
   * Writes the whole state: it survives the end of this process, and from `talking` on a power cut as well. Throws catalogue_unusable.
   */
  save(state: CallState): Promise<void>;
  /** The calls that had not ended when they were last saved. */
  open(): Promise<readonly CallState[]>;
};

/** Whether a call could be announced and recorded now. */
export type Readiness = {
  check(order: Order): Promise<'ready' | UnrecordedReason>;
};
