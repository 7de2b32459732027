import { rewrapAll, type RewrapResult } from '../../archive/rewrap.ts';
import { configOf } from '../configuration.ts';
import { answer, type CommandContext, type ExitCode } from '../context.ts';
import { operatorOf } from '../operator.ts';
import { beginProgress, waitMs } from '../progress.ts';
import { withArchives } from '../withArchives.ts';
import { counted } from '../../core/text/counted.ts';

type RewrapCommandOptions = { dryRun: boolean; json: boolean };

/** Wraps the keys of all archived recordings under the current key. Exit 3 when some could not be. */
export async function archiveRewrap(
  context: CommandContext,
  { dryRun, json }: RewrapCommandOptions,
): Promise<ExitCode> {
  const config = await configOf(context);
  const run = beginProgress('not all keys were rewrapped', json);

  return withArchives<ExitCode>(context, config, operatorOf(context.environment), async (services) => {
    const options = { dryRun, waitMs, signal: run.signal, progress: run.progress };
    const result = await rewrapAll(services, options).finally(run.end);
    answer(context, json, { dryRun, ...result }, () => forPeople(result, dryRun));

    return result.failed.length + result.elsewhere === 0 ? 0 : 3;
  });
}

const stillLocked =
  ': it is under the new key, but a lock keeps an earlier wrapped key too; run it again when that lock ends';

function forPeople(
  { keyId, rewrapped, unusableKeys, current, plain, elsewhere, failed }: RewrapResult,
  dryRun: boolean,
): string[] {
  const lines = failed.map(
    ({ recording, code }) => `${recording}: ${code}${code === 'archive_locked' ? stillLocked : ''}`,
  );
  lines.push(...unusableKeys.map((id) => `key ${id} cannot be used: what it is to wrap was left as it is`));
  const done = dryRun ? 'would be rewrapped' : 'rewrapped';
  lines.push(
    `key ${keyId}: ${rewrapped} ${done}, ${current} had it already, ${counted(plain, 'is', 'are')} not encrypted`,
  );
  if (elsewhere > 0)
    lines.push(
      counted(
        elsewhere,
        'lies in another archive than the configured one and was left as it is',
        'lie in another archive than the configured one and were left as they are',
      ),
    );
  if (!dryRun && failed.length + elsewhere === 0) lines.push('No archived recording needs an earlier key any more.');

  return lines;
}
