import type { Config } from '../config/schema.ts';
import { makeLog, type Logger } from '../core/log.ts';
import { makeServices, type Services } from '../services/services.ts';
import { withCatalogueOf } from './withCatalogue.ts';
import type { CommandContext } from './context.ts';

/** Commands say what happened in their result; with log.level debug their log goes to standard error, for an operator to read. */
export function commandLog(config: Config): Logger {
  return makeLog(config.log.level === 'debug' ? 'debug' : 'silent', process.stderr, { stacks: 'internal' });
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

  return withCatalogueOf(context, config, (catalogue) =>
    step(makeServices({ config, catalogue, clock, log: commandLog(config), actor })),
  );
}
