import { openCatalogue, type Catalogue } from '../catalogue/catalogue.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { systemClock, type Clock } from '../core/clock.ts';
import { makeLog, type Logger } from '../core/log.ts';
import { makeStore, webhookSubscribers } from '../parts.ts';
import { operatorOf } from './operator.ts';

/** What every command is given. */
export type CommandContext = {
  configFile: string;
  environment: NodeJS.ProcessEnv;
  clock: Clock;
  /** Writes a line for people or one JSON document to standard output. */
  print(text: string): void;
};

/** Exit codes: 0 done, 3 done but something needs attention; 1 and 2 are thrown as PreavisError. */
export type ExitCode = 0 | 3;

export const defaultConfigFile = '/etc/preavis/preavis.yaml';

export function makeContext(configFile: string | undefined, environment: NodeJS.ProcessEnv): CommandContext {
  return {
    configFile: configFile ?? environment['PREAVIS_CONFIG'] ?? defaultConfigFile,
    environment,
    clock: systemClock,
    print: (text) => {
      process.stdout.write(`${text}\n`);
    },
  };
}

export function configOf(context: CommandContext): Promise<Config> {
  return loadConfig(context.configFile, context.environment);
}

/** Commands say what happened in their result; with log.level debug their log goes to standard error, for an operator to read. */
export function commandLog(config: Config): Logger {
  return makeLog(config.log.level === 'debug' ? 'debug' : 'silent', process.stderr, { stacks: 'internal' });
}

/** What parts are made of for a command that an operator answers for in the audit trail. */
export function operatorParts(context: CommandContext, config: Config, catalogue: Catalogue) {
  return {
    config,
    catalogue,
    store: makeStore(config, catalogue),
    clock: context.clock,
    log: commandLog(config),
    actor: operatorOf(context.environment),
  };
}

/** Opens the catalogue for one step and closes it whatever happens. */
export async function withCatalogue<T>(
  config: Config,
  clock: Clock,
  step: (catalogue: Catalogue) => Promise<T>,
): Promise<T> {
  const catalogue = openCatalogue(config.catalogue.file, clock, {
    mustExist: true,
    webhooks: webhookSubscribers(config),
    unreadable: (recording, error) => {
      process.stderr.write(
        `preavis: ${error.code}: ${recording}: ${error.message}; it was left aside\n  ${error.hint}\n`,
      );
    },
  });
  try {
    return await step(catalogue);
  } finally {
    catalogue.close();
  }
}
