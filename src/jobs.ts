import type { ArchiveWatch } from './archive/archiveWatch.ts';
import type { ProtectionWatch } from './archive/protectionWatch.ts';
import { noteClock } from './archive/endOfRecording.ts';
import type { Finisher } from './archive/finisher.ts';
import type { FinishPorts } from './archive/finish.ts';
import { makeLogEmptier } from './catalogue/emptyLog.ts';
import { uploadPass } from './archive/uploader.ts';
import { PreavisError } from './core/errors.ts';
import type { Metrics } from './core/metrics.ts';
import { replayCopies } from './retention/copies.ts';
import { reconcilePorts, uploadPorts } from './parts/jobs.ts';
import { retentionPorts } from './parts/retention.ts';
import type { Shared } from './parts/shared.ts';
import { webhookEndpoints } from './parts/webhooks.ts';
import { retentionPass } from './retention/enforcer.ts';
import { reconcileJob } from './retention/reconcileJob.ts';
import { Schedule, type Job } from './retention/schedule.ts';
import { Deliverer } from './webhooks/deliverer.ts';
import { makePoster } from './webhooks/post.ts';
import { startWebhookJob } from './webhooks/webhookJob.ts';

/** A scheduled pass does not wait for another process's. */
const noWait = 0;

export type JobsOptions = {
  shared: Shared;
  archive: ArchiveWatch;
  protection: Pick<ProtectionWatch, 'reached'>;
  finisher: Finisher;
  finishPorts: FinishPorts;
  witness: () => Promise<void>;
  metrics: Pick<Metrics, 'reconciled' | 'webhookFailed'>;
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
  const { config, log, clock } = shared;
  const upload = uploadPorts(shared);
  const retention = retentionPorts(shared);
  const emptyLog = makeLogEmptier(shared.catalogue, log);
  const stopping = new AbortController();
  const reconcile: Job = {
    name: 'reconcile',
    cron: config.schedule.reconcile,
    run: async () => {
      await replayCopies({ ...retention, now: () => clock.now() });
      await reconcileJob(reconcilePorts(shared, finishPorts), stopping.signal, (left) => {
        metrics.reconciled(left, clock.now());
      });
    },
  };
  const schedule = new Schedule(
    [
      {
        name: 'upload',
        cron: config.schedule.upload,
        run: async () => {
          await noteClock(shared.catalogue, clock);
          await finisher.sweepAndFinish();
          await witness();
          await emptyLog();
          const ask = archive.state.status !== 'working';
          const result = await uploadPass(upload, { waitMs: noWait, signal: hurry, ask });
          archive.note(result);
          if (result.archive.state === 'working') protection.reached();
        },
      },
      {
        name: 'retention',
        cron: config.schedule.retention,
        run: async () => {
          await retentionPass(retention, { dryRun: false, waitMs: noWait, signal: hurry }).finally(emptyLog);
        },
      },
      reconcile,
    ],
    config.schedule.timezone,
    log,
  );
  const poster = makePoster();
  const deliverer = new Deliverer({
    catalogue: shared.catalogue,
    endpoints: webhookEndpoints(config),
    post: (...message) => poster.post(...message),
    clock,
    random: Math.random,
    log,
    failed: metrics.webhookFailed,
  });
  const webhooks = startWebhookJob(deliverer, log, hurry);

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
