import { asPreavisError } from '../../core/errors.ts';
import type { BridgeMap } from '../watch/bridgeMap.ts';
import { ExtensionWatch } from '../watch/extensionWatch.ts';
import type { StaffWatch } from '../watch/staff.ts';
import type { Owners } from './owners.ts';
import type { RegistryPorts } from './ports.ts';

/** Who is where in Asterisk, as far as its events tell. */
type Seen = { owners: Owners; map: Pick<BridgeMap, 'joinedTo' | 'membersOf'>; staff: Pick<StaffWatch, 'endpointOf'> };

/**
 * Keeps who of the house was in the calls of these owners; undefined where that is not kept. Whoever answers for a queue or a follow-me is
 * often behind a Local/ channel, in a bridge that no call knows: they count once that bridge is joined to the caller's, whichever of the two
 * sides came first.
 */
export function watchExtensions(
  { extensions: keeper, policy, log }: Pick<RegistryPorts, 'extensions' | 'policy' | 'log'>,
  { owners, map, staff }: Seen,
): ExtensionWatch | undefined {
  if (keeper === undefined) return undefined;

  return new ExtensionWatch({
    keeper,
    presentIn: ({ bridgeId, channelId }) => {
      const bridges = [...map.joinedTo(bridgeId)];
      const channels = new Set([channelId, ...bridges.flatMap((each) => [...map.membersOf(each)])]);
      // Of a channel only the call whose caller it is: whoever else was in a call may be asking a colleague elsewhere just now.
      const ofCallers = [...channels].flatMap((channel) =>
        owners.all(channel).filter(({ state }) => state.facts.callerChannel === channel),
      );
      const sessions = new Set([...bridges.flatMap((each) => owners.all(each)), ...ofCallers]);
      const endpoints = [...channels].flatMap((channel) => staff.endpointOf(channel) ?? []);

      return [...sessions].map(({ state: { facts } }) => {
        const staffOfLine = policy.staffOf(facts.request?.line);

        return { call: facts.id, telephones: endpoints.filter((endpoint) => staffOfLine.has(endpoint)) };
      });
    },
    failed: (call, thrown) => {
      const error = asPreavisError(thrown);
      log.warn({ call, code: error.code, err: error }, 'extension not stored');
    },
  });
}
