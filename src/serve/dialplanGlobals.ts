import type { AriCommands, AriQueries } from '../ari/port.ts';
import type { Workers } from '../config/workers.ts';
import { asPreavisError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { pbxVariable } from './pbxOfAsterisk.ts';
import { turnedAwaySounds, type Policy } from '../policy/policy.ts';

type DialplanGlobals = {
  policy: Pick<Policy, 'neverRecorded' | 'lines' | 'sentence'>;
  ari: Pick<AriCommands, 'setGlobal'> & Pick<AriQueries, 'hasModule'>;
  /** `ari.pbx`, where several have one catalogue. */
  pbx: string | undefined;
  /** undefined where one serve has all calls. */
  workers: Workers | undefined;
  log: Logger;
};

/**
 * Leaves with Asterisk what the include file decides by itself, so that it holds while Préavis is down or hangs, too. A dialplan that does
 * not have it asks Préavis, so a refusal is no more than a warning.
 *
 * @throws PreavisError ari_unreachable
 */
export async function tellDialplan({ policy, ari, pbx, workers, log }: DialplanGlobals): Promise<void> {
  const { number = '', dialled = '' } = policy.neverRecorded;
  const always = {
    PREAVIS_NEVER_NUMBER: number,
    PREAVIS_NEVER_DIALLED: dialled,
    [pbxVariable]: pbx ?? '',
    // Of a caller whose language nobody has decided.
    PREAVIS_TURNED_AWAY: turnedAwaySounds(policy, policy.lines.get('default')?.defaultLanguages ?? []).join('&'),
  };
  try {
    for (const [name, value] of Object.entries({ ...always, ...(await ofWorkers(workers, ari)) })) {
      await ari.setGlobal(name, value);
    }
  } catch (thrown) {
    const error = asPreavisError(thrown);
    if (error.code === 'ari_unreachable') throw error;
    log.warn({ code: error.code, err: error }, 'dialplan globals not set');
  }
}

/**
 * Which applications it may ask, and to which it may offer a caller. Where there were two workers and is one serve again, it must not ask them
 * any more.
 */
async function ofWorkers(workers: Workers | undefined, ari: Pick<AriQueries, 'hasModule'>) {
  if (workers === undefined) return { PREAVIS_WORKERS: '', PREAVIS_CLAIMS: '' };
  const both = [workers.own, workers.peer].sort();
  // From 22.10, 20.20 and 23.4 on, where the package has it. Elsewhere a dialplan that calls it would lose the caller.
  // What it hands over is encoded by func_uri.
  const canBroadcast = (await ari.hasModule('app_stasis_broadcast.so')) && (await ari.hasModule('func_uri.so'));

  return { PREAVIS_WORKERS: both.join('&'), PREAVIS_CLAIMS: canBroadcast ? `^(${both.join('|')})$` : '' };
}
