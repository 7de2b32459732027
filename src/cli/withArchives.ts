import type { Config } from '../config/schema.ts';
import { addArchives, type ArchiveServices } from '../services/store.ts';
import type { CommandContext } from './context.ts';
import { withServices } from './withServices.ts';

/** As withServices, with the archives: nothing is asked of them yet. */
export function withArchives<T>(
  context: CommandContext,
  config: Config,
  actor: string,
  step: (services: ArchiveServices) => Promise<T>,
): Promise<T> {
  return withServices(context, config, actor, async (services) => step(await addArchives(services)));
}
