import type { Command } from 'commander';
import { holdGrounds } from '../catalogue/holdGrounds.ts';
import type { CommandContext } from './context.ts';

/** Arguments of the commands around retention. */

type Common = { json?: true };
type Done = (code: number) => void;

const jsonOption = ['--json', 'print one JSON document'] as const;

export function addHoldCommands(recordings: Command, context: () => CommandContext, done: Done): void {
  recordings
    .command('hold <id>')
    .description('keep a recording beyond its end')
    .requiredOption('--ground <ground>', `why the law allows it: ${holdGrounds.join(', ')}`)
    .requiredOption('--reason <text>', 'in words, for whoever reviews it')
    .requiredOption('--until <day>', 'the last day on which it is kept, such as 2027-12-31')
    .option('--review <day>', 'when to look whether it is still needed (default: in 180 days)')
    .option(...jsonOption)
    .action(
      async (
        id: string,
        { json, ...hold }: Common & { ground: string; reason: string; until: string; review?: string },
      ) => {
        const { recordingsHold } = await import('./commands/retention/legalHolds.ts');
        done(await recordingsHold(context(), id, { ...hold, review: hold.review, json: json === true }));
      },
    );
  recordings
    .command('release <hold>')
    .description('end a hold before its last day')
    .option(...jsonOption)
    .action(async (id: string, { json }: Common) => {
      const { recordingsRelease } = await import('./commands/retention/legalHolds.ts');
      done(await recordingsRelease(context(), id, json === true));
    });
  recordings
    .command('holds')
    .description('list the holds that keep recordings now; exit 3 when one is to be reviewed')
    .option(...jsonOption)
    .action(async ({ json }: Common) => {
      const { recordingsHolds } = await import('./commands/retention/legalHolds.ts');
      done(await recordingsHolds(context(), json === true));
    });
}

export function addDoubtCommands(recordings: Command, context: () => CommandContext, done: Done): void {
  recordings
    .command('doubts')
    .description('list recordings whose end is in doubt, with the time of each clock; exit 3 when there is one')
    .option(...jsonOption)
    .action(async ({ json }: Common) => {
      const { recordingsDoubts } = await import('./commands/retention/doubts.ts');
      done(await recordingsDoubts(context(), json === true));
    });
  recordings
    .command('settle [ids...]')
    .description('decide when recordings in doubt ended: what is then due is erased')
    .option('--all', 'every one that is not settled')
    .option('--ended <time>', 'when it ended, such as 2027-01-31T14:05:00Z')
    .option('--by <witness>', 'when this witness says that it ended, of those that are listed')
    .option(...jsonOption)
    .action(async (ids: string[], { json, ...chosen }: Common & { all?: true; ended?: string; by?: string }) => {
      const { recordingsSettle } = await import('./commands/retention/doubts.ts');
      const { all, ended, by } = chosen;
      done(await recordingsSettle(context(), { ids, all: all === true, ended, by, json: json === true }));
    });
}

export function addCertificateCommands(root: Command, context: () => CommandContext, done: Done): void {
  const certificates = root.command('certificates').description('the proofs of erasure');
  certificates
    .command('list')
    .description('list certificates, newest first')
    .option('--limit <number>', 'at most this many', '50')
    .option(...jsonOption)
    .action(async ({ limit, json }: Common & { limit: string }) => {
      const { certificatesList } = await import('./commands/retention/certificates.ts');
      done(await certificatesList(context(), { limit, json: json === true }));
    });
  certificates
    .command('verify')
    .description(
      'check signatures, chain, audit trail with its heads, and that the archive has nothing of it; exit 3 on a fault',
    )
    .option('--offline', 'do not ask the archive')
    .option(...jsonOption)
    .action(async ({ offline, json }: Common & { offline?: true }) => {
      const { certificatesVerify } = await import('./commands/retention/certificates.ts');
      done(await certificatesVerify(context(), { offline: offline === true, json: json === true }));
    });
  certificates
    .command('replay')
    .description('after a backup was restored: erase again what the ledger and the archive say was erased')
    .option('--dry-run', 'only print what would be erased')
    .option('--restored', 'sign that an older catalogue was restored on purpose, so that it is no longer a fault')
    .option(...jsonOption)
    .action(async ({ dryRun, restored, json }: Common & { dryRun?: true; restored?: true }) => {
      const { certificatesReplay } = await import('./commands/retention/certificates.ts');
      const chosen = { dryRun: dryRun === true, restored: restored === true, json: json === true };
      done(await certificatesReplay(context(), chosen));
    });
}
