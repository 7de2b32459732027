import { asPreavisError } from '../../core/errors.ts';
import { ExtensionWatch } from '../watch/extensionWatch.ts';
import type { Owners } from './owners.ts';
import type { RegistryPorts } from './ports.ts';

/** Keeps who of the house was in the calls of these owners; undefined where that is not kept. */
export function watchExtensions(
  { extensions: keeper, policy, log }: Pick<RegistryPorts, 'extensions' | 'policy' | 'log'>,
  owners: Owners,
): ExtensionWatch | undefined {
  if (keeper === undefined) return undefined;

  return new ExtensionWatch({
    keeper,
    callsOf: ({ bridgeId, channelId, endpoint }) => {
      const sessions = new Set([...owners.all(bridgeId), ...owners.all(channelId)]);

      return [...sessions].flatMap(({ state: { facts } }) =>
        endpoint !== undefined && policy.staffOf(facts.request?.line).has(endpoint) ? [facts.id] : [],
      );
    },
    failed: (call, thrown) => {
      const error = asPreavisError(thrown);
      log.warn({ call, code: error.code, err: error }, 'extension not stored');
    },
  });
}
