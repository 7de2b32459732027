import type { Config } from '../config/schema.ts';
import type { Logger } from '../core/log.ts';
import { makeServices, type Services } from '../services/services.ts';
import { withCatalogueOf } from './withCatalogue.ts';
import type { CommandContext } from './context.ts';

const nothing = (): void => undefined;
const silentLog: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing, child: () => silentLog };

/**
 * Commands say what happened in their result; with log.level debug their log goes to standard error, for an operator to read. Only then is
 * pino loaded, which takes a tenth of the time of a short command.
 */
export async function commandLog(config: Config): Promise<Logger> {
  if (config.log.level !== 'debug') return silentLog;
  const { makeLog } = await import('../core/log.ts');

  return makeLog('debug', process.stderr, { stacks: 'internal' });
}

/**
 * Opens the catalogue for one step, with what a command does by itself, and closes it whatever happens. What needs the archives, too, takes
 * `withArchives`.
 *
 * @param actor `command`, or the operator who answers for it in the audit trail
 */
export function withServices<T>(
  context: CommandContext,
  config: Config,
  actor: string,
  step: (services: Services) => Promise<T>,
): Promise<T> {
  const { clock } = context;

  return withCatalogueOf(context, config, async (catalogue) =>
    step(makeServices({ config, catalogue, clock, log: await commandLog(config), actor })),
  );
}
