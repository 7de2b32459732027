import { whatLiesElsewhere } from '../archive/archives.ts';
import { ArchiveOutageMonitor } from '../archive/outageMonitor.ts';
import { ProtectionMonitor } from '../archive/protectionMonitor.ts';
import { AriConnection } from '../ari/connection.ts';
import { isFree, isHeld } from '../ari/holder.ts';
import type { AsteriskIdentity } from '../ari/port.ts';
import { SelfCheckThread } from '../audio/selfCheckThread.ts';
import { proveSpool, refuseSharedSpool } from '../call/plan/readiness.ts';
import type { CallRegistry } from '../call/registry/registry.ts';
import { Watch } from '../call/watch/watch.ts';
import type { Catalogue, CatalogueOptions } from '../catalogue/catalogue.ts';
import { requireOneTime } from '../catalogue/clockApart.ts';
import { boundTo } from '../catalogue/jobs/turns.ts';
import { tellWrongNumberKeys } from '../catalogue/numberKeys.ts';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import { asPreavisError, errorCodes, type PreavisError } from '../core/errors.ts';
import type { IdMaker } from '../core/ids.ts';
import type { Logger } from '../core/log.ts';
import type { Metrics } from '../core/metrics/metrics.ts';
import { thisProcess } from '../core/processes.ts';
import { makePolicy, type Policy } from '../policy/policy.ts';
import type { PromptLibrary } from '../prompts/library.ts';
import { implausibleDays } from '../retention/pass.ts';
import { identify, makeAri, refuseMissingPrompts, type Ari } from '../services/ari.ts';
import { hasCatalogue, openConfiguredCatalogue, openForCalls } from '../services/catalogue.ts';
import { makePromisedFigures, makeServeMetrics } from '../services/metrics.ts';
import { loadLibrary } from '../services/prompts.ts';
import { checkJobs } from '../services/schedule.ts';
import { leftBehind } from '../services/leftBehind.ts';
import { serveNameOf } from '../services/serveName.ts';
import { makeServices, type Services } from '../services/services.ts';
import { addArchives, makeStore, type ArchiveServices } from '../services/store.ts';
import { webhookFigures } from '../services/webhooks.ts';
import { markAtStart } from '../store/catalogueMarker.ts';
import { AsteriskLink } from './asteriskLink.ts';
import { tellDialplan } from './dialplanGlobals.ts';
import { CallEndQueue, makeFinishing } from './callEndQueue.ts';
import { makeDeadman, makeRegistry, makeSpoolMonitor, type CallDependencies } from './calls.ts';
import { degradedReasons, healthOf, troubles, type HealthParts } from './health.ts';
import { HealthPage } from './healthServer.ts';
import { startJobs } from './jobs.ts';
import { policyContent } from '../services/policyContent.ts';
import { ReleaseStack } from './releaseStack.ts';
import { ServeLease } from './serveLease.ts';

export type ServerOptions = {
  config: Config;
  log: Logger;
  clock: Clock;
  ids: IdMaker;
  /** Take the Stasis application from whoever has its event socket open. */
  takeOver: boolean;
  /** A new catalogue is meant to begin with an archive that belongs to another one. */
  newCatalogue: boolean;
};

/** What is there before Asterisk is asked. */
type Storage = {
  services: ArchiveServices;
  /** For what callers wait for. */
  inCalls: Catalogue;
  lease: ServeLease;
  protection: ProtectionMonitor;
};
type Told = { policy: Policy; library: PromptLibrary; metrics: Metrics };
type Asterisk = { ari: Ari; identity: AsteriskIdentity };

/** How long a start waits for the archive to say whether it has the locks that purposes ask for, ms. */
const protectionLimitMs = 10_000;

/**
 * The composition root of `serve`: starts every part in order, and stops them in reverse. start() and stop() are idempotent and share the
 * promise in flight.
 */
