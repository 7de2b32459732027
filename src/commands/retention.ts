import { isoTime } from '../core/clock.ts';
import { makeStore, retentionPorts } from '../parts.ts';
import { retentionPass } from '../retention/enforcer.ts';
import { commandLog, configOf, withCatalogue, type CommandContext, type ExitCode } from './context.ts';
import { table } from './table.ts';

export type RetentionCommandOptions = { dryRun: boolean; json: boolean };

const waitMs = 30_000;

/** One retention pass. Exit 3 when something due could not be erased. */
export async function retentionRun(context: CommandContext, options: RetentionCommandOptions): Promise<ExitCode> {
  const { dryRun, json } = options;
  const config = await configOf(context);

  return withCatalogue<ExitCode>(config, context.clock, async (catalogue) => {
    const store = makeStore(config, catalogue);
    const stop = new AbortController();
    process.once('SIGINT', () => {
      stop.abort();
    });
    const ports = retentionPorts({
      config,
      catalogue,
      store,
      clock: context.clock,
      log: commandLog(config),
      actor: 'command',
    });
    const result = await retentionPass(ports, { dryRun, waitMs, signal: stop.signal });
    const recordings = result.recordings.map(({ id, keepUntil, outcome }) => ({
      id,
      keepUntil: keepUntil === null ? null : isoTime(keepUntil),
      outcome,
    }));
    if (json) {
      context.print(JSON.stringify({ dryRun, due: result.due, erased: result.erased, recordings }, undefined, 2));
    } else {
      if (recordings.length > 0) {
        context.print(
          table(
            ['RECORDING', 'KEPT UNTIL', 'OUTCOME'],
            recordings.map((each) => [each.id, each.keepUntil ?? '', each.outcome]),
          ),
        );
      }
      context.print(dryRun ? `${result.due} recordings are due` : `${result.due} due, ${result.erased} erased`);
    }

    return dryRun || result.erased === result.due ? 0 : 3;
  });
}
