import { finishPorts, reconcilePorts } from '../parts/jobs.ts';
import { counted } from '../core/counted.ts';
import { findingKinds } from '../retention/findings.ts';
import { reconcile, type Finding, type Reconciled } from '../retention/reconcile.ts';
import { withCatalogue } from './catalogue.ts';
import { configOf } from './config.ts';
import type { CommandContext, ExitCode } from './context.ts';
import { operatorParts } from './operatorParts.ts';
import { beginLongWork } from './longWork.ts';
import { table } from './table.ts';

export type ReconcileCommandOptions = { dryRun: boolean; verify: boolean; json: boolean };

/** How long a command waits while a running serve reconciles, ms. */
const waitMs = 30_000;

/**
 * Compares recording folder, catalogue and archive, and repairs what is safe. Exit 3 when something is left to do, in a dry
 * run also what would be repaired.
 */
export async function recordingsReconcile(
  context: CommandContext,
  { dryRun, verify, json }: ReconcileCommandOptions,
): Promise<ExitCode> {
  const config = await configOf(context);
  const run = beginLongWork('not everything was compared', json);

  return withCatalogue<ExitCode>(config, context.clock, async (catalogue) => {
    const shared = await operatorParts(context, config, catalogue);
    const repairs = dryRun ? undefined : await finishPorts(shared, run.signal);
    const findings: Finding[] = [];
    const reconciled = await reconcile(reconcilePorts(shared, repairs), {
      verify,
      waitMs,
      signal: run.signal,
      progress: run.progress,
      found: (finding) => findings.push(finding),
    }).finally(run.end);
    context.print(json ? JSON.stringify({ reconciled, findings }, undefined, 2) : forPeople(reconciled, findings));

    return findings.every(({ done }) => done === 'repaired') ? 0 : 3;
  });
}

function forPeople({ recordings, files, objects }: Reconciled, findings: readonly Finding[]): string {
  const compared = `${counted(recordings, 'recording')}, ${counted(files, 'file')} and ${counted(objects, 'object')} compared`;
  if (findings.length === 0) return `${compared}: nothing found`;
  const cells = findings.map((each) => [
    each.recording ?? '-',
    findingKinds[each.kind].meaning,
    printable(each.where),
    outcome(each),
  ]);
  const repaired = findings.filter(({ done }) => done === 'repaired').length;

  return (
    `${table(['RECORDING', 'FOUND', 'WHERE', 'DONE, OR TO DO'], cells)}\n` +
    `${compared}: ${findings.length} found, ${repaired} repaired`
  );
}

function outcome({ kind, done }: Finding): string {
  const { advice } = findingKinds[kind];
  if (done === 'repaired') return 'repaired';
  if (done === 'repairable') return `without --dry-run: ${advice}`;

  return `${done === 'nothing' ? 'to do' : done}: ${advice}`;
}

/** The key of a foreign object may hold anything, also what a terminal would obey. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
