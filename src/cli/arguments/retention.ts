import type { Command } from 'commander';
import { holdGrounds } from '../../catalogue/holdGrounds.ts';
import type { SettleOptions } from '../commands/retention/doubts.ts';
import type { HoldOptions } from '../commands/retention/legalHolds.ts';
import type { RetentionCommandOptions } from '../commands/retention/retention.ts';
import { jsonOption, type CommandLine, type Json } from './commandLine.ts';

/** Arguments of the commands around retention. */

export function addRetention(root: Command, { context, done }: CommandLine): void {
  const retention = root.command('retention').description('erase recordings whose time is over');
  retention
    .command('run')
    .description('one pass; safe beside a running serve')
    .option('--dry-run', 'only list what is due, and what a lock keeps; change nothing')
    .option('--yes', 'do not ask on a terminal')
    .option('--clock-is-right', 'erase what is due although the last pass was long ago: you have checked the clock')
    .option(...jsonOption)
    .action(async (options: RetentionCommandOptions) => {
      const { retentionRun } = await import('../commands/retention/retention.ts');
      done(await retentionRun(context(), options));
    });
  retention
    .command('shorten')
    .description('apply a shortened storage time to earlier recordings; without --apply only print what would change')
    .requiredOption('--purpose <purpose>', 'the purpose whose keepDays is shorter now')
    .option('--apply', 'do it; it cannot be undone')
    .option(...jsonOption)
    .action(async (options: Json & { purpose: string; apply: boolean }) => {
      const { retentionShorten } = await import('../commands/retention/retention.ts');
      done(await retentionShorten(context(), options));
    });
}

export function addHolds(recordings: Command, { context, done }: CommandLine): void {
  recordings
    .command('hold <id>')
    .description('keep a recording beyond its end')
    .requiredOption('--ground <ground>', `why the law allows it: ${holdGrounds.join(', ')}`)
    .requiredOption('--reason <text>', 'in words, for whoever reviews it')
    .requiredOption('--until <day>', 'the last day on which it is kept, such as 2027-12-31')
    .option('--review <day>', 'when to look whether it is still needed (default: in 180 days)')
    .option(...jsonOption)
    .action(async (id: string, options: HoldOptions) => {
      const { recordingsHold } = await import('../commands/retention/legalHolds.ts');
      done(await recordingsHold(context(), id, options));
    });
  recordings
    .command('release <hold>')
    .description('end a hold before its last day')
    .option(...jsonOption)
    .action(async (id: string, { json }: Json) => {
      const { recordingsRelease } = await import('../commands/retention/legalHolds.ts');
      done(await recordingsRelease(context(), id, json));
    });
  recordings
    .command('holds')
    .description('list the holds that keep recordings now; exit 3 when one is to be reviewed')
    .option(...jsonOption)
    .action(async ({ json }: Json) => {
      const { recordingsHolds } = await import('../commands/retention/legalHolds.ts');
      done(await recordingsHolds(context(), json));
    });
}

export function addDoubts(recordings: Command, { context, done }: CommandLine): void {
  recordings
    .command('doubts')
    .description('list recordings whose end is in doubt, with the time of each clock; exit 3 when there is one')
    .option(...jsonOption)
    .action(async ({ json }: Json) => {
      const { recordingsDoubts } = await import('../commands/retention/doubts.ts');
      done(await recordingsDoubts(context(), json));
    });
  recordings
    .command('settle [ids...]')
    .description('decide when recordings in doubt ended: what is then due is erased')
    .option('--all', 'every one that is not settled')
    .option('--ended <time>', 'when it ended, such as 2027-01-31T14:05:00Z')
    .option('--by <witness>', 'when this witness says that it ended, of those that are listed')
    .option(...jsonOption)
    .action(async (ids: string[], options: Omit<SettleOptions, 'ids'>) => {
      const { recordingsSettle } = await import('../commands/retention/doubts.ts');
      done(await recordingsSettle(context(), { ...options, ids }));
    });
}

export function addCertificates(root: Command, { context, done }: CommandLine): void {
  const certificates = root.command('certificates').description('the proofs of erasure');
  certificates
    .command('list')
    .description('list certificates, newest first')
    .option('--limit <number>', 'at most this many', '50')
    .option(...jsonOption)
    .action(async (options: Json & { limit: string }) => {
      const { certificatesList } = await import('../commands/retention/certificates.ts');
      done(await certificatesList(context(), options));
    });
  certificates
    .command('verify')
    .description(
      'check signatures, chain, audit trail with its heads, and that the archive has nothing of it; exit 3 on a fault',
    )
    .option('--offline', 'do not ask the archive')
    .option(...jsonOption)
    .action(async (options: Json & { offline: boolean }) => {
      const { certificatesVerify } = await import('../commands/retention/certificates.ts');
      done(await certificatesVerify(context(), options));
    });
  certificates
    .command('replay')
    .description('after a backup was restored: erase again what the ledger and the archive say was erased')
    .option('--dry-run', 'only print what would be erased')
    .option('--restored', 'sign that an older catalogue was restored on purpose, so that it is no longer a fault')
    .option(...jsonOption)
    .action(async (options: Json & { dryRun: boolean; restored: boolean }) => {
      const { certificatesReplay } = await import('../commands/retention/certificates.ts');
      done(await certificatesReplay(context(), options));
    });
}
