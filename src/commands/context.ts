import { systemClock, type Clock } from '../core/clock.ts';

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
