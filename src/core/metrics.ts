import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

/**
 * What is counted, for Prometheus. Labels have few fixed values and never hold personal data (P7).
 */
export type Metrics = {
  callEnded: (result: string, reason: string) => void;
  finding: (kind: string) => void;
  /** What the second witness says of a call. */
  witness: (status: string) => void;
  /** Room in Asterisk's recording folder, MiB; undefined while it cannot be seen. */
  spoolRoom: (mebibytes: number | undefined) => void;
  /** How many findings of each kind the last reconciliation has left to people; `at` in ms since 1970 UTC. */
  reconciled: (left: Readonly<Record<string, number>>, at: number) => void;
  /** The text that `GET /metrics` gives. */
  text(): Promise<string>;
  readonly contentType: string;
};

export function makeMetrics(): Metrics {
  const register = new Registry();
  collectDefaultMetrics({ register, prefix: 'preavis_' });
  const calls = new Counter({
    name: 'preavis_calls_total',
    help: 'Calls that have ended, by result, and by reason where they went on unrecorded.',
    labelNames: ['result', 'reason'],
    registers: [register],
  });
  const findings = new Counter({
    name: 'preavis_findings_total',
    help: 'What the acoustic self-check found in finished recordings.',
    labelNames: ['finding'],
    registers: [register],
  });
  const witnesses = new Counter({
    name: 'preavis_witness_total',
    help: 'Calls that were compared with the second witness, by what it says.',
    labelNames: ['status'],
    registers: [register],
  });
  const reconciled = new Gauge({
    name: 'preavis_reconcile_left',
    help: 'What the last comparison of recording folder, catalogue and archive has left to people, by kind.',
    labelNames: ['kind'],
    registers: [register],
  });
  const reconciledAt = new Gauge({
    name: 'preavis_reconcile_last_success_timestamp_seconds',
    help: 'When recording folder, catalogue and archive were last compared to the end.',
    registers: [register],
  });
  const spoolRoom = new Gauge({
    name: 'preavis_spool_free_bytes',
    help: "Room in Asterisk's recording folder; not a number while it cannot be seen.",
    registers: [register],
  });

  return {
    callEnded: (result, reason) => {
      calls.inc({ result, reason });
    },
    finding: (kind) => {
      findings.inc({ finding: kind });
    },
    witness: (status) => {
      witnesses.inc({ status });
    },
    spoolRoom: (mebibytes) => {
      spoolRoom.set(mebibytes === undefined ? NaN : mebibytes * 1_048_576);
    },
    reconciled: (left, at) => {
      reconciled.reset();
      for (const [kind, count] of Object.entries(left)) reconciled.set({ kind }, count);
      reconciledAt.set(at / 1_000);
    },
    text: () => register.metrics(),
    contentType: register.contentType,
  };
}
