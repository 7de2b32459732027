import { setTimeout as sleep } from 'node:timers/promises';
import { whatLiesElsewhere, type Archives } from '../archive/archives.ts';
import { ArchiveOutageMonitor } from '../archive/outageMonitor.ts';
import { markAtStart } from '../store/catalogueMarker.ts';
import { longestCheckMs, type FinishPorts } from '../archive/finish/finish.ts';
import { Finisher } from '../archive/finish/finisher.ts';
import { makePeakKeeper } from '../audio/peaks.ts';
import { makePlayedPrompts } from '../receipt/playedPrompts.ts';
import { SelfCheckThread } from '../audio/selfCheckThread.ts';
import { unfinishedIn } from '../archive/finish/spool.ts';
import { AriConnection } from '../ari/connection.ts';
import type { Deadman } from '../ari/deadman.ts';
import type { AriEvent } from '../ari/events.ts';
import { isFree, isHeld } from '../ari/holder.ts';
import type { AriListener, AsteriskIdentity } from '../ari/port.ts';
import { makePlanner } from '../call/plan/planner.ts';
import { makeReadiness, proveSpool } from '../call/plan/readiness.ts';
import { CallRegistry } from '../call/registry.ts';
import type { SpoolMonitor } from '../call/plan/spoolMonitor.ts';
import { Watch } from '../call/watch/watch.ts';
import { openCatalogue, type Catalogue } from '../catalogue/catalogue.ts';
import { isCatalogueBegun } from '../catalogue/open.ts';
import { CatalogueOutageMonitor } from '../catalogue/outageMonitor.ts';
import { leaseHolder } from '../catalogue/jobs/lease.ts';
import { leaseMs, serveLease } from '../catalogue/jobs/leases.ts';
import { tellWrongNumberKeys } from '../catalogue/numberKeys.ts';
import { makePolicy, type Policy } from '../policy/policy.ts';
import type { Config } from '../config/schema.ts';
import { degradedReasons, HealthPage, type DegradedReason, type Health } from './healthServer.ts';
import { isoTime, type Clock } from '../core/clock.ts';
import { asPreavisError, errorCodes, PreavisError } from '../core/errors.ts';
import type { Metrics } from '../core/metrics.ts';
import type { IdMaker } from '../core/ids.ts';
import type { Logger } from '../core/log.ts';
import { startJobs } from './jobs.ts';
import { ariPassword, identify, makeAri, refuseMissingPrompts, type Ari } from '../services/ari.ts';
import { callKeeper, callPreferences, makePromptDesk } from '../services/calls.ts';
import { makeDeadman } from '../services/deadman.ts';
import { checkJobs, makeWitness, presenceOf } from '../services/jobs.ts';
import { makePromisedFigures, makeServeMetrics } from '../services/metrics.ts';
import { policyContent } from '../services/policyContent.ts';
import { makeSpoolWatch } from '../services/spool.ts';
import { loadLibrary, soundsFolder } from '../services/prompts.ts';
import { makeArchives, makeProtectionWatch, makeStore } from '../services/store.ts';
import { webhookFigures, webhookSubscribers } from '../services/webhooks.ts';
import { implausibleDays } from '../retention/pass.ts';

/**
 * The composition root of `serve`: builds every part, start() in order, stop() in reverse. Both are idempotent and share
 * the promise in flight.
 */
export type AppOptions = {
  config: Config;
  log: Logger;
  clock: Clock;
  ids: IdMaker;
  /** Take the Stasis application from whoever has its event socket open. */
  takeOver: boolean;
  /** A new catalogue is meant to begin with an archive that belongs to another one. */
  newCatalogue: boolean;
};

/** What it takes to compare the calls with Asterisk. */
type Compared = { registry: CallRegistry; commands: Ari['commands']; connection: AriConnection; watch: Watch };

/** What is done when calls have ended. */
type EndJobs = { finisher: Finisher; witness: () => Promise<void> };

type RegistryParts = {
  policy: Policy;
  catalogue: Catalogue;
  ari: Ari;
  end: EndJobs;
  metrics: Metrics;
  watch: Watch;
  connection: AriConnection;
};

