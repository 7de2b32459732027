import { setTimeout as sleep } from 'node:timers/promises';
import { asPreavisError } from '../core/errors.ts';
import type { IdMaker } from '../core/ids.ts';
import { hasContext, trialSeconds } from './deadman.ts';
import type { AriDeadman } from './port.ts';

/**
 * Whether another client has the event socket of our application open. ARI does not tell: it lists an application for as long as
 * calls of a dead process are under it, too. But `Stasis()` tells: where nobody has the socket it returns at once.
 */

/** A process that died a moment ago may have its socket for so long; the next one would not be started again after a refusal, ms. */
const patienceMs = 10_000;
/** A channel that is under the application for so long is with somebody, ms. */
const stayMs = 2_000;
const pollMs = 50;

type Trials = Pick<IdMaker, 'channel'>;

/** Throws ari_unreachable. What Asterisk, or a proxy before it, refuses to tell keeps nobody from starting. */
export async function isHeld(ari: AriDeadman, ids: Trials): Promise<boolean> {
  const isFree = await answerOr(
    ari.application().then((use) => use === 'free'),
    true,
  );
  if (isFree) return false;
  const canTry = await answerOr(hasContext(ari, ids.channel()), false);
  for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += stayMs) {
    // Without calls and without a socket Asterisk nearly always forgets an application. With calls it cannot be told without trying.
    const holds = canTry ? stays(ari, ids) : ari.application().then((use) => use === 'empty');
    if (!(await answerOr(holds, false))) return false;
    if (!canTry) await sleep(stayMs);
  }

  return true;
}

/**
 * The same of one moment, to be asked again and again. Where Asterisk knows the application and the dialplan has not the context to try
 * it, it cannot be told: then it is held. Asterisk (22.10) also goes on knowing one without calls and without a socket, whose last channel
 * left it after the socket was closed.
 */
export async function isFree(ari: AriDeadman, ids: Trials): Promise<boolean> {
  const use = await ari.application();
  switch (use) {
    case 'free':
      return true;
    case 'deadman':
      return !(await stays(ari, ids));
    case 'empty':
    case 'inUse':
      return (await hasContext(ari, ids.channel())) && !(await stays(ari, ids));
  }
}

async function stays(ari: AriDeadman, ids: Trials): Promise<boolean> {
  const trial = ids.channel();
  await ari.tryApplication(trial, trialSeconds);
  try {
    for (let waitedMs = 0; waitedMs < stayMs; waitedMs += pollMs) {
      if ((await ari.stateOf(trial)) === undefined) return false;
      await sleep(pollMs);
    }

    return true;
  } finally {
    await ari.endTrial(trial);
  }
}

async function answerOr(answer: Promise<boolean>, otherwise: boolean): Promise<boolean> {
  try {
    return await answer;
  } catch (thrown) {
    if (asPreavisError(thrown).code === 'ari_unreachable') throw thrown;
    return otherwise;
  }
}
