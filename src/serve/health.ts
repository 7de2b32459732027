import type { ArchiveOutageMonitor } from '../archive/outageMonitor.ts';
import type { SpoolMonitor } from '../call/plan/spoolMonitor.ts';
import type { CallRegistry } from '../call/registry/registry.ts';
import { isoTime } from '../core/clock.ts';
import type { AsteriskLink } from './asteriskLink.ts';
import type { DegradedReason, Health } from './healthServer.ts';
import type { ServeLease } from './serveLease.ts';

export type HealthParts = {
  link: AsteriskLink;
  lease: ServeLease;
  spool: SpoolMonitor;
  registry: CallRegistry;
  archive: ArchiveOutageMonitor;
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
  const { link, registry, archive } = parts;
  const { state } = archive;
  const reasons = troubles(parts);

  return {
    status: isStopping ? 'stopping' : reasons.length === 0 ? 'ok' : 'degraded',
    reasons,
    asterisk: link.isOpen ? 'connected' : 'disconnected',
    calls: registry.size,
    archive: { status: state.status, since: state.status === 'unknown' ? null : isoTime(state.since) },
  };
}
