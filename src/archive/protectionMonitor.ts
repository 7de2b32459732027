import { asPreavisError, PreavisError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { timeLimit } from '../core/timeLimit.ts';
import { capabilityFacts, nothingTried } from '../store/capabilities.ts';
import { asksForLock, protectionProblems, type AskingPurposes, type SeenArchive } from './protection.ts';
import type { ObjectStore } from '../store/store.ts';
import { within } from '../store/stoppable.ts';

/** For one look at the archive, ms. */
const lookLimitMs = 60_000;

/**
 * What the archive says of itself, and what it is found to do. What it says may be enough to refuse it: then it is tried only for
 * people who want to see all, and as far as that goes. Throws what the store throws.
 */
export async function seeArchive(
  store: ObjectStore,
  { bucket, purposes, refused }: { bucket: string; purposes: AskingPurposes; refused: 'is enough' | 'is tried' },
  signal: AbortSignal,
): Promise<SeenArchive> {
  const limit = AbortSignal.any([signal, timeLimit(lookLimitMs)]);
  const capabilities = await within(limit, () => store.capabilities(limit));
  const said = { kind: store.kind, bucket, encrypted: store.encryption, capabilities, trial: nothingTried };
  const isRefused = protectionProblems(purposes, said).some(({ severity }) => severity === 'refusal');
  if (isRefused && refused === 'is enough') return said;
  const trial = await within(limit, () => store.tryOut(limit)).catch((thrown: unknown) => {
    // Nothing can be written yet, as in a folder that is not mounted: that it is refused is to be told all the same.
    if (isRefused) return nothingTried;
    throw thrown;
  });

  return { ...said, trial };
}

export type ProtectionMonitorOptions = {
  store: ObjectStore;
  bucket: string;
  purposes: AskingPurposes;
  log: Logger;
};

/**
 * Looks at what the archive can do, once in the life of a process, as soon as it can be reached, and tells it. An archive that
 * cannot be reached says nothing: calls go on, uploads wait, and it is looked at again.
 */
export class ProtectionMonitor {
  readonly #options: ProtectionMonitorOptions;
  readonly #stopping = new AbortController();
  #looking: Promise<void> | undefined;
  #seen = false;
  #toldUnseen = false;

  constructor(options: ProtectionMonitorOptions) {
    this.#options = options;
  }

  /**
   * Where a purpose asks for a lock, waits for the answer up to `limitMs`; else for nothing.
   * @throws PreavisError `archive_unprotected` when a purpose asks for a lock that the archive cannot give.
   */
  async atStart(limitMs: number): Promise<void> {
    const looking = this.look();
    if (!asksForLock(this.#options.purposes)) {
      // It refuses nothing then.
      void looking;
      return;
    }
    await within(timeLimit(limitMs), () => looking).catch((thrown: unknown) => {
      const error = asPreavisError(thrown);
      if (error.code === 'archive_unprotected') throw error;
      // Too slow: what is found later is told then, and uploads see to themselves.
      looking.catch(() => undefined);
    });
  }

  /** When an upload pass has reached the archive. What is wrong is told; each upload sees for itself whether it may go on. */
  reached(): void {
    this.look().catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#looking?.catch(() => undefined);
  }

  /** Looks, unless it has seen or is looking. Throws archive_unprotected. */
  look(): Promise<void> {
    if (this.#seen || this.#stopping.signal.aborted) return Promise.resolve();
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });

    return this.#looking;
  }

  async #look(): Promise<void> {
    const { store, bucket, purposes, log } = this.#options;
    const { signal } = this.#stopping;
    let archive: SeenArchive;
    try {
      archive = await seeArchive(store, { bucket, purposes, refused: 'is enough' }, signal);
    } catch (thrown) {
      const error = asPreavisError(thrown);
      if (signal.aborted || this.#toldUnseen) return;
      this.#toldUnseen = true;
      log.warn({ code: error.code, err: error }, 'archive capabilities unknown; will retry');
      return;
    }
    this.#seen = true;
    log.info(
      { archive: store.kind, ...capabilityFacts(archive.capabilities, archive.trial) },
      'archive capabilities detected',
    );
    const problems = protectionProblems(purposes, archive);
    for (const { severity, code, problem, hint } of problems) {
      const about = { code, problem, hint };
      if (severity === 'warning') log.warn(about, 'archive protection weaker than it appears');
      else log.error(about, 'archive does not meet the requirements of the purposes');
    }
    const refusal = problems.find(({ severity }) => severity === 'refusal');
    if (refusal !== undefined) {
      throw new PreavisError(refusal.code, refusal.problem, { hint: refusal.hint });
    }
  }
}