/** How often the end of calls, and files that were not yet closed, are looked at again while stopping or serving, ms. */
const finishEveryMs = 10_000;
/** Calls that end within this time are compared with the second witness together. */
const witnessAfterMs = 2_000;
const drainPollMs = 100;
/** How long a start waits for the archive to say whether it has the locks that purposes ask for, ms. */
const protectionLimitMs = 10_000;
/** Pause before calls are compared with Asterisk again, ms: doubling from the first to the second. */
const comparePauseMs = 500;
const longestComparePauseMs = 30_000;

export class App {
  readonly #options: AppOptions;
  #started: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;
  readonly #hurry = new AbortController();
  /** What to undo, newest last. */
  readonly #undo: (() => void | Promise<void>)[] = [];
  #registry: CallRegistry | undefined;
  /** Read before the first call can come. */
  #asterisk: AsteriskIdentity = { version: '', node: '' };
  /** Another process has taken over the Stasis application: calls go there. */
  #replaced = false;
  #catalogueWatch: CatalogueOutageMonitor | undefined;
  #deadman: Deadman | undefined;
  #markServing: (() => Promise<void>) | undefined;
  #reconciling: Promise<void> = Promise.resolve();
  /** Aborted when the connection is lost or everything stops: comparing calls with Asterisk is not repeated then. */
  #comparable = new AbortController();
  #finishing: Promise<void> = Promise.resolve();
  #witnessing: NodeJS.Timeout | undefined;
  /** From now on calls belong to the next process. */
  #leaving = false;

  constructor(options: AppOptions) {
    this.#options = options;
  }

  /** Throws PreavisError when a part cannot start; what was started is stopped then. */
  start(): Promise<void> {
    this.#started ??= this.#start().catch(async (error: unknown) => {
      this.#hurry.abort();
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
    this.#hurry.abort();
  }

