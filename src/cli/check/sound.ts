import { dropsEarlierNumbers } from '../../ari/knownFaults.ts';
import type { AriQueries } from '../../ari/port.ts';
import type { ChannelId } from '../../core/ids.ts';
import type { CheckResult } from './checklist.ts';

/** Whether parties can hear, and be heard, as far as Asterisk can be asked. */

/** A warning where packets cannot be asked about; undefined where they can. */
export async function packetsWarning(
  ari: Pick<AriQueries, 'refusedQuestions'>,
  nobody: ChannelId,
): Promise<string | undefined> {
  const refused = await ari.refusedQuestions(nobody);
  if (refused.length === 0) return undefined;

  return (
    `${refused.join(' and ')} of channels: refused before Asterisk. So nobody sees that a notice was not received, or that a party is ` +
    'not heard any more. Let it pass as config/ari-requests.txt has it'
  );
}

export function soundFinding(version: string): CheckResult {
  const fault =
    `Asterisk ${version} drops the sound of a party whose RTP continues with lower sequence numbers, in each bridge that records. ` +
    'Préavis checks each party once a second and restores their sound. The fault is in the package of Debian and Ubuntu only';

  return {
    check: 'sound after a change of its source',
    ok: true,
    ...(dropsEarlierNumbers(version) ? { notes: [fault] } : {}),
  };
}
