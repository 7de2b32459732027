import { asPreavisError, PreavisError } from '../../core/errors.ts';
import type { CallId, RecordingId } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import { settleInTime } from '../../core/timeLimit.ts';
import { discardReasonOf, withDiscardReason, type DiscardReason } from '../decide/discardReason.ts';
import type { CallState } from '../decide/state.ts';
import type { CallJournal, UnreadableCall } from './journal.ts';

/** Files apart from the catalogue, which other processes find: each says why a recording must not be kept. */
export type DiscardFiles = {
  write(id: RecordingId, reason: DiscardReason): Promise<void>;
  all(): Promise<ReadonlyMap<RecordingId, DiscardReason>>;
  remove(id: RecordingId): Promise<void>;
};

/**
 * A state that is not saved by then is about to fail, ms: another worker may look before it has. What must be removed waits no longer for its file, nor does a call
 * that is taken up.
 */
const withinMs = { save: 200, write: 500, read: 2_000 } as const;

/** These calls as they are by what the files say; `found` is told of each that has one. */
export const withReasons = <Call extends CallState | UnreadableCall>(
  calls: readonly Call[],
  reasons: ReadonlyMap<RecordingId, DiscardReason>,
  found: (id: CallId, reason: DiscardReason) => void = () => undefined,
): (Call | CallState)[] =>
  calls.map((call) => {
    if (call.kind === 'unreadable' || call.facts.order === undefined) return call;
    const reason = reasons.get(call.facts.order.recording);
    if (reason === undefined) return call;
    found(call.facts.id, reason);

    return withDiscardReason(call, reason);
  });

type Why = DiscardReason['why'];

/** One file after the other: a folder that hangs keeps one thread, and not all of them. */
class Writer {
  /** Of each call the file that may be there, and what it says. */
  readonly #written = new Map<CallId, { why: Why; step: Promise<void> }>();
  readonly #files: DiscardFiles;
  readonly #log: Logger;
  #last: Promise<void> = Promise.resolve();

  constructor(files: DiscardFiles, log: Logger) {
    this.#files = files;
    this.#log = log;
  }

  /** Once for each call and reason. Never rejects. */
  write({ facts: { id, order } }: CallState, reason: DiscardReason): Promise<void> {
    const begun = this.#written.get(id);
    if (begun?.why === reason.why) return begun.step;
    if (order === undefined) return Promise.resolve();
    const step = this.#last
      .then(() => this.#files.write(order.recording, reason))
      .catch((thrown: unknown) => {
        this.#written.delete(id);
        const error = asPreavisError(thrown);
        this.#log.warn({ call: id, code: error.code, err: error }, 'discard file not written');
      });
    this.#last = step;
    this.#written.set(id, { why: reason.why, step });

    return step;
  }

  /** Another process has written that of this call. */
  isThere(id: CallId, { why }: DiscardReason): void {
    if (!this.#written.has(id)) this.#written.set(id, { why, step: Promise.resolve() });
  }

  /** Nobody waits for it: the next look for files removes what is left. */
  remove({ facts: { id, order } }: CallState): void {
    const written = this.#written.get(id);
    if (written === undefined || order === undefined) return;
    this.#written.delete(id);
    this.#last = this.#last.then(() => this.#files.remove(order.recording).catch(() => undefined));
  }
}

/** Asks once, however many wait. Nothing where the folder does not answer, or not in time. */
function makeReader(files: DiscardFiles, log: Logger): DiscardFiles['all'] {
  let reading: ReturnType<DiscardFiles['all']> | undefined;

  return async () => {
    reading ??= files.all().finally(() => {
      reading = undefined;
    });
    try {
      return await settleInTime(withinMs.read, reading, () => {
        throw new PreavisError('spool_unusable', `no answer within ${withinMs.read} ms`);
      });
    } catch (thrown) {
      const error = asPreavisError(thrown);
      log.warn({ code: error.code, err: error }, 'discard files not read');

      return new Map();
    }
  };
}

/**
 * A journal that writes down a refusal, or a request to erase, outside the catalogue as well while that takes nothing. Whoever takes up the call records
 * nothing more of it (P1), and knows why its recording is gone, also where this process ends first.
 */
export function withDiscardFiles(journal: CallJournal, files: DiscardFiles, log: Logger): CallJournal {
  /** Of each call what the catalogue knows. */
  const known = new Map<CallId, Why>();
  /** Of each call that is to be saved: its file is written when this is over. */
  const soon = new Map<CallId, NodeJS.Timeout>();
  const writer = new Writer(files, log);
  const read = makeReader(files, log);
  const newsOf = (state: CallState): DiscardReason | undefined => {
    const reason = discardReasonOf(state);

    return reason?.why === known.get(state.facts.id) ? undefined : reason;
  };
  const expect = (state: CallState): void => {
    const { id } = state.facts;
    const reason = newsOf(state);
    if (reason === undefined || soon.has(id)) return;
    const early = setTimeout(() => void writer.write(state, reason), withinMs.save);
    soon.set(id, early);
  };
  const isSoonNoMore = (id: CallId): void => {
    clearTimeout(soon.get(id));
    soon.delete(id);
  };
  const saved = (state: CallState, reason: DiscardReason | undefined): void => {
    const { id } = state.facts;
    if (state.kind === 'ended') known.delete(id);
    else if (reason !== undefined) known.set(id, reason.why);
    if (reason !== undefined) writer.remove(state);
  };

  return {
    ...journal,
    expect,
    save: async (state, measured) => {
      const reason = newsOf(state);
      expect(state);
      try {
        await journal.save(state, measured);
      } catch (thrown) {
        isSoonNoMore(state.facts.id);
        if (reason !== undefined) await settleInTime(withinMs.write, writer.write(state, reason), () => undefined);
        throw thrown;
      }
      // One that is known since may be of a later state than this one.
      if (reason !== undefined) isSoonNoMore(state.facts.id);
      saved(state, reason);
    },
    open: async () => {
      const calls = await journal.open();
      if (calls.length === 0) return calls;

      return withReasons(calls, await read(), (id, reason) => {
        writer.isThere(id, reason);
      });
    },
  };
}
