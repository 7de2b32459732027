import { strictest, type Lock } from '../../../store/objectLock.ts';
import { everyArchive, type Archives } from '../../../archive/archives.ts';
import { makeFinishPorts } from '../../../services/finish.ts';
import { loadLibrary } from '../../../services/prompts.ts';
import { counted } from '../../../core/text/counted.ts';
import { discrepancyKinds } from '../../../retention/reconcile/compare.ts';
import { reconcile, type Discrepancy, type Reconciled } from '../../../retention/reconcile/reconcile.ts';
import { printable } from '../../check/archive.ts';
import { configOf } from '../../configuration.ts';
import { answer, type CommandContext, type ExitCode } from '../../context.ts';
import { operatorOf } from '../../operator.ts';
import { withArchives } from '../../withArchives.ts';
import { beginProgress, waitMs } from '../../progress.ts';
import { lockInWords, shownLock } from '../../lockInWords.ts';
import { tableWidth, wrapped } from '../../table.ts';

type ReconcileCommandOptions = { dryRun: boolean; verify: boolean; json: boolean; yes?: boolean };

/** `lock`: what would be erased, and what a lock keeps all the same; looked for in a preview only. */
type ShownFinding = Discrepancy & { lock: Lock | undefined };

/**
 * Compares recording folder, catalogue and archive, and repairs what is safe. On a terminal it says first what it would repair, and asks;
 * elsewhere, with `yes` and with `json` it acts at once. Exit 3 when something is left to do, in a dry run also what would be repaired.
 */
export async function recordingsReconcile(
  context: CommandContext,
  { dryRun, verify, json, yes = false }: ReconcileCommandOptions,
): Promise<ExitCode> {
  const config = await configOf(context);

  return withArchives<ExitCode>(context, config, operatorOf(context.environment), async (services) => {
    const pass = async (preview: boolean): Promise<{ reconciled: Reconciled; findings: ShownFinding[] }> => {
      const run = beginProgress('not everything was compared', json);
      try {
        const { signal } = run;
        const repairs = preview ? undefined : makeFinishPorts(services, await loadLibrary(config), { signal });
        const findings: ShownFinding[] = [];
        const reconciled = await reconcile(
          { ...services, repairs },
          {
            verify,
            waitMs,
            signal,
            progress: run.progress,
            found: (finding) => findings.push({ ...finding, lock: undefined }),
          },
        );
        const at = context.clock.now();
        for (const each of findings) each.lock = await lockOf(each, services, at, signal);

        return { reconciled, findings };
      } finally {
        run.end();
      }
    };
    const isAsked = context.ask !== undefined && !dryRun && !yes && !json;
    let passed = await pass(dryRun || isAsked);
    const repairable = passed.findings.filter(({ done }) => done === 'repairable').length;
    // A look that finds nothing to repair is all that a pass would have done.
    if (isAsked && repairable === 0) await services.catalogue.passes.noteDone('reconcile', context.clock.now());
    if (isAsked && repairable > 0) {
      context.print(forPeople(passed));
      if (await context.ask?.(`Repair ${counted(repairable, 'finding')}?`)) passed = await pass(false);
      else {
        context.print('nothing was changed');
        return 3;
      }
    }
    const { reconciled, findings } = passed;
    const shown = findings.map(({ lock, ...finding }) =>
      lock === undefined ? finding : { ...finding, lock: shownLock(lock) },
    );
    answer(context, json, { reconciled, findings: shown }, () => [forPeople(passed)]);

    return findings.every(({ done }) => done === 'repaired') ? 0 : 3;
  });
}

/** Of an object that a repair would erase, in whatever archive it lies. */
async function lockOf(
  { kind, done, where }: Discrepancy,
  archives: Archives,
  at: number,
  signal: AbortSignal,
): Promise<Lock | undefined> {
  if (kind !== 'erasedObjectLeft' || done !== 'repairable') return undefined;
  const locks: Lock[] = [];
  for (const store of everyArchive(archives)) {
    const { longest } = await store.protection(where, null, signal).catch(() => ({ longest: undefined }));
    if (longest !== undefined && longest.until > at) locks.push(longest);
  }

  return strictest(locks);
}

function forPeople({ reconciled, findings }: { reconciled: Reconciled; findings: readonly ShownFinding[] }): string {
  const { recordings, files, objects } = reconciled;
  const compared = `${counted(recordings, 'recording')}, ${counted(files, 'file')} and ${counted(objects, 'object')} compared`;
  if (findings.length === 0) return `${compared}: nothing found`;
  const blocks = findings.map((each) =>
    [
      each.recording ?? '-',
      ...wrapped(discrepancyKinds[each.kind].meaning, tableWidth - 2).map(indented),
      ...[each.where, ...(each.archive === undefined ? [] : [`in ${each.archive}`])].map(printable).map(indented),
      ...wrapped(outcome(each), tableWidth - 2).map(indented),
    ].join('\n'),
  );
  const repaired = findings.filter(({ done }) => done === 'repaired').length;

  return `${blocks.join('\n')}\n${compared}: ${findings.length} found, ${repaired} repaired`;
}

function outcome({ kind, done, lock }: ShownFinding): string {
  const { advice } = discrepancyKinds[kind];
  if (done === 'repaired') return 'repaired';
  if (done === 'repairable') {
    return `would be repaired: ${advice}${lock === undefined ? '' : `; but ${lockInWords(lock)}`}`;
  }

  return `${done === 'nothing' ? 'to do' : done}: ${advice}`;
}

const indented = (line: string): string => `  ${line}`;
