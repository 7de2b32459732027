import type { AriCommands } from '../../ari/port.ts';
import { asPreavisError } from '../../core/errors.ts';
import type { ChannelId } from '../../core/ids.ts';
import type { Timer } from '../decide/events.ts';
import type { CallRequest } from '../decide/order.ts';
import { setVariables } from './setVariables.ts';

/**
 * How long a caller waits for a Préavis that hangs (P3). The include file sets TIMEOUT(absolute) before Stasis(); when it is over,
 * Asterisk takes the channel from us and the dialplan goes on at extension T. So it is set anew before each step that takes time, and
 * ended when the destination is dialled: from there on it could end a talk.
 */

/** What the include file gives before the first step, and the longest silence that a Préavis which hangs can cause, s. */
const silenceSeconds = 8;
/** Our own timer comes first, also over a slow line: who is late with a step sends the caller on by themselves, s. */
const slackSeconds = 3;
/** A limit of the operator's that is over strikes at once: 0 would be none, s. */
const leastSeconds = 1;
/**
 * No limit any more, s: a year. Asterisk (22.10.1) looks at the limit of a channel in a bridge twice, without its lock: whether there is one, and
 * whether it is over. One that is taken away by 0 in between is over: 2 calls of 19,372 ended so, and none of 154,000 by a limit far away.
 */
const unlimitedSeconds = 31_536_000;

/** What the step that this timer is for is given, s; undefined for a timer of a talk. */
function secondsFor(timer: Timer, ms: number): number | undefined {
  const seconds = ms / 1_000 + slackSeconds;
  switch (timer) {
    case 'playback':
    case 'choice':
    case 'consent':
      return seconds;
    case 'answer':
    case 'confirmation':
    case 'release':
      return Math.min(seconds, silenceSeconds);
    case 'dial':
    case 'recorderFinish':
      return undefined;
  }
}

export type Patience = {
  /**
   * Gives the step that this timer is for its time. To be done before the step is asked for: behind a sentence that plays, requests
   * on its channel wait for its end. Throws what the request throws.
   */
  renew(timer: Timer, ms: number): Promise<void>;
  /**
   * The caller waits for the destination from now on: what the operator has set is in force again. Throws what the request throws, but
   * for ari_not_found: who has hung up waits no longer.
   */
  end(): Promise<void>;
};

/** `now` is a monotonic clock, ms. `worker`: whose application it is, where there are two: the include file asks the other one then. */
export function makePatience(
  ari: Pick<AriCommands, 'setVariable'>,
  caller: ChannelId,
  { leftSeconds }: Pick<CallRequest, 'leftSeconds'>,
  now: () => number,
  worker?: string,
): Patience {
  const asked: Readonly<Record<string, string>> = worker === undefined ? {} : { PREAVIS_WORKER: worker };
  const since = now();
  if (leftSeconds === undefined) return { renew: () => Promise.resolve(), end: () => Promise.resolve() };
  /** What the operator's own limit has left, s. */
  const rest = (): number =>
    leftSeconds === 0 ? Infinity : Math.max(leastSeconds, leftSeconds - (now() - since) / 1_000);
  /** Until when Asterisk waits for us by our last request; of what the include file has given we know only that it was given before. */
  let givenUntil = -Infinity;
  // PREAVIS_WAITS tells the include file whose limit it is that has struck.
  const limit = (seconds: number, waits: string): Readonly<Record<string, string>> => ({
    'TIMEOUT(absolute)': seconds.toFixed(3),
    PREAVIS_WAITS: waits,
  });

  return {
    renew: async (timer, ms) => {
      const seconds = secondsFor(timer, ms);
      if (seconds === undefined) return;
      const at = now();
      const leftMs = givenUntil - at;
      // What the step before has left is enough, and no longer than anybody may be kept in silence: one request less.
      if (leftMs >= seconds * 1_000 && leftMs <= silenceSeconds * 1_000) return;
      const given = Math.min(seconds, rest());
      // One without an answer may have been carried out, or not.
      givenUntil = -Infinity;
      await setVariables(ari, caller, { ...limit(given, '1'), ...asked });
      givenUntil = at + given * 1_000;
    },
    end: async () => {
      try {
        await setVariables(ari, caller, limit(Math.min(rest(), unlimitedSeconds), ''));
      } catch (thrown) {
        if (asPreavisError(thrown).code !== 'ari_not_found') throw thrown;
      }
    },
  };
}
