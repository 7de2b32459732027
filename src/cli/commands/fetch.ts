import { refuseTaken } from '../../archive/verifiedCopy.ts';
import { purposeOf } from '../../config/purposeRules.ts';
import { isoTime } from '../../core/clock.ts';
import { counted } from '../../core/text/counted.ts';
import { fetchRecording } from '../../archive/fetch.ts';
import { configOf } from '../configuration.ts';
import { answer, type CommandContext, type ExitCode } from '../context.ts';
import { localTime } from '../localTime.ts';
import { requireFileName, requirePurposeName } from '../options.ts';
import { beginProgress } from '../progress.ts';
import { operatorOf } from '../operator.ts';
import { withArchives } from '../withArchives.ts';

type FetchCommandOptions = { purpose: string; output: string; force: boolean; json: boolean };

/**
 * Fetches the WAV of one recording for one of its purposes, while that purpose lasts. Who may listen is told and not
 * enforced: the register of processing says so.
 */
export async function recordingsFetch(
  context: CommandContext,
  id: string,
  { purpose, output, force, json }: FetchCommandOptions,
): Promise<ExitCode> {
  requirePurposeName(purpose);
  requireFileName(output);
  const config = await configOf(context);
  const target = { file: output, replace: force };
  await refuseTaken(target);
  const run = beginProgress('nothing was fetched', json);

  return withArchives<ExitCode>(context, config, operatorOf(context.environment), async (services) => {
    const order = { id, purpose, target, progress: run.progress, signal: run.signal };
    const fetched = await fetchRecording(services, order).finally(run.end);
    const { from, bytes, sha256, durationMs } = fetched;
    const keepUntil = isoTime(fetched.keepUntil);
    const mayListen = purposeOf(config.purposes, purpose)?.mayListen ?? [];
    const roles = mayListen.length === 0 ? 'nobody is named' : mayListen.join(', ');
    const document = { id: fetched.id, purpose, keepUntil, mayListen, from, file: output, bytes, sha256, durationMs };
    answer(context, json, document, () => [
      `${counted(bytes, 'byte')} from the ${from} to ${output}, as they were finished (SHA-256 ${sha256})`,
      `for ${purpose}, until ${localTime(fetched.keepUntil)}: remove the copy by then`,
      `who may listen, by the register of processing: ${roles}`,
    ]);

    return 0;
  });
}
