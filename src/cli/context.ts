import { PreavisError } from '../core/errors.ts';
import { systemClock, type Clock } from '../core/clock.ts';

/** What every command is given. */
export type CommandContext = {
  configFile: string;
  environment: NodeJS.ProcessEnv;
  clock: Clock;
  /** Writes a line for people or one JSON document to standard output. */
  print(text: string): void;
  /** Asks who sits at the terminal, and is true for a yes. Absent where nobody does: in cron, a script's pipe, a test. Throws interrupted. */
  ask?: (question: string) => Promise<boolean>;
};

/** What a few commands ask of the program besides. */
export type Program = {
  /** The first line of standard input: a telephone number that no shell keeps. */
  firstLine(): Promise<string>;
  version: string;
};

export type Json = { json: boolean };

/** Prints one JSON document where --json asks for it, else the words for people. */
export function answer(
  { print }: Pick<CommandContext, 'print'>,
  json: boolean,
  document: unknown,
  words: () => readonly string[],
): void {
  if (json) print(JSON.stringify(document, undefined, 2));
  else for (const each of words()) print(each);
}

/** Exit codes: 0 done, 3 done but something needs attention; 1 and 2 are thrown as PreavisError. */
export type ExitCode = 0 | 3;

async function askAtTerminal(question: string): Promise<boolean> {
  const { createInterface } = await import('node:readline');
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return await new Promise((resolve, reject) => {
      // Ctrl-D.
      terminal.once('close', () => {
        resolve(false);
      });
      terminal.once('SIGINT', () => {
        reject(new PreavisError('interrupted', 'nothing was changed'));
      });
      terminal.question(`${question} [y/N] `, (answer) => {
        resolve(/^\s*y(es)?\s*$/i.test(answer));
      });
    });
  } finally {
    terminal.close();
  }
}

export const defaultConfigFile = '/etc/preavis/preavis.yaml';

export function makeContext(configFile: string | undefined, environment: NodeJS.ProcessEnv): CommandContext {
  return {
    configFile: configFile ?? environment['PREAVIS_CONFIG'] ?? defaultConfigFile,
    environment,
    clock: systemClock,
    print: (text) => {
      process.stdout.write(`${text}\n`);
    },
    ...(process.stdin.isTTY && process.stdout.isTTY ? { ask: askAtTerminal } : {}),
  };
}
