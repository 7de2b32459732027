import { flagEndedUnwatched } from '../archive/finish/endedUnwatched.ts';
import { Deadman } from '../ari/deadman.ts';
import { deadmanOf, deadmanTrialOf } from '../ari/deadmanRequests.ts';
import type { AriConnection } from '../ari/connection.ts';
import type { CallRegistry } from '../call/registry.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { Config } from '../config/schema.ts';
import type { IdMaker } from '../core/ids.ts';
import type { Logger } from '../core/log.ts';
import type { Ari } from './ari.ts';

/** What ends recorders when nobody watches. */
export type DeadmanParts = {
  config: Config;
  ari: Ari;
  catalogue: Catalogue;
  registry: CallRegistry;
  connection: AriConnection;
  log: Logger;
  ids: IdMaker;
  isMissing: (isMissing: boolean) => void;
  /** Whether the application is ours, and the calls were compared with Asterisk since it is. */
  isUpToDate(): boolean;
};

export async function makeDeadman(parts: DeadmanParts): Promise<Deadman> {
  const { config, ari, catalogue, registry, connection, log } = parts;
  const { spoolFolder } = config.recording;

  return new Deadman({
    ari: { ...ari.deadman, hasModule: (name) => ari.commands.hasModule(name) },
    channel: deadmanOf(config.ari.application, await catalogue.identity()),
    limitSeconds: config.recording.unwatchedSeconds,
    isWatching: () => connection.isOpen && parts.isUpToDate(),
    answers: (withinMs) => connection.answers(withinMs),
    isCallOn: () => registry.states.length > 0,
    recordersEnded: async (at) => {
      for (const recording of await flagEndedUnwatched(at, { catalogue, spoolFolder, actor: 'serve' })) {
        log.warn({ recording }, 'recorder ended: unwatched too long');
      }
    },
    trial: () => deadmanTrialOf(config.ari.application, parts.ids.channel()),
    isMissing: parts.isMissing,
    log,
  });
}
