import { asPreavisError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';

/** Pauses between tries of what must not fail, ms; about a minute in all. */
export const pausesMs = [100, 250, 500, 1_000, 2_000, 5_000, 5_000, 10_000, 15_000, 20_000] as const;

export type RetryingRequest = {
  /** What is asked for by the same name later is wanted in place of this. */
  name: string;
  request: () => Promise<void>;
  /** Pauses, ms, after which it is asked for again although Asterisk has said that it did it: where that does no harm. */
  again?: readonly number[];
  /** Called once Asterisk has done it. */
  done?: (() => Promise<void>) | undefined;
  /** Whether it is wanted no more. `tries` counts those after the first. */
  isOver: (tries: number) => boolean;
};

/**
 * Resolves after the first try. One that failed and can be repeated is repeated behind it, until Asterisk has done it,
 * refuses it, or it is wanted no more. Throws what the first try threw where that is no use.
 */
export type AskRetrying = (wanted: RetryingRequest) => Promise<void>;

/** Asks for what must not be left undone because Asterisk did not answer once. */
export function makeRetryingRequests(log: Logger): AskRetrying {
  const newest = new Map<string, RetryingRequest>();
  const turns = new Map<string, Promise<unknown>>();

  /** One request of a name after another: an old one that Asterisk is slow with must not come behind a newer. */
  const fulfil = (wanted: RetryingRequest): Promise<void> => {
    const { name, request, done } = wanted;
    const before = turns.get(name) ?? Promise.resolve();
    const turn = before.then(async () => {
      if (newest.get(name) !== wanted) return;
      await request();
      await done?.();
    });
    turns.set(
      name,
      turn.catch(() => undefined),
    );

    return turn;
  };

  /** Pauses from one to the next, ms. */
  const makeSure = async (wanted: RetryingRequest): Promise<void> => {
    for (const pauseMs of wanted.again ?? []) {
      await new Promise((resolve) => setTimeout(resolve, pauseMs).unref());
      if (newest.get(wanted.name) !== wanted || wanted.isOver(0)) return;
      await fulfil(wanted).catch(() => undefined);
    }
  };

  const repeat = async (wanted: RetryingRequest): Promise<void> => {
    const { name, isOver } = wanted;
    let tries = 0;
    for (; !isOver(tries); tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, pausesMs[tries] ?? pausesMs.at(-1)).unref());
      if (newest.get(name) !== wanted) return;
      if (isOver(tries)) break;
      try {
        await fulfil(wanted);
        return;
      } catch (thrown) {
        // Gone is done.
        if (!asPreavisError(thrown).retryable) return;
      }
    }
    if (tries >= pausesMs.length) log.error({ effect: name }, 'request to Asterisk abandoned after retries');
  };

  return async (wanted) => {
    newest.set(wanted.name, wanted);
    try {
      await fulfil(wanted);
      void makeSure(wanted);
    } catch (thrown) {
      const error = asPreavisError(thrown);
      if (!error.retryable) throw error;
      const about = { effect: wanted.name, code: error.code, err: error };
      log.error(about, 'request to Asterisk failed; will retry');
      void repeat(wanted).then(() => makeSure(wanted));
    }
  };
}
