import pLimit from 'p-limit';
import type { Lock } from '../../../store/objectLock.ts';
import type { RecordingRow } from '../../../catalogue/rows.ts';
import { purposeOf } from '../../../config/purposeRules.ts';
import { dayMs, isoTime } from '../../../core/clock.ts';
import { counted } from '../../../core/text/counted.ts';
import { PreavisError, type ErrorCode } from '../../../core/errors.ts';
import { retentionPass, type RetentionResult } from '../../../retention/pass.ts';
import { shortenPass, type Shortened } from '../../../retention/shorten.ts';
import { logEmptied, logHeld, logWaitMs } from '../../../catalogue/sqlite/emptyLog.ts';
import { configOf } from '../../configuration.ts';
import { answer, type CommandContext, type ExitCode } from '../../context.ts';
import { intoLedger, notCopied } from '../../../retention/intoLedger.ts';
import { beginProgress, waitMs } from '../../progress.ts';
import { operatorOf } from '../../operator.ts';
import { lockInWords, lockThatKeeps, shownLock } from '../../lockInWords.ts';
import { localTime, timeColumn } from '../../localTime.ts';
import { table, tableWidth, wrapped } from '../../table.ts';
import type { ArchiveServices } from '../../../services/store.ts';
import { withArchives } from '../../withArchives.ts';
import { withServices } from '../../withServices.ts';

type RetentionCommandOptions = { dryRun: boolean; json: boolean; yes?: boolean; clockIsRight?: boolean };

/** Recordings that a pass names one by one for people; the others are counted. */
const mostShown = 1_000;
/** In the plan before the question; a dry run names more. */
const mostPlanned = 20;

type Outcome = 'due' | 'erased' | ErrorCode;
type Reported = { row: RecordingRow; outcome: Outcome; lock: Lock | undefined };

/**
 * One retention pass. On a terminal the plan comes first, and a question; elsewhere, with `yes` and with `json` it acts at once. Exit 3
 * when something due was not erased, or clocks disagree about something; what a lock keeps is told once.
 */
export async function retentionRun(context: CommandContext, options: RetentionCommandOptions): Promise<ExitCode> {
  const { dryRun, json, yes = false } = options;
  const config = await configOf(context);

  return withArchives<ExitCode>(context, config, 'command', async (services) => {
    const pass = makePass(context, services, options);
    if (!dryRun && !yes && !json && !(await isWanted(context, pass))) {
      context.print('nothing was changed');
      return 3;
    }
    const done = await pass(dryRun, mostShown);
    const { due, erased, head, doubtful } = done.result;
    const isLogEmptied = dryRun || (await logEmptied(services.catalogue, logWaitMs));
    answer(context, json, shownPass(done, dryRun, isLogEmptied), () => [
      passInWords(done.result, done.recordings, { dryRun, more: '--json' }),
      ...(isLogEmptied ? [] : [logHeld]),
      ...(head === 'kept' || head === 'unsigned'
        ? []
        : [`the head of the audit trail is not yet signed, or not in ledger and archive (${head}); serve tries again`]),
    ]);
    const isHeadKept = dryRun || head === 'kept';

    return isLogEmptied && isHeadKept && doubtful === 0 && (dryRun || erased === due) ? 0 : 3;
  });
}

type Done = { result: RetentionResult; recordings: Reported[] };
/** @param most so many recordings are named at most, for people */
type Pass = (preview: boolean, most: number) => Promise<Done>;

function makePass(
  context: CommandContext,
  services: ArchiveServices,
  { json, clockIsRight = false }: RetentionCommandOptions,
): Pass {
  return async (preview, most) => {
    const undone = preview ? 'nothing was changed' : 'what was not yet erased is left to the next pass';
    const work = beginProgress(undone, json);
    try {
      const recordings: Reported[] = [];
      const result = await retentionPass(services, {
        dryRun: preview,
        clockIsRight,
        waitMs,
        signal: work.signal,
        progress: work.progress,
        report: (row, outcome) => {
          if (json || recordings.length < most) recordings.push({ row, outcome, lock: undefined });
        },
      });
      const lockPorts = { ...services, at: context.clock.now() };
      const limit = pLimit(services.atOnce);
      const look = async (each: Reported): Promise<void> => {
        each.lock = work.signal.aborted ? undefined : await lockThatKeeps(each.row, lockPorts, work.signal);
      };
      if (preview) await Promise.all(recordings.map((each) => limit(() => look(each))));
      if (preview) work.signal.throwIfAborted();

      return { result, recordings };
    } finally {
      work.end();
    }
  };
}

