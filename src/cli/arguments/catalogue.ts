import type { Command } from 'commander';
import { jsonOption, type RunAs } from './commandLine.ts';

export function addCatalogue(root: Command, run: RunAs): void {
  const catalogue = root.command('catalogue').description('manage the catalogue');
  catalogue
    .command('move')
    .description(
      'move the SQLite catalogue of catalogue.file into the empty database of catalogue.postgres; with serve and web stopped',
    )
    .option('--dry-run', 'only print how much would be moved, and whether it can be')
    .option('--again', 'begin an unfinished move anew: the database is emptied first')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/catalogueMove.ts')).catalogueMove));
}
