/** What Préavis itself calls a fault. */
import type { Rig } from '../../../lab/rig.ts';
import { catalogueRecordings } from '../rig/rigs.ts';

/** The warnings and errors of its log. Those about a recording do not name its call: of calls that were placed in vain they do not count. */
export async function loggedFaults(rig: Rig): Promise<Record<string, unknown>[]> {
  const counted = new Set<unknown>((await catalogueRecordings(rig)).map(({ id }) => id));

  return rig
    .log()
    .filter(({ level }) => level !== 'info' && level !== 'debug')
    .filter(({ recording }) => recording === undefined || counted.has(recording));
}
