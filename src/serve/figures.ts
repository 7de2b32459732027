import type { ArchiveOutageMonitor } from '../archive/outageMonitor.ts';
import type { Metrics } from '../core/metrics/metrics.ts';
import { implausibleDays } from '../retention/pass.ts';
import { makePromisedFigures } from '../services/metrics.ts';
import type { Services } from '../services/services.ts';
import { webhookFigures } from '../services/webhooks.ts';

/** From now on the metrics tell how archive and webhooks stand, and what is promised. */
export function giveFigures(
  metrics: Metrics,
  { config, catalogue, clock }: Services,
  archive: ArchiveOutageMonitor,
): void {
  metrics.archive(
    () => ({ isFailing: archive.state.status === 'failing', lastStoredAt: archive.lastStoredAt }),
    async () => ({
      waiting: await catalogue.recordings.waitingHere(),
      doubtful: await catalogue.clockDoubts.count(),
      isRetentionStopped: (await implausibleDays(catalogue, clock.now())) !== undefined,
      at: clock.now(),
    }),
  );
  metrics.webhooks(() => webhookFigures(config, catalogue));
  metrics.promised(makePromisedFigures(catalogue, clock));
}
