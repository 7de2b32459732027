import type { Command } from 'commander';
import { recordingStatuses } from '../../catalogue/statuses.ts';
import { controllerFilter, dialledFilter, jsonOption, pbxFilter, type RunAs } from './commandLine.ts';
import { addDoubts, addHolds } from './retention.ts';

export function addRecordings(root: Command, run: RunAs): void {
  const recordings = root
    .command('recordings')
    .description('list, show and fetch recordings, compare them with the archive');
  recordings
    .command('list')
    .description('list recordings, newest first')
    .option('--status <status>', `only those with this status: ${recordingStatuses.join(', ')}`)
    .option('--purpose <purpose>', 'only those that may still be used for this purpose')
    .option(
      '--day <day>',
      'only those that began on this day of the local time, such as 2026-08-24, today or yesterday',
    )
    .option('--line <line>', 'only those of calls on this line')
    .option(...controllerFilter)
    .option(...dialledFilter)
    .option(...pbxFilter)
    .option('--exemplary', 'only those that somebody has marked as exemplary')
    .option('--limit <number>', 'at most this many', '50')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/recordings.ts')).recordingsList));
  recordings
    .command('show <id>')
    .description('show one recording: call, notice, file, archive and history')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/recordings.ts')).recordingsShow));
  recordings
    .command('fetch <id>')
    .description('fetch the WAV of one recording for one of its purposes, until the end of that purpose; audited')
    .requiredOption('--purpose <purpose>', 'the purpose it is needed for')
    .requiredOption('-o, --output <file>', 'the file to make, for its owner only')
    .option('--force', 'replace a file that is there already')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/fetch.ts')).recordingsFetch));
  recordings
    .command('reconcile')
    .description('compare recording folder, catalogue and archive; repair what is safe; exit 3 when something is left')
    .option('--dry-run', 'only print what is found; change nothing')
    .option('--yes', 'do not ask on a terminal')
    .option('--verify', 'read every object back, and look for earlier versions of what was erased')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/retention/reconcile.ts')).recordingsReconcile));
  addHolds(recordings, run);
  addDoubts(recordings, run);
}
