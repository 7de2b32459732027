import type { ArchiveOutageMonitor } from '../archive/outageMonitor.ts';
import { makeMarking } from '../store/catalogueMarker.ts';
import type { ProtectionMonitor } from '../archive/protectionMonitor.ts';
import { noteClock } from '../archive/finish/endOfRecording.ts';
import type { Finisher } from '../archive/finish/finisher.ts';
import type { FinishPorts } from '../archive/finish/finish.ts';
import { makeLogEmptier } from '../catalogue/emptyLog.ts';
import { uploadPass } from '../archive/uploadPass.ts';
import type { PassName, PassTimes } from '../catalogue/jobs/passes.ts';
import { PreavisError } from '../core/errors.ts';
import type { Metrics } from '../core/metrics.ts';
import type { PassFigures } from '../core/promisedMetrics.ts';
import { replayCopies } from '../retention/certificates/copies.ts';
import { makeHeadCopier } from '../retention/heads/keepHeads.ts';
import { reconcilePorts, uploadPorts } from '../services/jobs.ts';
import { retentionPorts } from '../services/retention.ts';
import type { Shared } from '../services/shared.ts';
import { webhookEndpoints } from '../services/webhooks.ts';
import { retentionPass } from '../retention/pass.ts';
import { reconcileJob } from '../retention/reconcile/job.ts';
import { Schedule, type Job } from '../services/schedule.ts';
import { Deliverer } from '../webhooks/deliverer.ts';
import { makePoster } from '../webhooks/post.ts';
import { lookEveryMs, startWebhookJob } from '../webhooks/webhookJob.ts';

/** A scheduled pass does not wait for another process's. */
const noWait = 0;

/** Those by the clock. */
const scheduledPasses = ['upload', 'retention', 'reconcile'] as const satisfies readonly PassName[];

/**
 * When a pass is due, from what is kept and the next time by its cron line, ms since 1970 UTC: one that was made by hand after its time
 * counts, and so does a cron line that now comes sooner.
 */
export function passFigures(
  pass: PassName,
  { doneAt, dueAt }: PassTimes,
  next = Number.POSITIVE_INFINITY,
): PassFigures {
  const isOpen = dueAt !== undefined && dueAt > (doneAt ?? 0);

  return { pass, doneAt, dueAt: isOpen ? Math.min(dueAt, next) : next };
}

export type JobsOptions = {
  shared: Shared;
  archive: ArchiveOutageMonitor;
  protection: Pick<ProtectionMonitor, 'reached'>;
  finisher: Finisher;
  finishPorts: FinishPorts;
  witness: () => Promise<void>;
  metrics: Pick<Metrics, 'reconciled' | 'webhookFailed' | 'passes'>;
  /** Cuts passes short after what they are just doing. */
  hurry: AbortSignal;
};

export type Jobs = {
  /** Compares spool, catalogue and archive now, beside everything else. */
  reconcileNow(): void;
  /** No further passes; those under way come to their end, but for a comparison, which the next start makes anew. */
  stop(): Promise<void>;
};

/** The jobs that `serve` runs by the clock. */
export function startJobs({
  shared,
  archive,
  protection,
  finisher,
  finishPorts,
  witness,
  metrics,
  hurry,
}: JobsOptions): Jobs {
  const { config, catalogue, log, clock } = shared;
  const upload = uploadPorts(shared);
  const retention = retentionPorts(shared);
  const emptyLog = makeLogEmptier(shared.catalogue, log);
  const copyHeads = makeHeadCopier({ ...retention, now: () => clock.now() });
  const mark = makeMarking(shared);
  const stopping = new AbortController();
  // Until a pass was made after it, the time for which it was planned stands: that it is late shows in the metrics.
  const plan = async (pass: PassName): Promise<void> => {
    const at = schedule.next(pass);
    if (at !== undefined) await catalogue.planPass(pass, at, clock.now());
  };
  const planned = (job: Job & { name: PassName }): Job & { name: PassName } => ({
    ...job,
    run: async () => {
      try {
        await job.run();
      } finally {
        await plan(job.name).catch(() => undefined);
      }
    },
  });
  const reconcile = planned({
    name: 'reconcile',
    cron: config.schedule.reconcile,
    run: async () => {
      await replayCopies({ ...retention, now: () => clock.now() });
      await reconcileJob(reconcilePorts(shared, finishPorts), stopping.signal, metrics.reconciled);
    },
  });
  const schedule = new Schedule(
    [
      planned({
        name: 'upload',
        cron: config.schedule.upload,
        run: async () => {
          await noteClock(catalogue, clock);
          await finisher.sweepAndFinish();
          await witness();
          await emptyLog();
          await mark();
          const ask = archive.state.status !== 'working';
          const result = await uploadPass(upload, { waitMs: noWait, signal: hurry, ask });
          archive.note(result);
          if (result.archive.state === 'working') protection.reached();
          // What the archive did not take on the day it was signed.
          if (result.archive.state !== 'failing') await copyHeads();
        },
      }),
      planned({
        name: 'retention',
        cron: config.schedule.retention,
        run: async () => {
          await retentionPass(retention, { dryRun: false, waitMs: noWait, signal: hurry }).finally(emptyLog);
        },
      }),
      reconcile,
    ],
    config.schedule.timezone,
    log,
  );
  for (const pass of scheduledPasses) void plan(pass).catch(() => undefined);
  const poster = makePoster();
  const deliverer = new Deliverer({
    catalogue,
    endpoints: webhookEndpoints(config),
    post: (...message) => poster.post(...message),
    clock,
    random: Math.random,
    log,
    failed: metrics.webhookFailed,
  });
  let webhooksDoneAt: number | undefined;
  let webhooksDueAt = clock.now();
  const webhooks = startWebhookJob(deliverer, log, hurry, () => {
    webhooksDoneAt = clock.now();
    webhooksDueAt = webhooksDoneAt + lookEveryMs;
  });
  metrics.passes(async () => [
    ...(await Promise.all(
      scheduledPasses.map(async (pass) => passFigures(pass, await catalogue.passTimes(pass), schedule.next(pass))),
    )),
    { pass: 'webhooks', doneAt: webhooksDoneAt, dueAt: webhooksDueAt },
  ]);

  return {
    reconcileNow: () => {
      if (!stopping.signal.aborted) void schedule.run(reconcile);
    },
    stop: async () => {
      stopping.abort(new PreavisError('interrupted', 'Préavis is being stopped'));
      await schedule.stop();
      // After the jobs, whose last moves it may still send.
      await webhooks.stop();
      await poster.close();
    },
  };
}
