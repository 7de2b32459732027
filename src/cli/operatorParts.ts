import type { Catalogue } from '../catalogue/catalogue.ts';
import type { Config } from '../config/schema.ts';
import { makeLog, type Logger } from '../core/log.ts';
import { makeArchives } from '../services/store.ts';
import type { CommandContext } from './context.ts';
import { operatorOf } from './operator.ts';

/** Commands say what happened in their result; with log.level debug their log goes to standard error, for an operator to read. */
export function commandLog(config: Config): Logger {
  return makeLog(config.log.level === 'debug' ? 'debug' : 'silent', process.stderr, { stacks: 'internal' });
}

/** What parts are made of for a command that an operator answers for in the audit trail. */
export async function operatorParts(context: CommandContext, config: Config, catalogue: Catalogue) {
  return {
    config,
    catalogue,
    ...(await makeArchives(config, catalogue)),
    clock: context.clock,
    log: commandLog(config),
    actor: operatorOf(context.environment),
  };
}
