import { setTimeout as sleep } from 'node:timers/promises';
import { asPreavisError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { CataloguePart } from '../catalogue.ts';

const pauseMs = 50;

/** For people, where the log could not be emptied. */
export const logHeld =
  'the write-ahead log of the catalogue still holds what was erased, since another process uses it (a backup?). ' +
  'serve, or the next retention run, removes it';

/** So long a command that erases waits for others that work with it, ms. */
export const logWaitMs = 5_000;

/** Takes what was erased out of the write-ahead log as well, and waits so long for others that work with it, ms; false: they still do. */
export async function logEmptied(catalogue: CataloguePart<{ file: 'emptyLog' }>, waitMs: number): Promise<boolean> {
  for (const giveUp = performance.now() + waitMs; ;) {
    if ((await catalogue.file.emptyLog()) === 'empty') return true;
    if (performance.now() >= giveUp) return false;
    await sleep(pauseMs);
  }
}

/** A `serve` that could not empty the log tells it when that lasts, ms: a backup ends before. */
const tellAfterMs = 10 * 60_000;

/**
 * For `serve`, which does not wait: it is called again and again. Told once, when the log is held for long, and when it is empty again; its
 * own errors are logged.
 *
 * @param monotonic a clock that nobody can set, ms
 */
export function makeLogEmptier(
  catalogue: CataloguePart<{ file: 'emptyLog' }>,
  log: Logger,
  monotonic: () => number = () => performance.now(),
): () => Promise<void> {
  let heldSince: number | undefined;
  let isTold = false;

  return async () => {
    try {
      if ((await catalogue.file.emptyLog()) === 'empty') {
        if (isTold) log.info('erased data removed from write-ahead log');
        heldSince = undefined;
        isTold = false;
        return;
      }
      heldSince ??= monotonic();
      if (isTold || monotonic() - heldSince < tellAfterMs) return;
      isTold = true;
      log.error('erased data still in write-ahead log: another process reads the catalogue');
    } catch (thrown) {
      const error = asPreavisError(thrown);
      log.error({ code: error.code, err: error }, 'write-ahead log not emptied');
    }
  };
}
