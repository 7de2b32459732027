import type { ArchiveOutageMonitor } from '../archive/outageMonitor.ts';
import { makeMarking } from '../store/catalogueMarker.ts';
import type { ProtectionMonitor } from '../archive/protectionMonitor.ts';
import { noteClock } from '../archive/finish/endOfRecording.ts';
import { makeLogEmptier } from '../catalogue/sqlite/emptyLog.ts';
import { uploadPass } from '../archive/uploadPass.ts';
import type { PassName, PassTimes } from '../catalogue/jobs/passes.ts';
import { PreavisError } from '../core/errors.ts';
import type { Metrics } from '../core/metrics/metrics.ts';
import type { PassFigures } from '../core/metrics/promisedMetrics.ts';
import { replayCopies } from '../retention/certificates/copies.ts';
import { makeHeadCopier } from '../retention/heads/keepHeads.ts';
import type { Services } from '../services/services.ts';
import type { ArchiveServices } from '../services/store.ts';
import { webhookEndpoints } from '../services/webhooks.ts';
import { retentionPass } from '../retention/pass.ts';
import { reconcileJob } from '../retention/reconcile/job.ts';
import { ArchiveSharing } from '../retention/reconcile/sharing.ts';
import { scheduledPasses, Schedule } from '../services/schedule.ts';
import { Deliverer } from '../webhooks/deliverer.ts';
import { makePoster } from '../webhooks/post.ts';
import { lookEveryMs, startWebhookJob } from '../webhooks/webhookJob.ts';
import { noWait, turnMs } from '../catalogue/jobs/lease.ts';
import type { Finishing } from './callEndQueue.ts';

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
  services: ArchiveServices;
  archive: ArchiveOutageMonitor;
  protection: Pick<ProtectionMonitor, 'reached'>;
  finishing: Finishing;
  metrics: Pick<Metrics, 'reconciled' | 'webhookFailed' | 'passes'>;
  /** Cuts passes short after what they are just doing. */
  forced: AbortSignal;
};

export type Jobs = {
  /** Compares spool, catalogue and archive now, beside everything else. */
  reconcileNow(): void;
  /** No further passes; those under way come to their end, but for a comparison, which the next start makes anew. */
  stop(): Promise<void>;
};

/** Where each of several PBXs erases what it has not archived yet, none may miss its turn since another's came at the same time. */
const retentionWaitMs = ({ pbx }: Services): number => (pbx === undefined ? noWait : turnMs);

type Passes = Record<(typeof scheduledPasses)[number], () => Promise<void>>;

/** The jobs that `serve` runs by the clock. */
export function startJobs(options: JobsOptions): Jobs {
  const { config, catalogue, log, clock } = options.services;
  const stopping = new AbortController();
  // Until a pass was made after it, the time for which it was planned stands: that it is late shows in the metrics.
  const plan = async (pass: PassName): Promise<void> => {
    const at = schedule.next(pass);
    if (at !== undefined) await catalogue.passes.plan(pass, at, clock.now());
  };
  const passes = makePasses(options, stopping.signal);
  const jobs = scheduledPasses.map((name) => ({
    name,
    cron: config.schedule[name],
    run: () => passes[name]().finally(() => plan(name).catch(() => undefined)),
  }));
  const schedule = new Schedule(jobs, config.schedule.timezone, log);
  for (const pass of scheduledPasses) void plan(pass).catch(() => undefined);
  const webhooks = startWebhooks(options);
  options.metrics.passes(async () => [
    ...(await Promise.all(
      scheduledPasses.map(async (pass) => passFigures(pass, await catalogue.passes.times(pass), schedule.next(pass))),
    )),
    webhooks.figures(),
  ]);

  return {
    reconcileNow: () => {
      const reconcile = jobs.find(({ name }) => name === 'reconcile');
      if (reconcile !== undefined && !stopping.signal.aborted) void schedule.run(reconcile);
    },
    stop: async () => {
      stopping.abort(new PreavisError('interrupted', 'Préavis is being stopped'));
      await schedule.stop();
      // After the jobs, whose last moves it may still send.
      await webhooks.stop();
    },
  };
}

function makePasses(options: JobsOptions, stopping: AbortSignal): Passes {
  const { services, archive, protection, finishing, metrics, forced } = options;
  const { finisher, finishPorts, witness } = finishing;
  const { catalogue, log, clock } = services;
  const emptyLog = makeLogEmptier(catalogue, log);
  const copyHeads = makeHeadCopier(services);
  const mark = makeMarking(services);
  const sharing = services.pbx === undefined ? undefined : new ArchiveSharing(clock.now());

  return {
    upload: async () => {
      await noteClock(catalogue, clock);
      await finisher.sweepAndFinish();
      await witness();
      await emptyLog();
      await mark();
      const ask = archive.state.status !== 'working';
      const result = await uploadPass(services, { waitMs: noWait, signal: forced, ask });
      archive.note(result);
      if (result.archive.state === 'working') protection.reached();
      // What the archive did not take on the day it was signed.
      if (result.archive.state !== 'failing') await copyHeads();
    },
    retention: async () => {
      await retentionPass(services, {
        dryRun: false,
        waitMs: retentionWaitMs(services),
        stopping,
        signal: forced,
      }).finally(emptyLog);
    },
    reconcile: async () => {
      await replayCopies(services);
      await reconcileJob({ ...services, repairs: finishPorts }, stopping, metrics.reconciled, sharing);
    },
  };
}

type Webhooks = { figures(): PassFigures; stop(): Promise<void> };

function startWebhooks({ services, metrics, forced }: JobsOptions): Webhooks {
  const { config, catalogue, clock, random, log } = services;
  const poster = makePoster();
  const deliverer = new Deliverer({
    catalogue,
    endpoints: webhookEndpoints(config),
    post: (...message) => poster.post(...message),
    clock,
    random,
    log,
    failed: metrics.webhookFailed,
  });
  const figures: PassFigures = { pass: 'webhooks', doneAt: undefined, dueAt: clock.now() };
  const job = startWebhookJob(deliverer, log, forced, () => {
    figures.doneAt = clock.now();
    figures.dueAt = figures.doneAt + lookEveryMs;
  });

  return {
    figures: () => figures,
    stop: async () => {
      await job.stop();
      await poster.close();
    },
  };
}
