import type { AriCommands } from '../ari/port.ts';
import type { CallRegistry } from '../call/registry.ts';
import { SpoolMonitor } from '../call/plan/spoolMonitor.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { Config } from '../config/schema.ts';
import type { Logger } from '../core/log.ts';
import type { Metrics } from '../core/metrics.ts';

/** What looks at the room in the recording folder. */
export type SpoolParts = {
  config: Config;
  registry: CallRegistry;
  ari: AriCommands;
  catalogue: Catalogue;
  metrics: Metrics;
  log: Logger;
};

export function makeSpoolWatch({ config, registry, ari, catalogue, metrics, log }: SpoolParts): SpoolMonitor {
  const { spoolFolder, minimumFreeMib } = config.recording;

  return new SpoolMonitor({
    spoolFolder,
    minimumFreeMib,
    states: () => registry.states,
    ari,
    stopped: (id) => catalogue.note(id, { event: 'stopped for want of room', actor: 'serve' }),
    roomIs: metrics.spoolRoom,
    log,
  });
}
