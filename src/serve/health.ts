import type { ArchiveOutageMonitor } from '../archive/outageMonitor.ts';
import type { SpoolMonitor } from '../call/plan/spoolMonitor.ts';
import type { CallRegistry } from '../call/registry/registry.ts';
import type { Config } from '../config/schema.ts';
import type { WorkerName } from '../config/workerNames.ts';
import { isoTime } from '../core/clock.ts';
import { installedVersion } from '../core/installation.ts';
import type { AsteriskLink } from './asteriskLink.ts';
import type { PeerCover } from './peerCover.ts';
import type { ServeLease } from './serveLease.ts';

/**
 * Why nothing can be recorded. asterisk_away: the event socket is closed. application_taken: another client has the Stasis application.
 * catalogue_failing: it takes nothing. spool_full, spool_unusable: the recording folder has too little room, or cannot be used.
 */
export const degradedReasons = [
  'asterisk_away',
  'application_taken',
  'catalogue_failing',
  'spool_full',
  'spool_unusable',
] as const;
export type DegradedReason = (typeof degradedReasons)[number];

/** What the health page tells: no personal data, and no secret. */
export type Health = {
  /** Of Préavis. After an upgrade it is that of the process that runs, not of what is installed. */
  version: string;
  /** Whose calls it watches, as `ari.pbx` names it; absent where it has no name. */
  pbx?: string;
  /** Which of two workers it is of, as `ari.worker` names it. */
  worker?: WorkerName;
  /** `degraded`: calls go on, but unrecorded, for these reasons. */
  status: 'ok' | 'degraded' | 'stopping';
  reasons: DegradedReason[];
  asterisk: 'connected' | 'disconnected';
  calls: number;
  /** Whether the archive takes recordings, from the last upload pass that saw it. It does not change the status: calls go on. */
  archive: { status: 'unknown' | 'working' | 'failing'; since: string | null };
};

export type HealthParts = {
  link: AsteriskLink;
  lease: ServeLease;
  spool: SpoolMonitor;
  registry: CallRegistry;
  archive: ArchiveOutageMonitor;
  /** Of two workers. */
  cover?: Pick<PeerCover, 'size'> | undefined;
  named: Pick<Config['ari'], 'pbx' | 'worker'>;
};

/** Why nothing can be recorded now; none while calls can be. */
export function troubles({ link, lease, spool }: HealthParts): DegradedReason[] {
  const found: (DegradedReason | undefined)[] = [
    link.isOpen ? undefined : 'asterisk_away',
    link.isReplaced ? 'application_taken' : undefined,
    lease.isCatalogueFailing ? 'catalogue_failing' : undefined,
    spool.trouble,
  ];

  return found.filter((reason) => reason !== undefined);
}

/** What the health page says. */
export function healthOf(parts: HealthParts, isStopping: boolean): Health {
  const { link, registry, archive, cover, named } = parts;
  const { pbx, worker } = named;
  const { state } = archive;
  const reasons = troubles(parts);

  return {
    version: installedVersion(),
    ...(pbx === undefined ? {} : { pbx }),
    ...(worker === undefined ? {} : { worker }),
    status: isStopping ? 'stopping' : reasons.length === 0 ? 'ok' : 'degraded',
    reasons,
    asterisk: link.isOpen ? 'connected' : 'disconnected',
    calls: registry.size + (cover?.size ?? 0),
    archive: { status: state.status, since: state.status === 'unknown' ? null : isoTime(state.since) },
  };
}
