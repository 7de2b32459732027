import type { Command } from 'commander';
import { jsonOption, type RunAs } from './commandLine.ts';

export function addDialplan(root: Command, run: RunAs): void {
  const dialplan = root.command('dialplan').description('what Asterisk does with a call');
  dialplan
    .command('lint')
    .description(
      'look in a dialplan for recorders that callers reach untold and for what Préavis would refuse; exit 3 when anything is found',
    )
    .argument('[files...]', 'extensions.conf or others of its kind; what they include is read with them')
    .option('--live', 'ask the Asterisk that runs on this machine (asterisk -rx "dialplan show")')
    .option('--etc <folder>', "Asterisk's configuration folder, where #include begins (default: that of the file)")
    .option('--features <file>', 'features.conf with the codes of a talk (default: the one beside the first file)')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/dialplan.ts')).dialplanLint));
}
