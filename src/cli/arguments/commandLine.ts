import type { Command } from 'commander';
import type { CommandContext, Program } from '../context.ts';

/** A command: it takes its arguments, then its options, and gives its exit code. */
type Run = (context: CommandContext, ...given: never[]) => Promise<number>;

/** Makes the action of a command, which is loaded only when it runs. */
export type RunAs = (load: () => Promise<Run>) => (...given: unknown[]) => Promise<void>;

/** @param done takes the exit code */
export function makeRun(context: () => CommandContext, program: Program, done: (code: number) => void): RunAs {
  return (load) =>
    async (...given) => {
      const run = await load();
      // Behind the options commander gives its own object of the command.
      const typed = given.slice(0, -1);
      done(await run(context(), ...([...typed, program] as never[])));
    };
}

/** Of a list. */
export const controllerFilter = [
  '--controller <name>',
  'only those of this company of controllers; own: of none',
] as const;
/** Of a list. */
export const dialledFilter = [
  '--dialled <number>',
  'only incoming calls of this number of yours, such as +32 2 555 01 00 (privacy.dialledDays)',
] as const;
/** Of a list. */
export const pbxFilter = ['--pbx <name>', 'only those of calls that came to the PBX of this name (ari.pbx)'] as const;
/** Of what is made for one company. */
export const controllerOption = [
  '--controller <name>',
  'for this company of controllers; own: for the lines of none; required where there are controllers',
] as const;

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
