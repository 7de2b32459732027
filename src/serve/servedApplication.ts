import { AriConnection, type Ownership } from '../ari/connection.ts';
import type { Deadman } from '../ari/deadman.ts';
import { isFree, isHeld } from '../ari/holder.ts';
import type { AsteriskIdentity } from '../ari/port.ts';
import type { SpoolMonitor } from '../call/plan/spoolMonitor.ts';
import type { CallRegistry } from '../call/registry/registry.ts';
import { Watch } from '../call/watch/watch.ts';
import { watchedBy } from '../catalogue/calls/timeline.ts';
import type { Catalogue, CataloguePart } from '../catalogue/catalogue.ts';
import { serveLease, type ServeName } from '../catalogue/jobs/leases.ts';
import type { Workers } from '../config/workers.ts';
import type { IdMaker } from '../core/ids.ts';
import { thisProcess } from '../core/processes.ts';
import type { Metrics } from '../core/metrics/metrics.ts';
import type { Policy } from '../policy/policy.ts';
import type { Ari } from '../services/ari.ts';
import { serveNameOf } from '../services/serveName.ts';
import type { Services } from '../services/services.ts';
import { AsteriskLink } from './asteriskLink.ts';
import { makeDeadman, makeRegistry, makeSpoolMonitor, type CallDependencies } from './calls.ts';
import { wantedLease } from './serveLease.ts';
import { tellDialplan } from './dialplanGlobals.ts';

export type ServedApplicationOptions = {
  /** Its configuration names the application, and its catalogue writes by the turn of it. */
  services: Services;
  /** The same catalogue, for what callers wait for. */
  inCalls: Catalogue;
  policy: Policy;
  ids: IdMaker;
  metrics: Metrics;
  ari: Ari;
  identity: AsteriskIdentity;
  workers: Workers | undefined;
  /** Take the application from whoever has its event socket open. */
  takeOver: boolean;
  /** Of one of two workers: whose the application is, and whether this one can record who comes. */
  turn?: { ownership: Ownership; mayClaim: () => boolean };
  callEnded: () => void;
};

/** What has the calls of one Stasis application; nothing is started yet. */
export type ServedApplication = {
  registry: CallRegistry;
  spool: SpoolMonitor;
  deadman: Deadman;
  link: AsteriskLink;
};

/** Puts together what has the calls of one Stasis application. Throws what the catalogue throws. */
export async function makeServedApplication(options: ServedApplicationOptions): Promise<ServedApplication> {
  const { services, inCalls, policy, ids, metrics, ari, identity, workers, takeOver, turn, callEnded } = options;
  const { catalogue, config, log } = services;
  const { pbx } = config.ari;
  const serve = serveNameOf(config);
  const watched = watchedBy(serve);
  const watch = new Watch({
    before: await catalogue.timeline.watchedUntil(watched),
    save: (until) => catalogue.timeline.saveWatchedUntil(until, watched),
    isKept: () => registry.isKept,
    log,
  });
  const connection = new AriConnection(
    { ...config.ari, password: ari.password, ...(turn === undefined ? {} : { ownership: turn.ownership }) },
    ari,
    () => isFree(ari.deadman, ids),
    log,
  );
  const dependencies: CallDependencies = { services, inCalls, policy, ids, ari, metrics, watch, connection, workers };
  const registry = makeRegistry(dependencies, {
    asterisk: () => ({ ...link.identity, ...(pbx === undefined ? {} : { pbx }) }),
    callEnded,
    mayClaim: turn?.mayClaim ?? (() => true),
  });
  const spool = makeSpoolMonitor(dependencies, registry);
  const deadman = await makeDeadman(dependencies, registry);
  const link = new AsteriskLink({
    ...{ connection, registry, watch, deadman, asterisk: ari.commands, identity, log },
    isHeld: takeOver ? undefined : () => isHeld(ari.deadman, ids),
    noteServing: () => catalogue.leases.noteServing(serve, thisProcess()),
    tellDialplan: () => tellDialplan({ policy, ari: ari.commands, pbx: serve.pbx, workers, log }),
    hasHeir: () => isOtherThere(catalogue, serve, workers),
    heartbeatMs: config.ari.heartbeatMs,
  });

  return { registry, spool, deadman, link };
}

/** Whether the other one of two workers has a lease of its own, or waits for that of this application. */
async function isOtherThere(
  { leases }: CataloguePart<{ leases: 'otherHolder' }>,
  serve: ServeName,
  workers: Workers | undefined,
): Promise<boolean> {
  if (workers === undefined) return false;
  for (const lease of [serveLease({ ...serve, application: workers.peer }), wantedLease(serve)]) {
    if ((await leases.otherHolder(lease, thisProcess())) !== undefined) return true;
  }

  return false;
}
