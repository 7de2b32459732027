import type { AriCommands } from '../ari/port.ts';
import { asPreavisError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { turnedAwaySounds, type Policy } from '../policy/policy.ts';

/**
 * Leaves with Asterisk what the include file decides by itself, so that it holds while Préavis is down or hangs, too. A dialplan that does
 * not have it asks Préavis, so a refusal is no more than a warning.
 *
 * @throws PreavisError ari_unreachable
 */
export async function tellDialplan(
  policy: Pick<Policy, 'neverRecorded' | 'lines' | 'sentence'>,
  ari: Pick<AriCommands, 'setGlobal'>,
  log: Logger,
): Promise<void> {
  const { number = '', dialled = '' } = policy.neverRecorded;
  const globals = {
    PREAVIS_NEVER_NUMBER: number,
    PREAVIS_NEVER_DIALLED: dialled,
    // Of a caller whose language nobody has decided.
    PREAVIS_TURNED_AWAY: turnedAwaySounds(policy, policy.lines.get('default')?.defaultLanguages ?? []).join('&'),
  };
  try {
    for (const [name, value] of Object.entries(globals)) {
      await ari.setGlobal(name, value);
    }
  } catch (thrown) {
    const error = asPreavisError(thrown);
    if (error.code === 'ari_unreachable') throw error;
    log.warn({ code: error.code, err: error }, 'dialplan globals not set');
  }
}
