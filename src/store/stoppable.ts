import { PreavisError } from '../core/errors.ts';

/** What a call rejects with when its signal fires: the reason (a time-out, a shutdown) is the cause. */
export function stoppedBy(signal: AbortSignal): PreavisError {
  return new PreavisError('archive_unreachable', 'The transfer did not end within its time limit or was cancelled.', {
    cause: signal.reason,
  });
}

/**
 * Settles with the work, or rejects as soon as the signal fires even when the work never settles (a disk or a client
 * library that hangs). The work is expected to watch the signal too and to clean up after itself.
 * @throws PreavisError `archive_unreachable`
 */
export function within<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = (): void => {
      reject(stoppedBy(signal));
    };
    if (signal.aborted) {
      stop();
      return;
    }
    signal.addEventListener('abort', stop, { once: true });
    work()
      .then(resolve, reject)
      .finally(() => {
        signal.removeEventListener('abort', stop);
      });
  });
}
