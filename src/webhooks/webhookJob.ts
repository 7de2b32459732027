import { setTimeout as sleep } from 'node:timers/promises';
import { asPreavisError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { Deliverer } from './deliverer.ts';

/** How often it is looked whether something is due, ms: a look is a few reads and no write. */
export const lookEveryMs = 2_000;
const tidyEveryMs = 60 * 60_000;

export type WebhookJob = {
  /** Begins nothing more; resolves when what is under way has had its answer. */
  stop(): Promise<void>;
};

/**
 * Delivers beside everything else until it is stopped. What goes wrong is logged once, until it goes right again.
 *
 * @param forced ends also what is under way
 * @param passed called when a pass has come to its end well
 */
export function startWebhookJob(
  deliverer: Deliverer,
  log: Logger,
  forced: AbortSignal,
  passed: () => void = () => undefined,
): WebhookJob {
  const stopping = new AbortController();
  const { signal } = stopping;
  let loggedCode: string | undefined;
  const guarded = async (step: () => Promise<void>): Promise<void> => {
    try {
      await step();
      loggedCode = undefined;
      passed();
    } catch (thrown) {
      const error = asPreavisError(thrown);
      // Another process delivers.
      if (error.code === 'job_busy' || error.code === loggedCode) return;
      loggedCode = error.code;
      log.error({ job: 'webhooks', code: error.code, err: error }, 'webhook pass failed');
    }
  };
  const run = async (): Promise<void> => {
    for (let tidied = -Infinity; !signal.aborted;) {
      if (performance.now() - tidied >= tidyEveryMs) {
        tidied = performance.now();
        await guarded(() => deliverer.tidy());
      }
      await guarded(() => deliverer.pass(signal, forced));
      await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined);
    }
  };
  const running = run();

  return {
    stop: () => {
      stopping.abort();

      return running;
    },
  };
}