  async #start(): Promise<void> {
    const { config, log, clock, ids, takeOver, newCatalogue: isMeant } = this.#options;
    checkJobs(config);
    const library = await loadLibrary(config);
    const policy = makePolicy(config, library);
    const metrics = makeServeMetrics(Object.keys(config.webhooks));
    // Before it is made: where the folder of the real one is not mounted, nothing of it should be left.
    if (!isCatalogueBegun(config.catalogue.file)) {
      await markAtStart({ catalogue: undefined, store: await makeStore(config, undefined) }, { isMeant, clock, log });
    }
    const catalogue = openCatalogue(config.catalogue.file, clock, {
      webhooks: webhookSubscribers(config),
      unreadable: (recording, error) => {
        log.error({ recording, code: error.code, err: error }, 'recording skipped: catalogue row not readable');
      },
    });
    this.#undo.push(() => {
      catalogue.close();
    });
    const { store, former } = await makeArchives(config, catalogue);
    await this.#claim(catalogue, metrics);
    // What has recordings in the archive is the one of it, and need not wait for it.
    if ((await catalogue.knownObject(store.location)) === 'never')
      await markAtStart({ catalogue, store }, { isMeant, clock, log });
    await tellElsewhere({ store, former }, catalogue, log);
    const protection = makeProtectionWatch(config, store, log);
    this.#undo.push(() => protection.stop());
    await protection.atStart(protectionLimitMs);
    await catalogue.savePolicy(policy.version, policyContent(policy));
    await tellWrongNumberKeys(config, catalogue, log);
    const ari = makeAri(config);
    this.#undo.push(ari.close);
    this.#asterisk = await identify(ari, config);
    await proveSpool(config.recording.spoolFolder, ari.commands, ids, clock);
    await refuseMissingPrompts(policy, ari.commands);

    const selfCheck = new SelfCheckThread();
    this.#undo.push(() => selfCheck.stop());
    const finishPorts: FinishPorts = {
      catalogue,
      spoolFolder: config.recording.spoolFolder,
      clock,
      log,
      actor: 'serve',
      promptsHeard: makePlayedPrompts(soundsFolder(config), library, catalogue),
      check: selfCheck.check,
      peaks: makePeakKeeper(config.privacy.numberKey),
      presence: presenceOf(config),
      found: metrics.finding,
      clockIsOff: () => {
        metrics.clockIsOff('finish');
      },
      checkMs: longestCheckMs,
      signal: this.#hurry.signal,
    };
    const finisher = new Finisher(finishPorts);
    const shared = { config, catalogue, store, former, clock, log, actor: 'serve' };
    const archive = new ArchiveOutageMonitor({ clock, log });
    metrics.archive(async () => ({
      isFailing: archive.state.status === 'failing',
      lastStoredAt: archive.lastStoredAt,
      waiting: await catalogue.waiting(),
      doubtful: await catalogue.countDoubts(),
      isRetentionStopped: (await implausibleDays(catalogue, clock.now())) !== undefined,
      at: clock.now(),
    }));
    metrics.webhooks(() => webhookFigures(config, catalogue));
    metrics.promised(makePromisedFigures(catalogue, clock));
    const end: EndJobs = { finisher, witness: makeWitness(shared, metrics.witness) };
    const watch = new Watch({
      before: await catalogue.watchedUntil(),
      save: (until) => catalogue.saveWatchedUntil(until),
      isKept: () => this.#registry?.isKept ?? true,
      log,
    });
    const connection = new AriConnection(
      { ...config.ari, password: ariPassword(config) },
      ari,
      () => isFree(ari.deadman, ids),
      log,
    );
    const registry = this.#makeRegistry({ policy, catalogue, ari, end, metrics, watch, connection });
    this.#registry = registry;
    const spool = makeSpoolWatch({ config, registry, ari: ari.commands, catalogue, metrics, log });
    this.#undo.push(() => {
      spool.stop();
    });
    // Throws spool_unusable. Too little room is no reason not to start: uploads make room.
    await spool.start();
    connection.listen(this.#listener({ registry, commands: ari.commands, connection, watch }));
    const isUpToDate = (): boolean => watch.isListening;
    const deadman = await makeDeadman({
      ...{ config, ari, catalogue, registry, connection, log, ids, isUpToDate },
      isMissing: metrics.deadmanIsMissing,
    });
    this.#deadman = deadman;
    this.#noteServing(catalogue, isUpToDate);
    const troubles = (): DegradedReason[] => this.#troubles(connection, spool);
    metrics.recordable(() => {
      const now = troubles();
      const reasons = Object.fromEntries(degradedReasons.map((reason) => [reason, now.includes(reason)]));

      return { isConnected: connection.isOpen, reasons };
    });
    if (config.health.port !== 0) {
      const page = new HealthPage(() => this.#health(connection, registry, archive, troubles()), metrics);
      await page.start(config.health.host, config.health.port);
      this.#undo.push(() => page.stop());
    }
    this.#undo.push(() => connection.stop());
    await connection.start(takeOver ? undefined : () => isHeld(ari.deadman, ids));
    deadman.start();
    this.#undo.push(() => deadman.stop());
    this.#undo.push(() => this.#drain(registry, end));

    const finishTimer = setInterval(() => {
      this.#finish(end);
    }, finishEveryMs);
    this.#undo.push(() => {
      clearInterval(finishTimer);
    });
    const jobs = startJobs({
      shared,
      archive,
      protection,
      finisher,
      finishPorts,
      witness: end.witness,
      metrics,
      hurry: this.#hurry.signal,
    });
    this.#undo.push(() => jobs.stop());
    // What a crash or a restored backup has left shows now, and not only at night.
    void this.#reconciling.then(() => {
      jobs.reconcileNow();
    });
    log.info({ asterisk: this.#asterisk.version, policy: policy.version, archive: store.kind }, 'serving');
  }

  /** One serve on a catalogue at a time: a second one would take the calls of the first. Throws job_busy. */
  async #claim(catalogue: Catalogue, metrics: Metrics): Promise<void> {
    const me = leaseHolder();
    const other = await catalogue.takeLease(serveLease, me);
    if (other !== undefined) {
      throw new PreavisError('job_busy', `another process (${other.pid} on ${other.host}) serves with this catalogue`, {
        hint: 'Stop the other serve: only one takes calls. One that crashed on another machine blocks the catalogue for a minute more. So does `preavis upload` for a moment, while it ends open calls.',
      });
    }
    // It is written to all the same: so a full or broken disk shows before the next call does.
    const watch = new CatalogueOutageMonitor(this.#options.log, metrics.catalogueFails);
    this.#catalogueWatch = watch;
    const renewal = setInterval(() => {
      void watch.look(() => catalogue.takeLease(serveLease, me));
    }, leaseMs / 12);
    this.#undo.push(async () => {
      clearInterval(renewal);
      await catalogue.releaseLease(serveLease, me);
    });
  }

  /** While this process sees who joins a call: preavis upload ends the talks that were left where nobody has for long. */
  #noteServing(catalogue: Catalogue, isUpToDate: () => boolean): void {
    const note = async (): Promise<void> => {
      // What fails is told by the renewal of the lease.
      if (isUpToDate()) await catalogue.noteServing(leaseHolder()).catch(() => undefined);
    };
    this.#markServing = note;
    const timer = setInterval(() => void note(), leaseMs / 12);
    this.#undo.push(() => {
      clearInterval(timer);
    });
  }

  /** Why nothing can be recorded now; none while calls can be. */
  #troubles(connection: AriConnection, spool: SpoolMonitor): DegradedReason[] {
    const found: (DegradedReason | undefined)[] = [
      connection.isOpen ? undefined : 'asterisk_away',
      this.#replaced ? 'application_taken' : undefined,
      this.#catalogueWatch?.isFailing === true ? 'catalogue_failing' : undefined,
      spool.trouble,
    ];

    return found.filter((reason) => reason !== undefined);
  }

  #health(
    connection: AriConnection,
    registry: CallRegistry,
    { state }: ArchiveOutageMonitor,
    reasons: DegradedReason[],
  ): Health {
    const since = state.status === 'unknown' ? null : isoTime(state.since);

    return {
      status: this.#stopped !== undefined ? 'stopping' : reasons.length === 0 ? 'ok' : 'degraded',
      reasons,
      asterisk: connection.isOpen ? 'connected' : 'disconnected',
      calls: registry.size,
      archive: { status: state.status, since },
    };
  }

  #makeRegistry({ policy, catalogue, ari, end, metrics, watch, connection }: RegistryParts): CallRegistry {
    const { config, log, clock, ids } = this.#options;
    const preferences = callPreferences(config, policy, catalogue, clock);

    return new CallRegistry({
      ari: ari.commands,
      journal: catalogue,
      readiness: makeReadiness({
        spoolFolder: config.recording.spoolFolder,
        minimumFreeMib: config.recording.minimumFreeMib,
        languagesOfSound: (sound) => ari.commands.languagesOfSound(sound),
        clock,
      }),
      policy,
      planner: makePlanner({
        policy,
        preferences,
        callers: callKeeper(config, policy, catalogue),
        variable: (channelId, name) => ari.commands.variable(channelId, name),
        ids,
        random: Math.random,
        log,
      }),
      preferences,
      ids,
      log,
      clock,
      clockIsOff: (aheadMs) => {
        log.warn({ aheadMs }, 'clocks of Asterisk and this machine differ');
        metrics.clockIsOff('arrival');
      },
      promptDesk: makePromptDesk(config, { ari: ari.commands, ids, log, clock }),
      watch,
      unfinished: () => unfinishedIn(config.recording.spoolFolder, catalogue),
      asterisk: () => this.#asterisk,
      watchesBridges: () => connection.watchesBridges,
      legUnheard: metrics.legUnheard,
      callEnded: (state) => {
        if (state.kind !== 'ended') return;
        const { outcome } = state;
        metrics.callEnded(outcome.result, outcome.result === 'unrecorded' ? outcome.reason : '');
        this.#finish(end);
      },
    });
  }

  #listener(compared: Compared): AriListener {
    const { registry, watch } = compared;

    return {
      event: (event: AriEvent) => {
        if (event.type === 'applicationReplaced') {
          this.#replaced = true;
          watch.goDeaf();
          registry.connectionLost('application_taken');
        }
        registry.handle(event);
        watch.seen(event.at);
        if (event.type === 'channelArrived') this.#deadman?.callCame();
      },
      answered: (at) => {
        watch.seen(at);
      },
      connected: () => {
        // Openings may overlap, and the one before this has not been told to end.
        this.#comparable.abort();
        watch.goDeaf();
        if (this.#leaving) return;
        this.#comparable = new AbortController();
        const { signal } = this.#comparable;
        this.#reconciling = this.#reconciling.then(() => this.#compare(compared, signal));
      },
      disconnected: () => {
        // The next socket takes the application; it may be taken from it before it counts as connected.
        this.#replaced = false;
        watch.goDeaf();
        registry.connectionLost('connection_lost');
        this.#comparable.abort();
      },
    };
  }

  /** After each (re)connection: it may be another Asterisk, and events were missed. Repeated until it succeeds for every call. */
  async #compare({ registry, commands, connection, watch }: Compared, signal: AbortSignal): Promise<void> {
    const { log, config } = this.#options;
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        this.#asterisk = await commands.identity();
        const since = await commands.time();
        if (!(await connection.answers(config.ari.heartbeatMs))) {
          throw new PreavisError('ari_unreachable', 'Asterisk does not answer on the event socket');
        }
        // Before it is found that calls have ended.
        await this.#deadman?.lookBack();
        const compared = await registry.reconcile();
        if (!this.#isDeafAgain(signal) && !watch.isListening) watch.listenAgain(since);
        this.#deadman?.lookNow();
        await this.#markServing?.();
        if (compared === 'whole') return;
      } catch (thrown) {
        const error = asPreavisError(thrown);
        log.error({ code: error.code, err: error }, 'calls not compared with Asterisk; will retry');
      }
      const pauseMs = Math.min(comparePauseMs * 2 ** failures, longestComparePauseMs);
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Since the comparison began. */
  #isDeafAgain(comparing: AbortSignal): boolean {
    return comparing.aborted || this.#replaced;
  }

  /** One pass at a time; its own errors are logged by it. */
  #then(pass: () => Promise<void>): void {
    this.#finishing = this.#finishing.then(pass).catch((thrown: unknown) => {
      const error = asPreavisError(thrown);
      this.#options.log.error({ code: error.code, err: error }, 'ended calls not processed');
    });
  }

  /** The second witness is asked a little later, for all calls that have ended until then. */
  #finish({ finisher, witness }: EndJobs): void {
    this.#then(() => finisher.finish());
    this.#witnessing ??= setTimeout(() => {
      this.#witnessing = undefined;
      this.#then(witness);
    }, witnessAfterMs);
  }

  async #drain(registry: CallRegistry, end: EndJobs): Promise<void> {
    const { log } = this.#options;
    while (registry.size > 0 && !this.#hurry.signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, drainPollMs));
    }
    if (registry.size > 0) log.warn({ calls: registry.size }, 'open calls left for next start');
    this.#leaving = true;
    await registry.abandon();
    this.#comparable.abort();
    await this.#reconciling;
    clearTimeout(this.#witnessing);
    this.#then(() => end.finisher.finish());
    this.#then(end.witness);
    await this.#finishing;
  }

  async #stop(): Promise<void> {
    const { log, config } = this.#options;
    this.#registry?.stopAccepting();
    const giveUp = setTimeout(() => {
      this.#hurry.abort();
    }, config.shutdown.graceSeconds * 1_000);
    for (const undo of this.#undo.reverse()) {
      try {
        await undo();
      } catch (thrown) {
        const error = asPreavisError(thrown);
        log.error({ code: error.code, err: error }, 'component not stopped cleanly');
      }
    }
    clearTimeout(giveUp);
    log.info('stopped');
  }
}

/** What is stored from now on is not concerned: so it is no reason not to start. */
async function tellElsewhere(archives: Archives, catalogue: Catalogue, log: Logger): Promise<void> {
  for (const { archive, isConfigured, recordings, copies } of await whatLiesElsewhere(archives, catalogue)) {
    if (isConfigured) continue;
    log.warn(
      { code: 'archive_changed', archive, recordings, copies, hint: errorCodes.archive_changed.remedy },
      'recordings stored in an archive that is not configured',
    );
  }
}