export class Server {
  readonly #options: ServerOptions;
  readonly #running: ReleaseStack;
  readonly #forced = new AbortController();
  #started: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;
  #registry: CallRegistry | undefined;
  #tellLost: (error: PreavisError) => void = () => undefined;
  /** Resolves when another serve has taken over, as while this process stood still: the calls are its own now. */
  readonly lost = new Promise<PreavisError>((resolve) => {
    this.#tellLost = resolve;
  });

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#running = new ReleaseStack((thrown) => {
      const error = asPreavisError(thrown);
      options.log.error({ code: error.code, err: error }, 'component not stopped cleanly');
    });
  }

  /** Throws PreavisError when a part cannot start; what was started is stopped then. */
  start(): Promise<void> {
    this.#started ??= this.#start().catch(async (error: unknown) => {
      this.#forced.abort();
      await this.stop();
      throw error;
    });

    return this.#started;
  }

  /** Lets calls and uploads finish within shutdown.graceSeconds, then stops everything. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();

    return this.#stopped;
  }

  /** Cuts a stop() short: calls are left to the next start, uploads to the next pass. */
  forceStop(): void {
    this.#forced.abort();
  }

  async #stop(): Promise<void> {
    const { log, config } = this.#options;
    this.#registry?.stopAccepting();
    const giveUp = setTimeout(() => {
      this.#forced.abort();
    }, config.shutdown.graceSeconds * 1_000);
    await this.#running.release();
    clearTimeout(giveUp);
    log.info('stopped');
  }

  async #start(): Promise<void> {
    const { config, log } = this.#options;
    checkJobs(config);
    const library = await loadLibrary(config);
    const policy = makePolicy(config, library);
    const metrics = makeServeMetrics(Object.keys(config.webhooks), config.ari.pbx);
    const storage = await this.#openStorage(metrics);
    const { catalogue, store } = storage.services;
    await catalogue.calls.savePolicy(policy.version, policyContent(policy));
    await tellWrongNumberKeys(config, catalogue, log);
    await tellClocksApart(catalogue, log);
    if (serveNameOf(config).pbx !== undefined) await takeName(catalogue, log);
    const asterisk = await this.#reachAsterisk(policy);
    await this.#takeCalls({ policy, library, metrics }, storage, asterisk);
    log.info({ asterisk: asterisk.identity.version, policy: policy.version, archive: store.kind }, 'serving');
  }

  /** The catalogue, which no other serve has, and its archives. */
  async #openStorage(metrics: Metrics): Promise<Storage> {
    const { config, log, clock, newCatalogue: isMeant } = this.#options;
    // Before it is made: where the folder of the real one is not mounted, nothing of it should be left.
    if (!(await hasCatalogue(config))) {
      await markAtStart({ catalogue: undefined, store: await makeStore(config, undefined) }, { isMeant, clock, log });
    }
    const unreadable = this.#unreadable();
    const opened = await openConfiguredCatalogue(config, clock, { unreadable });
    await this.#running.use({ stop: opened.close });
    const openedForCalls = await openForCalls(config, clock, opened, { unreadable });
    await this.#running.use({ stop: openedForCalls.close });
    const lease = await this.#running.use(
      new ServeLease({
        catalogue: openedForCalls,
        serve: serveNameOf(config),
        log,
        failing: metrics.catalogueFails,
        lost: this.#tellLost,
      }),
    );
    // Where another serve has taken over, this one writes nothing more.
    const catalogue = boundTo(opened, lease.turn);
    const inCalls = boundTo(openedForCalls, lease.turn);
    const services = await addArchives(makeServices({ config, catalogue, clock, log, actor: 'serve' }));
    const { store } = services;
    // What has recordings in the archive is the one of it, and need not wait for it.
    if ((await catalogue.recordings.knownObject(store.location)) === 'never')
      await markAtStart(services, { isMeant, clock, log });
    await tellElsewhere(services);
    const { minio } = config.archive;
    const protection = new ProtectionMonitor({ store, bucket: minio.bucket, purposes: config.purposes, log });
    await this.#running.use({ start: () => protection.atStart(protectionLimitMs), stop: () => protection.stop() });

    return { services, inCalls, lease, protection };
  }

  #unreadable(): NonNullable<CatalogueOptions['unreadable']> {
    const { log } = this.#options;

    return (recording, error) => {
      log.error({ recording, code: error.code, err: error }, 'recording skipped: catalogue row not readable');
    };
  }

  /**
   * Asterisk, which has our prompts and records where we look for recordings. It is not waited for: without an answer within
   * ari.requestTimeoutMs `serve` ends, and its service manager starts it again.
   */
  async #reachAsterisk(policy: Policy): Promise<Asterisk> {
    const { config, clock, ids } = this.#options;
    const ari = makeAri(config);
    await this.#running.use({ stop: ari.close });
    const identity = await identify(ari, config);
    const { spool, spoolFolder } = config.recording;
    const prove = spool === 'shared' ? proveSpool : refuseSharedSpool;
    await prove(spoolFolder, ari.commands, ids, clock);
    // Where something before Asterisk refuses that, recordings would stay there until its disk is full.
    if (spool === 'collected') await ari.stored.list();
    await refuseMissingPrompts(policy, ari.commands);

    return { ari, identity };
  }

  async #takeCalls({ policy, library, metrics }: Told, storage: Storage, asterisk: Asterisk): Promise<void> {
    const { config, log, clock, ids, takeOver } = this.#options;
    const { services, inCalls, lease, protection } = storage;
    const { catalogue } = services;
    const { ari, identity } = asterisk;
    const forced = this.#forced.signal;
    const { check } = await this.#running.use(new SelfCheckThread());
    const asteriskFiles = { stored: ari.stored, ari: ari.commands, ids };
    const finishing = makeFinishing(services, { library, metrics, check, asterisk: asteriskFiles, signal: forced });
    const callEnds = new CallEndQueue({ ...finishing, log });
    const archive = new ArchiveOutageMonitor({ clock, log });
    giveFigures(metrics, services, archive);
    const watch = new Watch({
      before: await catalogue.timeline.watchedUntil(),
      save: (until) => catalogue.timeline.saveWatchedUntil(until),
      isKept: () => registry.isKept,
      log,
    });
    const connection = new AriConnection(
      { ...config.ari, password: ari.password },
      ari,
      () => isFree(ari.deadman, ids),
      log,
    );
    const dependencies: CallDependencies = { services, inCalls, policy, ids, ari, metrics, watch, connection };
    const registry = makeRegistry(dependencies, {
      asterisk: () => ({ ...link.identity, ...(config.ari.pbx === undefined ? {} : { pbx: config.ari.pbx }) }),
      callEnded: () => {
        callEnds.callEnded();
      },
    });
    this.#registry = registry;
    // Throws spool_unusable. Too little room is no reason not to start: uploads make room.
    const spool = await this.#running.use(makeSpoolMonitor(dependencies, registry));
    const deadman = await makeDeadman(dependencies, registry);
    const link = new AsteriskLink({
      ...{ connection, registry, watch, deadman, asterisk: ari.commands, identity, log },
      isHeld: takeOver ? undefined : () => isHeld(ari.deadman, ids),
      noteServing: () => catalogue.leases.noteServing(serveNameOf(config), thisProcess()),
      tellDialplan: () => tellDialplan(policy, ari.commands, log),
      heartbeatMs: config.ari.heartbeatMs,
    });
    await this.#showHealth(metrics, { link, lease, spool, registry, archive });
    await this.#running.use(link);
    await this.#running.use(deadman);
    await this.#running.use({ stop: () => callEnds.drain() });
    await this.#running.use({ stop: () => link.leave(forced) });
    await this.#running.use(callEnds);
    const jobs = await this.#running.use(startJobs({ services, archive, protection, finishing, metrics, forced }));
    // What a crash or a restored backup has left shows now, and not only at night.
    void link.compared().then(() => {
      // So what was left at Asterisk: the comparison sees only what is here.
      if (config.recording.spool === 'collected') callEnds.callEnded();
      jobs.reconcileNow();
    });
  }

  async #showHealth(metrics: Metrics, parts: HealthParts): Promise<void> {
    const { host, port } = this.#options.config.health;
    metrics.recordable(() => {
      const now = troubles(parts);
      const reasons = Object.fromEntries(degradedReasons.map((reason) => [reason, now.includes(reason)]));

      return { isConnected: parts.link.isOpen, reasons };
    });
    if (port === 0) return;
    const page = new HealthPage(() => healthOf(parts, this.#stopped !== undefined), metrics);
    await this.#running.use({ start: () => page.start(host, port), stop: () => page.stop() });
  }
}

