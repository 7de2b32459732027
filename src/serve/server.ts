import { ArchiveOutageMonitor } from '../archive/outageMonitor.ts';
import { ProtectionMonitor } from '../archive/protectionMonitor.ts';
import type { AriRequest } from '../ari/httpClient.ts';
import type { AsteriskIdentity } from '../ari/port.ts';
import { SelfCheckThread } from '../audio/selfCheckThread.ts';
import { proveSpool, refuseSharedSpool } from '../call/plan/readiness.ts';
import type { CallRegistry } from '../call/registry/registry.ts';
import type { Catalogue, CatalogueOptions } from '../catalogue/catalogue.ts';
import { serveLease, type ServeName } from '../catalogue/jobs/leases.ts';
import { boundTo, whollyBoundTo } from '../catalogue/jobs/turns.ts';
import type { Config } from '../config/schema.ts';
import { workerNames } from '../config/workerNames.ts';
import { applicationOf, baseOf, servingAs, workerLeaseSeconds, type Workers } from '../config/workers.ts';
import type { Clock } from '../core/clock.ts';
import { asPreavisError, type PreavisError } from '../core/errors.ts';
import { failPoint } from '../core/failPoint.ts';
import type { IdMaker } from '../core/ids.ts';
import type { Logger } from '../core/log.ts';
import type { Metrics } from '../core/metrics/metrics.ts';
import { thisProcess } from '../core/processes.ts';
import { makePolicy, type Policy } from '../policy/policy.ts';
import type { PromptLibrary } from '../prompts/library.ts';
import { identify, makeAri, refuseMissingPrompts, type Ari } from '../services/ari.ts';
import { hasCatalogue, openConfiguredCatalogue, openForCalls } from '../services/catalogue.ts';
import { makeServeMetrics } from '../services/metrics.ts';
import { loadLibrary } from '../services/prompts.ts';
import { checkJobs } from '../services/schedule.ts';
import { serveNameOf } from '../services/serveName.ts';
import { makeServices } from '../services/services.ts';
import { addArchives, makeStore, type ArchiveServices } from '../services/store.ts';
import { markAtStart } from '../store/catalogueMarker.ts';
import type { AsteriskLink } from './asteriskLink.ts';
import { CallEndQueue, makeFinishing } from './callEndQueue.ts';
import { Fence } from './fence.ts';
import { giveFigures } from './figures.ts';
import { degradedReasons, healthOf, troubles, type HealthParts } from './health.ts';
import { HealthPage } from './healthServer.ts';
import { startJobs } from './jobs.ts';
import { policyContent } from '../services/policyContent.ts';
import { PeerCover } from './peerCover.ts';
import { refuseOtherPbx } from './pbxOfAsterisk.ts';
import { makeLaterLook, refuseElsewhere } from './peerElsewhere.ts';
import { ReleaseStack } from './releaseStack.ts';
import { makeServedApplication, type ServedApplicationOptions } from './servedApplication.ts';
import { refuseBeside, ServeLease } from './serveLease.ts';
import { endStuckWriter } from './stuckWriter.ts';
import { tellAtStart, tellElsewhere } from './tellAtStart.ts';

export type ServerOptions = {
  config: Config;
  log: Logger;
  clock: Clock;
  ids: IdMaker;
  /** Take the Stasis application from whoever has its event socket open. */
  takeOver: boolean;
  /** The applications of two workers, of which this one has the first; undefined where one serve has all calls. */
  workers?: Workers | undefined;
  /** A new catalogue is meant to begin with an archive that belongs to another one. */
  newCatalogue: boolean;
};

/** What is there before Asterisk is asked. */
type Storage = {
  /** Bound to no turn. */
  opened: { all: Catalogue; inCalls: Catalogue };
  services: ArchiveServices;
  /** For what callers wait for. */
  inCalls: Catalogue;
  lease: ServeLease;
  protection: ProtectionMonitor;
};
type Told = { policy: Policy; library: PromptLibrary; metrics: Metrics };
type Asterisk = { ari: Ari; identity: AsteriskIdentity };

