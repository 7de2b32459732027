import type { Command } from 'commander';
import { holdGrounds } from '../../catalogue/holdGrounds.ts';
import { jsonOption, type RunAs } from './commandLine.ts';

/** Arguments of the commands around retention. */

export function addRetention(root: Command, run: RunAs): void {
  const retention = root.command('retention').description('erase recordings whose time is over');
  retention
    .command('run')
    .description('one pass; safe beside a running serve')
    .option('--dry-run', 'only list what is due, and what a lock keeps; change nothing')
    .option('--yes', 'do not ask on a terminal')
    .option('--clock-is-right', 'erase what is due although the last pass was long ago: you have checked the clock')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/retention/retention.ts')).retentionRun));
  retention
    .command('shorten')
    .description('apply a shortened storage time to earlier recordings; without --apply only print what would change')
    .requiredOption('--purpose <purpose>', 'the purpose whose keepDays is shorter now')
    .option('--apply', 'do it; it cannot be undone')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/retention/retention.ts')).retentionShorten));
}

export function addHolds(recordings: Command, run: RunAs): void {
  recordings
    .command('hold <id>')
    .description('keep a recording beyond its end')
    .requiredOption('--ground <ground>', `why the law allows it: ${holdGrounds.join(', ')}`)
    .requiredOption('--reason <text>', 'in words, for whoever reviews it')
    .requiredOption('--until <day>', 'the last day on which it is kept, such as 2027-12-31')
    .option('--review <day>', 'when to look whether it is still needed (default: in 180 days)')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/retention/legalHolds.ts')).recordingsHold));
  recordings
    .command('release <hold>')
    .description('end a hold before its last day')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/retention/legalHolds.ts')).recordingsRelease));
  recordings
    .command('holds')
    .description('list the holds that keep recordings now; exit 3 when one is to be reviewed')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/retention/legalHolds.ts')).recordingsHolds));
}

export function addDoubts(recordings: Command, run: RunAs): void {
  recordings
    .command('doubts')
    .description('list recordings whose end is in doubt, with the time of each clock; exit 3 when there is one')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/retention/doubts.ts')).recordingsDoubts));
  recordings
    .command('settle [ids...]')
    .description('decide when recordings in doubt ended: what is then due is erased')
    .option('--all', 'every one that is not settled')
    .option('--ended <time>', 'when it ended, such as 2027-01-31T14:05:00Z')
    .option('--by <witness>', 'when this witness says that it ended, of those that are listed')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/retention/doubts.ts')).recordingsSettle));
}

export function addCertificates(root: Command, run: RunAs): void {
  const certificates = root.command('certificates').description('the proofs of erasure');
  certificates
    .command('list')
    .description('list certificates, newest first')
    .option('--limit <number>', 'at most this many', '50')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/retention/certificates.ts')).certificatesList));
  certificates
    .command('show <certificate>')
    .description('show a certificate by its number or the id of its recording; exit 3 when its key is not trusted')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/retention/oneCertificate.ts')).certificatesShow));
  certificates
    .command('export <certificates...>')
    .description(
      'write certificates, by their numbers or the ids of their recordings, into a file for others to verify; exit 3 when a key is not trusted',
    )
    .requiredOption('-o, --output <file>', 'the file to make, for its owner only')
    .option('--force', 'replace a file that is there already')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/retention/oneCertificate.ts')).certificatesExport));
  certificates
    .command('verify')
    .description(
      'check signatures, chain, audit trail with its heads, and that the archive has nothing of it; exit 3 on a fault',
    )
    .option('--offline', 'do not ask the archive')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/retention/certificates.ts')).certificatesVerify));
  certificates
    .command('replay')
    .description('after a backup was restored: erase again what the ledger and the archive say was erased')
    .option('--dry-run', 'only print what would be erased')
    .option('--restored', 'sign that an older catalogue was restored on purpose, so that it is no longer a fault')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/retention/certificates.ts')).certificatesReplay));
}