function giveFigures(metrics: Metrics, { config, catalogue, clock }: Services, archive: ArchiveOutageMonitor): void {
  metrics.archive(async () => ({
    isFailing: archive.state.status === 'failing',
    lastStoredAt: archive.lastStoredAt,
    waiting: await catalogue.recordings.waitingHere(),
    doubtful: await catalogue.clockDoubts.count(),
    isRetentionStopped: (await implausibleDays(catalogue, clock.now())) !== undefined,
    at: clock.now(),
  }));
  metrics.webhooks(() => webhookFigures(config, catalogue));
  metrics.promised(makePromisedFigures(catalogue, clock));
}

/** Times in receipts are Asterisk's: calls are recorded all the same, and nothing is erased. */
async function tellClocksApart(catalogue: Catalogue, log: Logger): Promise<void> {
  try {
    await requireOneTime(catalogue);
  } catch (thrown) {
    const error = asPreavisError(thrown);
    if (error.code !== 'clock_apart') throw error;
    log.error({ code: error.code, err: error }, 'clocks of this machine and the database apart; nothing erased');
  }
}

/** Takes over what was left unfinished without a name. What was left under another name is told: nobody looks for it. */
async function takeName(catalogue: Catalogue, log: Logger): Promise<void> {
  const named = await catalogue.calls.nameUnnamed();
  if (named > 0) log.info({ calls: named }, 'unfinished calls without a PBX taken over');
  await catalogue.leases.forgetUnnamed();
  for (const { pbx: unserved, recordings } of await leftBehind(catalogue)) {
    log.warn({ unserved, recordings }, 'recordings not archived at a PBX without serve');
  }
}

/** What is stored from now on is not concerned: so it is no reason not to start. */
async function tellElsewhere({ catalogue, log, ...archives }: ArchiveServices): Promise<void> {
  for (const { archive, isConfigured, recordings, copies } of await whatLiesElsewhere(archives, catalogue)) {
    if (isConfigured) continue;
    log.warn(
      { code: 'archive_changed', archive, recordings, copies, hint: errorCodes.archive_changed.remedy },
      'recordings stored in an archive that is not configured',
    );
  }
}
