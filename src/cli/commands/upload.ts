import type { Catalogue } from '../../catalogue/catalogue.ts';
import type { Config } from '../../config/schema.ts';
import { makeMarking } from '../../store/catalogueMarker.ts';
import { finishRecordings, sweepSpool } from '../../archive/finish/finish.ts';
import { uploadPass, type UploadResult } from '../../archive/uploadPass.ts';
import { isoTime } from '../../core/clock.ts';
import { counted } from '../../core/text/counted.ts';
import { PreavisError } from '../../core/errors.ts';
import type { RecordingId } from '../../core/ids.ts';
import { makeFinishPorts, makeWitness } from '../../services/finish.ts';
import { loadLibrary } from '../../services/prompts.ts';
import { serveNameOf } from '../../services/serveName.ts';
import { configOf } from '../configuration.ts';
import { answer, type CommandContext, type ExitCode } from '../context.ts';
import { endForgotten, unendedRecordings } from '../../archive/finish/forgottenCalls.ts';
import { beginProgress, waitMs } from '../progress.ts';
import { withArchives } from '../withArchives.ts';

type UploadCommandOptions = { dryRun: boolean; json: boolean };

const unendedLine = (recording: RecordingId, spool: Config['recording']['spool']): string =>
  `${recording} waits: its call was on when serve ended or lost Asterisk, and its end is not known
  Start preavis serve, which ends it. If serve runs, preavis check shows why it is not connected.` +
  (spool === 'shared'
    ? ' Without serve, an upload ends the call ten minutes after recording.unwatchedSeconds.'
    : ' Only serve brings recordings from Asterisk (recording.spool: collected).');

/** One upload pass. Exit 3 when recordings still wait; an archive that does not work at all is an error. */
export async function upload(context: CommandContext, { dryRun, json }: UploadCommandOptions): Promise<ExitCode> {
  const config = await configOf(context);

  return withArchives<ExitCode>(context, config, 'command', async (services) => {
    const { catalogue, store, actor } = services;
    if (dryRun) return plan(context, config, catalogue, store.location, json);
    const work = beginProgress('what was not yet sent is left to the next pass', json);
    const findings: Record<string, number> = {};
    const finish = makeFinishPorts(services, await loadLibrary(config), {
      signal: work.signal,
      found: (kind) => {
        findings[kind] = (findings[kind] ?? 0) + 1;
      },
    });
    const pass = async (): Promise<UploadResult> => {
      // Only Asterisk knows whether a recorder on another machine still runs, and only serve brings its file.
      if (config.recording.spool === 'shared')
        await endForgotten(
          catalogue,
          { recording: config.recording, serve: serveNameOf(config) },
          { now: context.clock.now(), actor },
        );
      await sweepSpool(finish);
      await finishRecordings(finish, work.progress);
      await makeWitness(services, () => undefined)();
      const total = (await catalogue.recordings.counts()).recorded ?? 0;
      await makeMarking(services)();

      return uploadPass(services, {
        waitMs,
        signal: work.signal,
        all: true,
        progress: (done) => {
          work.progress(done, total);
        },
      });
    };
    const result = await pass().finally(work.end);
    const unended = await unendedRecordings(catalogue, { recording: config.recording, serve: serveNameOf(config) });
    const unendedLines = unended.map((recording) => unendedLine(recording, config.recording.spool));
    const at = isoTime(context.clock.now());
    const aside = result.aside.map(({ recording, error: { code } }) => ({ recording, code }));
    const shown = { dryRun: false, at, ...result, unended, findings, aside, archive: result.archive.state };
    answer(context, json, shown, () => resultInWords(result, unendedLines, findings, store.location));
    if (result.archive.state === 'failing' && result.sent === 0) {
      const { code, message, hint } = result.archive.error;
      const what = `nothing was sent to ${store.location}; ${counted(result.waiting, 'recording waits', 'recordings wait')}`;
      throw new PreavisError(code, `${what}: ${message}`, { hint, cause: result.archive.error });
    }

    return result.waiting > 0 || unended.length > 0 ? 3 : 0;
  });
}

async function plan(
  context: CommandContext,
  config: Config,
  catalogue: Catalogue,
  location: string,
  json: boolean,
): Promise<ExitCode> {
  const waiting = await catalogue.recordings.list({ status: 'recorded', limit: Number.MAX_SAFE_INTEGER });
  const unended = await unendedRecordings(catalogue, { recording: config.recording, serve: serveNameOf(config) });
  const recordings = waiting.map(({ id, bytes }) => ({ id, bytes }));
  answer(context, json, { dryRun: true, waiting: waiting.length, recordings, unended }, () => [
    ...unended.map((recording) => unendedLine(recording, config.recording.spool)),
    `${counted(waiting.length, 'recording')} would be sent to ${location}`,
  ]);

  return unended.length > 0 ? 3 : 0;
}

function resultInWords(
  { aside, covered, failures, sent, waiting }: UploadResult,
  unended: readonly string[],
  findings: Readonly<Record<string, number>>,
  location: string,
): string[] {
  const found = Object.entries(findings).map(([kind, count]) => `${count} ${kind}`);
  const failed = Object.entries(failures).map(([code, count]) => `${count} ${code}`);

  return [
    ...aside.map(({ recording, error }) => `${recording} waits: ${error.code}: ${error.message}\n  ${error.hint}`),
    ...[...new Set(covered)].map(
      (recording) => `${recording}: something else lay under its key; it is kept as an earlier version`,
    ),
    ...unended,
    ...(found.length > 0 ? [`found in what was finished now: ${found.join(', ')}`] : []),
    `${counted(sent, 'recording')} sent to ${location}, ${waiting} waiting` +
      (failed.length > 0 ? ` (${failed.join(', ')})` : ''),
  ];
}
