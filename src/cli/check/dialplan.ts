import { networkInterfaces } from 'node:os';
import type { Config } from '../../config/schema.ts';
import { asPreavisError } from '../../core/errors.ts';
import type { Policy } from '../../policy/policy.ts';
import { amountsInWords, liveLint } from '../commands/dialplan.ts';
import type { CheckResult } from './checklist.ts';

/** Whether an address of ARI is this machine's: only here Asterisk shows its dialplan. */
function isHere(url: string): boolean {
  const host = new URL(url).hostname.replace(/^\[(.*)\]$/, '$1');
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);

  return host === 'localhost' || host.startsWith('127.') || own.some(({ address }) => address === host);
}

const check = 'dialplan';

const notLookedAt = (why: string): CheckResult => ({ check, ok: true, notes: [`not looked at: ${why}`] });

/** What lint says of the dialplan that runs: for people to judge. Where Asterisk does not show it, nothing is wrong. */
export async function dialplanFinding(
  config: Config,
  policy: Policy,
  environment: NodeJS.ProcessEnv,
): Promise<CheckResult> {
  if (!isHere(config.ari.url)) return notLookedAt('Asterisk is not on this machine (preavis dialplan lint FILE)');
  try {
    const { faults } = await liveLint(config, policy, environment);

    return faults.length === 0
      ? { check, ok: true }
      : { check, ok: true, warning: `${amountsInWords(faults)} (preavis dialplan lint --live)` };
  } catch (thrown) {
    const { code, message } = asPreavisError(thrown);
    if (code !== 'dialplan_not_shown') throw thrown;

    return notLookedAt(message);
  }
}