/** How long a worker that comes back asks the other one for its calls, ms: callers who hear the notice are connected first. */
const askedBackMs = 90_000;

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
  /** Aborted when this process begins to leave. */
  readonly #leaving = new AbortController();
  #started: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;
  #registry: CallRegistry | undefined;
  #opened: Catalogue | undefined;
  #link: AsteriskLink | undefined;
  #cover: PeerCover | undefined;
  #fence: Fence | undefined;
  #tellLost: (error: PreavisError) => void = () => undefined;
  /**
   * Resolves when another serve has taken over, as while this process stood still: the calls are its own now (lease_lost). Or when this worker turns out
   * to stand beside another Asterisk than the other one (job_busy).
   */
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

  /** Once it is started; undefined before. */
  get catalogue(): Catalogue | undefined {
    return this.#opened;
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
    this.#leaving.abort();
    this.#registry?.stopAccepting();
    this.#cover?.stopAccepting();
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
    const storage = await this.#openStorage(policy, metrics);
    const { catalogue, store } = storage.services;
    await catalogue.calls.savePolicy(policy.version, policyContent(policy));
    await tellAtStart(config, catalogue, log);
    const asterisk = await this.#reachAsterisk(policy);
    await this.#takeCalls({ policy, library, metrics }, storage, asterisk);
    log.info({ asterisk: asterisk.identity.version, policy: policy.version, archive: store.kind }, 'serving');
  }

  /** The catalogue, which no other serve has, and its archives. */
  async #openStorage(policy: Policy, metrics: Metrics): Promise<Storage> {
    const { config, log, clock, newCatalogue: isMeant, workers } = this.#options;
    // Before it is made: where the folder of the real one is not mounted, nothing of it should be left.
    if (!(await hasCatalogue(config))) {
      const store = await makeStore(config, undefined);
      await markAtStart({ catalogue: undefined, store }, { isMeant, clock, log }).catch(async (thrown: unknown) => {
        // The other worker, started at the same time, may have made it meanwhile, and marked the archive as that one's.
        if (!(await hasCatalogue(config))) throw thrown;
      });
    }
    const unreadable = this.#unreadable();
    const opened = await openConfiguredCatalogue(config, clock, { unreadable });
    this.#opened = opened;
    await this.#running.use({ stop: opened.close });
    const openedForCalls = await openForCalls(config, clock, opened, { unreadable });
    await this.#running.use({ stop: openedForCalls.close });
    const leaving = this.#leaving.signal;
    await refuseOtherPbx(config, workers, openedForCalls);
    if (workers !== undefined) {
      // Before its calls are asked back from the other worker, which must not be disturbed in vain.
      await refuseElsewhere(config, workers, openedForCalls, leaving);
      failPoint?.('other worker looked for');
      await this.#tryOut(opened, policy);
    }
    const lease = await this.#running.use(
      new ServeLease({
        catalogue: openedForCalls,
        serve: serveNameOf(config),
        log,
        failing: metrics.catalogueFails,
        lost: (error) => {
          this.#isLost(error);
        },
        ...(workers === undefined
          ? {}
          : {
              heldMs: workerLeaseSeconds * 1_000,
              askMs: askedBackMs,
              isOfUse: () => this.#isOfUse(),
              free: this.#freeing(opened, serveNameOf(config)),
            }),
      }),
    );
    // Behind its own lease: of two that start at the same time one is refused at least.
    await refuseBeside(besides(config, workers), openedForCalls);
    if (workers !== undefined) {
      const isOwn = async (): Promise<boolean> =>
        (await lease.isOwn()) && (await this.#cover?.lease?.isOwn()) !== false;
      this.#fence = await this.#running.use(new Fence(isOwn));
      const refused = this.#tellLost;
      await this.#running.use(makeLaterLook(config, workers, openedForCalls, { log, refused, signal: leaving }));
    }
    // Where another serve has taken over, this one writes nothing more.
    const catalogue = whollyBoundTo(opened, lease.turn);
    const inCalls = boundTo(openedForCalls, lease.turn);
    const services = await addArchives(makeServices({ config, catalogue, clock, log, actor: 'serve' }));
    const { store } = services;
    await this.#markArchive(services);
    await tellElsewhere(services);
    const { minio } = config.archive;
    const protection = new ProtectionMonitor({ store, bucket: minio.bucket, purposes: config.purposes, log });
    await this.#running.use({ start: () => protection.atStart(protectionLimitMs), stop: () => protection.stop() });

    return { opened: { all: opened, inCalls: openedForCalls }, services, inCalls, lease, protection };
  }

  /** What has recordings in the archive is the one of it, and need not wait for it. */
  async #markArchive(services: ArchiveServices): Promise<void> {
    const { log, clock, newCatalogue: isMeant } = this.#options;
    if ((await services.catalogue.recordings.knownObject(services.store.location)) === 'never')
      await markAtStart(services, { isMeant, clock, log });
  }

  /**
   * Of a worker whose calls the other one has: that it can serve is known before it asks for them. Else one that is started again and again would have
   * them given back each time, and callers would be sent on unrecorded meanwhile. Throws why it cannot.
   */
  async #tryOut(catalogue: Catalogue, policy: Policy): Promise<void> {
    const { config, clock, log } = this.#options;
    if ((await catalogue.leases.otherHolder(serveLease(serveNameOf(config)), thisProcess())) === undefined) return;
    await this.#markArchive(await addArchives(makeServices({ config, catalogue, clock, log, actor: 'serve' })));
    const ari = makeAri(config);
    try {
      await this.#prove(ari, policy);
    } finally {
      ari.close();
    }
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
    const { config } = this.#options;
    const ari = makeAri(config, { guard: (request) => this.#guarded(request), peer: this.#options.workers?.peer });
    await this.#running.use({ stop: ari.close });

    return { ari, identity: await this.#prove(ari, policy) };
  }

  async #prove(ari: Ari, policy: Policy): Promise<AsteriskIdentity> {
    const { config, clock, ids } = this.#options;
    const identity = await identify(ari, config);
    const { spool, spoolFolder } = config.recording;
    const prove = spool === 'shared' ? proveSpool : refuseSharedSpool;
    await prove(spoolFolder, ari.commands, ids, clock);
    // Where something before Asterisk refuses that, recordings would stay there until its disk is full.
    if (spool === 'collected') await ari.stored.list();
    await refuseMissingPrompts(policy, ari.commands);

    return identity;
  }

  async #takeCalls({ policy, library, metrics }: Told, storage: Storage, asterisk: Asterisk): Promise<void> {
    const { config, log, clock, ids, takeOver } = this.#options;
    const { services, inCalls, lease, protection } = storage;
    const { ari, identity } = asterisk;
    const forced = this.#forced.signal;
    const { check } = await this.#running.use(new SelfCheckThread());
    const asteriskFiles = { stored: ari.stored, ari: ari.commands, ids };
    const finishing = makeFinishing(services, {
      library,
      metrics,
      check,
      asterisk: asteriskFiles,
      workers: this.#options.workers,
      signal: forced,
    });
    const callEnds = new CallEndQueue({ ...finishing, log });
    const archive = new ArchiveOutageMonitor({ clock, log });
    giveFigures(metrics, services, archive);
    const callEnded = (): void => {
      callEnds.callEnded();
    };
    const { workers } = this.#options;
    const common = { policy, ids, metrics, identity, workers, callEnded };
    // Who has the lease of one of two workers has its application: another may still have the socket open that stands still.
    const isToTake = takeOver || workers !== undefined;
    const served = await makeServedApplication({
      ...{ ...common, services, inCalls, ari, takeOver: isToTake },
      ...(workers === undefined ? {} : { turn: this.#turnBy(lease) }),
    });
    const { registry, deadman, link } = served;
    this.#registry = registry;
    this.#link = link;
    // Throws spool_unusable. Too little room is no reason not to start: uploads make room.
    const spool = await this.#running.use(served.spool);
    const cover = workers === undefined ? undefined : this.#makeCover(workers, storage, common);
    this.#cover = cover;
    await this.#showHealth(metrics, { link, lease, spool, registry, archive, cover, named: config.ari });
    await this.#running.use(link);
    await this.#running.use(deadman);
    await this.#running.use({ stop: () => callEnds.drain() });
    await this.#running.use({ stop: () => link.leave(forced) });
    if (cover !== undefined) {
      await this.#running.use({
        start: () => {
          cover.start();
        },
        stop: () => cover.stop(forced),
      });
    }
    await this.#running.use(callEnds);
    const jobs = await this.#running.use(startJobs({ services, archive, protection, finishing, metrics, forced }));
    // What a crash or a restored backup has left shows now, and not only at night.
    void link.compared().then(() => {
      // So what was left at Asterisk: the comparison sees only what is here.
      if (config.recording.spool === 'collected') callEnds.callEnded();
      jobs.reconcileNow();
    });
  }

  /** What takes up the calls of the other worker while that one is not there. */
  #makeCover(
    { own, peer }: Workers,
    { opened, services, lease: { turn } }: Storage,
    common: Omit<ServedApplicationOptions, 'services' | 'inCalls' | 'ari' | 'takeOver'>,
  ): PeerCover {
    const { log } = this.#options;
    const config = servingAs(this.#options.config, peer);
    const workers = { own: peer, peer: own };

    return new PeerCover({
      catalogue: opened.inCalls,
      turn,
      serve: serveNameOf(config),
      isConnected: () => this.#link?.isOpen === true,
      make: async (lease) => {
        const ari = makeAri(config, { guard: (request) => this.#guarded(request), peer: own });
        const covered = { ...services, config, catalogue: whollyBoundTo(opened.all, lease.turn) };
        const inCalls = boundTo(opened.inCalls, lease.turn);
        try {
          const served = await makeServedApplication({
            ...{ ...common, services: covered, inCalls, ari, workers, takeOver: true },
            turn: this.#turnBy(lease),
          });

          const close = (): void => {
            ari.close();
            // From now on it is told by the other worker.
            common.metrics.deadmanIsMissing(config.ari.application, false);
          };

          return { served, close };
        } catch (thrown) {
          // It is tried again.
          ari.close();
          throw thrown;
        }
      },
      heldMs: workerLeaseSeconds * 1_000,
      free: this.#freeing(opened.inCalls, serveNameOf(config)),
      log,
      lost: (error) => {
        this.#isLost(error);
      },
    });
  }

  /** Of SQLite alone: PostgreSQL ends by itself what stands still in a transaction. */
  #freeing(catalogue: Catalogue, serve: ServeName): () => Promise<void> {
    const { config, log } = this.#options;
    const { store, file } = config.catalogue;

    return () => (store === 'sqlite' ? endStuckWriter({ catalogue, serve, file, log }) : Promise.resolve());
  }

  /** A connection that is lost for a moment is none to lose calls for: the lease counts from here on. */
  #isOfUse(): boolean {
    return this.#link === undefined || this.#link.isOpen;
  }

  /** Of one of two workers. What has not run out nobody else can have taken, whether the catalogue answers or not. */
  #turnBy(lease: ServeLease): NonNullable<ServedApplicationOptions['turn']> {
    return {
      ownership: {
        contested: () => {
          this.#fence?.doubt();
        },
        whose: () =>
          lease.isStillOwn().then(
            (isOwn) => (isOwn ? 'ours' : 'anothers'),
            () => (lease.hasRunOut ? 'unknown' : 'ours'),
          ),
      },
      // Else callers would come to this one unrecorded, whom the other one may record.
      mayClaim: () => !lease.isCatalogueFailing,
    };
  }

  #guarded(request: AriRequest): AriRequest {
    return this.#fence?.guard(request) ?? request;
  }

  /** Nothing more is asked of Asterisk: what this process had is another's. */
  #isLost(error: PreavisError): void {
    this.#fence?.shut();
    this.#tellLost(error);
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

/** What may not be served beside this one: two workers beside one serve, and the other way round. */
function besides(config: Config, workers: Workers | undefined): readonly ServeName[] {
  const { pbx, application } = serveNameOf(config);
  const names =
    workers === undefined
      ? workerNames.map((worker) => applicationOf(application, worker))
      : [baseOf(application, workers)];

  return names.map((name) => ({ pbx, application: name }));
}
