import { makeNumberReader } from '../call/plan/callerStore.ts';
import { copyMissingCertificates } from '../retention/certificates/copies.ts';
import { eraseRecording, lockInArchive } from '../retention/erasure.ts';
import type { SubjectErasurePorts } from '../dataSubject/erase.ts';
import type { SubjectExportPorts } from '../dataSubject/export.ts';
import { decisionsOf, retentionPorts } from './retention.ts';
import type { Shared } from './shared.ts';

/** What requests of persons need. */

/** `actor` is who runs the command. */
export function subjectExportPorts({
  config,
  catalogue,
  store,
  former,
  clock,
  actor,
}: Omit<Shared, 'log'>): SubjectExportPorts {
  return {
    catalogue,
    store,
    former,
    spoolFolder: config.recording.spoolFolder,
    config,
    numberOf: makeNumberReader(config.privacy.numberKey),
    clock,
    operator: actor,
  };
}

/** `actor` is who runs the command. */
export function subjectErasurePorts(shared: Shared): SubjectErasurePorts {
  const { catalogue, clock, actor } = shared;
  const ports = retentionPorts({ ...shared, actor: 'command' });

  return {
    catalogue,
    decisions: decisionsOf(shared),
    erase: (row) => eraseRecording(row, { rule: 'subject', operator: actor }, ports),
    lockInArchive: (row, signal) => lockInArchive(row, ports, signal),
    checkLedger: () => ports.ledger.check(),
    copyCertificates: () => copyMissingCertificates({ ...ports, now: () => clock.now() }),
    clock,
    operator: actor,
  };
}
