/**
 * As AbortSignal.timeout, and it fires also where nothing but AbortSignal.any refers to it: there Node collects one of those as garbage, and it
 * never fires (seen in 20.20.2).
 */
export function timeLimit(ms: number): AbortSignal {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
  }, ms);
  // It keeps no process from ending.
  timer.unref();

  return controller.signal;
}

/** Settles with the work, or as `late` does once it has taken longer; the work itself goes on unheard. */
export async function settleInTime<T, Late>(ms: number, work: Promise<T>, late: () => Late): Promise<T | Late> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  }).then(late);
  try {
    return await Promise.race([work, timeUp]);
  } finally {
    clearTimeout(timer);
  }
}
