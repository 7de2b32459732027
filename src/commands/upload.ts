import { SingleBar } from 'cli-progress';
import { finishRecordings, sweepSpool } from '../archive/finish.ts';
import { lastWritten } from '../archive/spool.ts';
import { uploadPass } from '../archive/uploader.ts';
import { endUnseen } from '../call/endUnseen.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
import { leaseHolder } from '../catalogue/lease.ts';
import type { Config } from '../config/schema.ts';
import { isoTime } from '../core/clock.ts';
import { PreavisError } from '../core/errors.ts';
import type { RecordingId } from '../core/ids.ts';
import { finishPorts, makeWitness, uploadPorts } from '../parts/jobs.ts';
import { makeStore } from '../parts/store.ts';
import { withCatalogue } from './catalogue.ts';
import { configOf } from './config.ts';
import type { CommandContext, ExitCode } from './context.ts';
import { commandLog } from './operatorParts.ts';

export type UploadCommandOptions = { dryRun: boolean; json: boolean };

/** How long a command waits for a pass of a running serve, ms. */
const waitMs = 30_000;

/** Longer than a recorder can go on that nobody watches, ms, with room for the clocks. */
const restedMs = 60_000;

/** A serve that comes back so late finds the talk over, as a rule, ms. */
const forgottenMs = 10 * 60_000;

/** Recordings of calls that a serve which died has left open, and whose files nobody has written to for so long after its recorder. */
async function unendedOf(
  catalogue: Pick<Catalogue, 'recordings'>,
  { spoolFolder, unwatchedSeconds }: Config['recording'],
  now: number,
  forMs = restedMs,
): Promise<RecordingId[]> {
  const left: RecordingId[] = [];
  for (const { id } of await catalogue.recordings({ status: 'recording', limit: -1 })) {
    const writtenAt = await lastWritten(spoolFolder, id);
    if (writtenAt !== undefined && now - writtenAt > unwatchedSeconds * 1_000 + forMs) left.push(id);
  }

  return left;
}

/**
 * Ends the calls that a serve which died has left in a recorded talk, so that the recordings are judged and finished without one. Where a serve
 * is there, or comes back soon, it takes them up.
 */
async function endForgotten(catalogue: Catalogue, recording: Config['recording'], now: number): Promise<void> {
  const left = new Set(await unendedOf(catalogue, recording, now, forgottenMs));
  if (left.size === 0) return;
  const me = leaseHolder();
  if ((await catalogue.takeLease('serve', me)) !== undefined) return;
  try {
    const watchedUntil = await catalogue.watchedUntil();
    for (const state of await catalogue.open()) {
      if (state.kind === 'unreadable' || state.facts.order === undefined || !left.has(state.facts.order.recording))
        continue;
      const end = endUnseen(state, watchedUntil);
      if (end === undefined) continue;
      await catalogue.keepHappening(state.facts.id, { kind: 'unwatched', interval: end.interval });
      await catalogue.save(end.ended);
    }
  } finally {
    await catalogue.releaseLease('serve', me);
  }
}

/** One upload pass. Exit 3 when recordings still wait; an archive that does not work at all is an error. */
export async function upload(context: CommandContext, { dryRun, json }: UploadCommandOptions): Promise<ExitCode> {
  const config = await configOf(context);
  const log = commandLog(config);

  return withCatalogue<ExitCode>(config, context.clock, async (catalogue) => {
    const store = await makeStore(config, catalogue);
    if (dryRun) {
      const waiting = await catalogue.recordings({ status: 'recorded', limit: -1 });
      if (json) {
        const recordings = waiting.map(({ id, bytes }) => ({ id, bytes }));
        context.print(JSON.stringify({ dryRun: true, waiting: waiting.length, recordings }, undefined, 2));
      } else context.print(`${waiting.length} recordings would be sent to ${store.location}`);

      return 0;
    }
    const stop = new AbortController();
    process.once('SIGINT', () => {
      stop.abort(new PreavisError('usage', 'interrupted'));
    });
    const shared = { config, catalogue, store, clock: context.clock, log, actor: 'command' };
    const finish = await finishPorts(shared, stop.signal);
    await endForgotten(catalogue, config.recording, context.clock.now());
    await sweepSpool(finish);
    await finishRecordings(finish);
    await makeWitness(shared, () => undefined)();
    const total = (await catalogue.counts()).recorded ?? 0;
    const bar = process.stderr.isTTY && !json ? new SingleBar({ stream: process.stderr }) : undefined;
    bar?.start(total, 0);
    const result = await uploadPass(uploadPorts(shared), {
      waitMs,
      signal: stop.signal,
      all: true,
      progress: (done) => bar?.update(done),
    });
    bar?.stop();
    const unended = await unendedOf(catalogue, config.recording, context.clock.now());
    if (json)
      context.print(
        JSON.stringify(
          {
            dryRun: false,
            at: isoTime(context.clock.now()),
            ...result,
            unended,
            aside: result.aside.map(({ recording, error: { code } }) => ({ recording, code })),
            archive: result.archive.state,
          },
          undefined,
          2,
        ),
      );
    else {
      for (const { recording, error } of result.aside) {
        context.print(`${recording} waits: ${error.code}: ${error.message}\n  ${error.hint}`);
      }
      for (const recording of new Set(result.covered)) {
        context.print(`${recording}: something else lay under its key; it is kept as an earlier version`);
      }
      for (const recording of unended) {
        context.print(`${recording} waits: nobody has seen its call end; preavis serve ends it, or a later upload`);
      }
      const failures = Object.entries(result.failures).map(([code, count]) => `${count} ${code}`);
      context.print(
        `${result.sent} recordings sent to ${store.location}, ${result.waiting} waiting` +
          (failures.length > 0 ? ` (${failures.join(', ')})` : ''),
      );
    }
    if (result.archive.state === 'failing' && result.sent === 0) {
      const { code, message, hint } = result.archive.error;
      const what = `nothing was sent to ${store.location}; ${result.waiting} recordings wait`;
      throw new PreavisError(code, `${what}: ${message}`, { hint, cause: result.archive.error });
    }

    return result.waiting > 0 || unended.length > 0 ? 3 : 0;
  });
}
