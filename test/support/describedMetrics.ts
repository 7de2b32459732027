import type { Metrics } from '../../src/core/metrics/metrics.ts';

/** All that `serve` asks for at each reading is there, and at rest. */
export function describedMetrics(metrics: Metrics): Metrics {
  metrics.archive(
    () => ({ isFailing: false, lastStoredAt: undefined }),
    () => Promise.resolve({ waiting: [], doubtful: 0, isRetentionStopped: false, at: 0 }),
  );
  metrics.webhooks(() => Promise.resolve([{ endpoint: 'crm', waiting: 0, failed: 0 }]));
  metrics.promised(() =>
    Promise.resolve({
      due: 0,
      overdue: 0,
      locked: 0,
      failedErasures: { due: 0, subject: 0, decided: 0 },
      failureCodes: {},
      holds: { active: 0, reviewsOverdue: 0 },
      unusable: { failed: 0, lost: 0 },
      unwatched: [{ why: 'process_ended', intervals: 0 }],
    }),
  );
  metrics.passes(() => Promise.resolve([{ pass: 'upload', doneAt: undefined, dueAt: 0 }]));
  metrics.recordable(() => ({ isConnected: true, reasons: { asterisk_away: false } }));

  return metrics;
}
