import { purposeOf } from '../config/purposeRules.ts';
import { dayMs, isoTime } from '../core/clock.ts';
import { counted } from '../core/counted.ts';
import { PreavisError, type ErrorCode } from '../core/errors.ts';
import { decisionsOf, retentionPorts } from '../parts/retention.ts';
import { makeArchives } from '../parts/store.ts';
import { retentionPass } from '../retention/enforcer.ts';
import { shortenPass, type Shortened } from '../retention/shorten.ts';
import { logEmptied, logHeld } from '../catalogue/emptyLog.ts';
import { withCatalogue } from './catalogue.ts';
import { configOf } from './config.ts';
import type { CommandContext, ExitCode } from './context.ts';
import { intoLedger, notCopied } from './intoLedger.ts';
import { commandLog } from './operatorParts.ts';
import { beginLongWork } from './longWork.ts';
import { operatorOf } from './operator.ts';
import { table } from './table.ts';

export type RetentionCommandOptions = { dryRun: boolean; json: boolean; clockIsRight?: boolean };

const waitMs = 30_000;
/** For others that work with the write-ahead log of the catalogue. */
const logWaitMs = 5_000;
/** Recordings that a pass names one by one for people; the others are counted. */
const mostShown = 1_000;

/** One retention pass. Exit 3 when something due could not be erased, or clocks disagree about something; what a lock keeps is told once. */
export async function retentionRun(context: CommandContext, options: RetentionCommandOptions): Promise<ExitCode> {
  const { dryRun, json, clockIsRight = false } = options;
  const config = await configOf(context);
  const work = beginLongWork('what was not yet erased is left to the next pass', json);

  return withCatalogue<ExitCode>(config, context.clock, async (catalogue) => {
    const archives = await makeArchives(config, catalogue);
    const log = commandLog(config);
    const ports = retentionPorts({ config, catalogue, ...archives, clock: context.clock, log, actor: 'command' });
    const recordings: { id: string; keepUntil: string | null; outcome: 'due' | 'erased' | ErrorCode }[] = [];
    const { due, erased, held, locked, doubtful, head } = await retentionPass(ports, {
      dryRun,
      clockIsRight,
      waitMs,
      signal: work.signal,
      progress: work.progress,
      told: ({ id, keepUntil, outcome }) => {
        if (!json && recordings.length === mostShown) return;
        recordings.push({ id, keepUntil: keepUntil === null ? null : isoTime(keepUntil), outcome });
      },
    }).finally(work.end);
    const isLogEmptied = dryRun || (await logEmptied(catalogue, logWaitMs));
    if (json) {
      const counts = { due, erased, held, locked, doubtful, head };
      context.print(JSON.stringify({ dryRun, ...counts, logEmptied: isLogEmptied, recordings }, undefined, 2));
    } else {
      if (recordings.length > 0) {
        context.print(
          table(
            ['RECORDING', 'KEPT UNTIL', 'OUTCOME'],
            recordings.map((each) => [each.id, each.keepUntil ?? '', each.outcome]),
          ),
        );
        if (due > recordings.length) context.print(`... and ${due - recordings.length} more (--json names all)`);
      }
      const doubts =
        doubtful === 0
          ? ''
          : `; ${counted(doubtful, 'waits', 'wait')} for preavis recordings settle, since clocks disagree`;
      const locks = locked === 0 ? '' : `; a lock in the archive keeps ${locked} more, as was told before`;
      const kept = `${held === 0 ? '' : `; a hold keeps ${held} more`}${locks}${doubts}`;
      context.print(
        dryRun ? `${counted(due, 'recording is', 'recordings are')} due${kept}` : `${due} due, ${erased} erased${kept}`,
      );
      if (!isLogEmptied) context.print(logHeld);
      if (head !== 'kept' && head !== 'unsigned') {
        context.print(
          `the head of the audit trail is not yet signed, or not in ledger and archive (${head}); serve tries again`,
        );
      }
    }
    const isHeadKept = dryRun || head === 'kept';

    return isLogEmptied && isHeadKept && doubtful === 0 && (dryRun || erased === due) ? 0 : 3;
  });
}

/**
 * Applies a storage time that was shortened to the recordings that were made before. Without `apply` it only says what would
 * change. A storage time that was made longer changes nothing: callers were told the shorter one.
 */
export async function retentionShorten(
  context: CommandContext,
  { purpose, apply, json }: { purpose: string; apply: boolean; json: boolean },
): Promise<ExitCode> {
  const config = await configOf(context);
  const policy = purposeOf(config.purposes, purpose);
  if (policy === undefined) {
    throw new PreavisError('usage', `--purpose is one of ${Object.keys(config.purposes).join(', ')}`);
  }

  return withCatalogue<ExitCode>(config, context.clock, async (catalogue) => {
    const actor = operatorOf(context.environment);
    const order = { purpose, keepMs: policy.keepDays * dayMs, apply };
    const decisions = decisionsOf({ config, catalogue, clock: context.clock, actor });
    const pass = (): Promise<Shortened> => shortenPass({ catalogue, decisions, clock: context.clock }, order);
    const { result, copyFailure } = apply
      ? await intoLedger(config, catalogue, pass)
      : { result: await pass(), copyFailure: undefined };
    if (json) {
      const lockedUntil = result.lockedUntil === undefined ? null : isoTime(result.lockedUntil);
      const failure = { copyFailure: copyFailure ?? null };
      const document = { purpose, keepDays: policy.keepDays, applied: apply, ...result, lockedUntil, ...failure };
      context.print(JSON.stringify(document, undefined, 2));
    } else {
      context.print([inWords(purpose, policy.keepDays, apply, result), ...notCopied(copyFailure)].join('\n'));
    }

    return copyFailure === undefined ? 0 : 3;
  });
}

function inWords(
  purpose: string,
  keepDays: number,
  applied: boolean,
  { longer, over, held, otherPurpose, locked, lockedUntil }: Shortened,
): string {
  if (longer === 0) return `no recording is kept for ${purpose} longer than ${counted(keepDays, 'day')}`;
  const what = `${counted(longer, 'recording')} ${applied ? (longer === 1 ? 'is now' : 'are now') : 'would be'} kept for ${purpose} for ${counted(keepDays, 'day')}`;

  return [
    `${what}; for ${over} of them that time is over`,
    ...(held === 0 ? [] : [`a hold keeps ${held} of these`]),
    ...(otherPurpose === 0 ? [] : [`another purpose keeps ${otherPurpose} of these`]),
    ...(lockedUntil === undefined
      ? []
      : [
          `${counted(locked, 'of these was archived with an Object Lock, which keeps it', 'of these were archived with an Object Lock, which keeps them')} until ${isoTime(lockedUntil)} at the latest`,
        ]),
    ...(applied ? [] : ['Nothing was changed: give --apply to do it. It cannot be undone.']),
  ].join('\n');
}
