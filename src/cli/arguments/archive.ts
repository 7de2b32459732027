import type { Command } from 'commander';
import { jsonOption, type RunAs } from './commandLine.ts';

export function addArchive(root: Command, run: RunAs): void {
  const archive = root.command('archive').description('manage the archive of recordings');
  archive
    .command('rewrap')
    .description('wrap the keys of all archived recordings under the current key; their audio is not changed')
    .option('--dry-run', 'only print how many there are')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/rewrap.ts')).archiveRewrap));
  archive
    .command('move')
    .description(
      'move recordings from the archives of archive.former into the configured one; safe beside a running serve',
    )
    .option('--dry-run', 'only print how much would be moved, and whether it can be')
    .option('--remove-old', 'then delete each moved recording from its old archive, after reading it back once more')
    .option(
      '--moved <location>',
      'its objects were moved here by other means: read each back here, without access to it',
    )
    .option('--decrypt', 'move encrypted recordings to an archive that Préavis does not encrypt')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/archiveMove.ts')).archiveMove));
  archive
    .command('lifecycle')
    .description('print or write the bucket rule that deletes what retention has left; exit 3 when it differs')
    .option('--apply', 'write it; other rules are kept')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/archive.ts')).archiveLifecycle));
}