/** What somebody at a terminal says to the plan; true where nobody is there, or nothing is due. */
async function isWanted(context: CommandContext, pass: Pass): Promise<boolean> {
  if (context.ask === undefined) return true;
  const { result, recordings } = await pass(true, mostPlanned);
  const { due } = result;
  if (due === 0) return true;
  context.print(passInWords(result, recordings, { dryRun: true, more: '--dry-run' }));
  const kept = recordings.filter(({ lock }) => lock !== undefined).length;
  const what =
    due > kept ? `Erase ${counted(due - kept, 'recording')}?` : 'A lock keeps all that is due. Try it all the same?';

  return context.ask(`${what} It cannot be undone.`);
}

function shownPass({ result, recordings }: Done, dryRun: boolean, isLogEmptied: boolean) {
  const { due, erased, held, locked, doubtful, head } = result;
  const shown = recordings.map(({ row: { id, keepUntil }, outcome, lock }) => ({
    id,
    keepUntil: isoTime(keepUntil),
    outcome,
    ...(lock === undefined ? {} : { lock: shownLock(lock) }),
  }));

  return { dryRun, due, erased, held, locked, doubtful, head, logEmptied: isLogEmptied, recordings: shown };
}

function passInWords(
  { due, erased, held, locked, doubtful }: RetentionResult,
  recordings: readonly Reported[],
  { dryRun, more }: { dryRun: boolean; more: string },
): string {
  const until = timeColumn(
    'KEPT UNTIL',
    recordings.map(({ row }) => row.keepUntil),
  );
  const cells = recordings.map(({ row, outcome, lock }, index) => [
    row.id,
    until.cells[index] ?? '',
    lock === undefined ? outcome : `${outcome}, but ${lockInWords(lock)}`,
  ]);
  const lockedNow = recordings.filter(({ lock }) => lock !== undefined).length;
  const ofNamed = due > recordings.length ? ' of those named' : '';
  const kept = [
    ...(lockedNow === 0 ? [] : [`a lock keeps ${lockedNow}${ofNamed}`]),
    ...(held === 0 ? [] : [`a hold keeps ${held} more`]),
    ...(locked === 0 ? [] : [`a lock in the archive keeps ${locked} more, as was told before`]),
    ...(doubtful === 0
      ? []
      : [`${counted(doubtful, 'waits', 'wait')} for preavis recordings settle, since clocks disagree`]),
  ];
  const sum = dryRun ? `${counted(due, 'recording is', 'recordings are')} due` : `${due} due, ${erased} erased`;

  return [
    ...(recordings.length === 0 ? [] : [table(['RECORDING', until.header, 'OUTCOME'], cells)]),
    ...(due > recordings.length ? [`... and ${due - recordings.length} more (${more} names all)`] : []),
    ...wrapped([sum, ...kept].join('; '), tableWidth),
  ].join('\n');
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

  const work = beginProgress('not every recording was looked at; run it again', json);

  return withServices<ExitCode>(context, config, operatorOf(context.environment), async (services) => {
    const { signal, progress } = work;
    const order = { purpose, keepMs: policy.keepDays * dayMs, apply, signal, progress };
    const pass = (): Promise<Shortened> => shortenPass(services, order).finally(work.end);
    const { result, copyFailure } = apply
      ? await intoLedger(services, pass)
      : { result: await pass(), copyFailure: undefined };
    const lockedUntil = isoTime(result.lockedUntil ?? null);
    const failure = { copyFailure: copyFailure ?? null };
    const document = { purpose, keepDays: policy.keepDays, applied: apply, ...result, lockedUntil, ...failure };
    answer(context, json, document, () => [
      inWords(purpose, policy.keepDays, apply, result),
      ...notCopied(copyFailure),
    ]);

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
          `${counted(locked, 'of these was archived with an Object Lock, which keeps it', 'of these were archived with an Object Lock, which keeps them')} until ${localTime(lockedUntil)} at the latest`,
        ]),
    ...(applied ? [] : ['Nothing was changed: give --apply to do it. It cannot be undone.']),
  ].join('\n');
}
