import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';

/** What every command of the command line is given. */
export type CommandLine = {
  context: () => CommandContext;
  /** Takes the exit code. */
  done: (code: number) => void;
  /** Of standard input: a telephone number that no shell keeps. */
  firstLine: () => Promise<string>;
  version: string;
};

export type Json = { json: boolean };
export const jsonOption = ['--json', 'print one JSON document'] as const;

/** A switch that is not given is `false`. As a default of commander it would stand in the help of each. */
export function addSwitches(root: Command): void {
  root.hook('preAction', (_, command) => {
    for (const option of command.options) {
      const name = option.attributeName();
      if (option.isBoolean() && command.getOptionValue(name) === undefined) command.setOptionValue(name, false);
    }
  });
}
