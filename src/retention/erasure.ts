import pLimit from 'p-limit';
import { objectKeys } from '../archive/objectKey.ts';
import type { Lock } from '../archive/objectLock.ts';
import { removeSpooled } from '../archive/spool.ts';
import type { ObjectStore } from '../archive/store.ts';
import { erasureBegun, erasureInterrupted } from '../catalogue/auditTrail.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { NewCertificate } from '../catalogue/erasures.ts';
import type { RecordingRow } from '../catalogue/rows.ts';
import { isoTime, type Clock } from '../core/clock.ts';
import { asPreavisError, PreavisError } from '../core/errors.ts';
import { failPoint } from '../core/failPoint.ts';
import type { Signer } from '../core/signing.ts';
import { issueCertificate, type Certificate } from './certificate.ts';

/**
 * Erases one recording (P6): the intent goes into the audit trail, unless a hold keeps it; then every version of the WAV and of its
 * receipt and the local file are removed; then it is checked that none is left; and only then the certificate is signed, and kept
 * in one step with the row's becoming `erased`. Killed at any point, it is done again: what is already gone counts
 * as erased.
 */
export type ErasurePorts = {
  catalogue: Pick<
    Catalogue,
    'note' | 'audit' | 'auditHead' | 'call' | 'purposeEnds' | 'beginErasure' | 'finishErasure' | 'lastCertificate'
  >;
  store: ObjectStore;
  spoolFolder: string;
  /** Made, or read, when the first recording is erased. */
  signer: () => Promise<Signer>;
  clock: Clock;
  /** `serve` or `command`: who asked a command is in the audit trail. */
  actor: string;
};

/** Why it is erased: its time is over, or the person it belongs to asked for it (GDPR art. 17). */
export type ErasureCause = { rule: 'due' } | { rule: 'subject'; operator: string };

type Removed = { versions: Certificate['objects']; local: boolean };

/** Certificates are chained: one after the other in a process, and another process's is seen by finishErasure. */
const inOrder = pLimit(1);
const mostTries = 20;

/** Throws recording_held, clock_doubtful, archive_changed, archive_object_missing and what the parts throw; the row is unchanged then. */
export async function eraseRecording(
  row: RecordingRow,
  cause: ErasureCause,
  ports: ErasurePorts,
): Promise<NewCertificate> {
  const { catalogue, store, clock } = ports;
  const keys = keysToErase(row);
  if (row.archive !== null && row.archive !== store.location) {
    throw new PreavisError('archive_changed', `it lies in ${row.archive}, configured is ${store.location}`);
  }
  // Without a key there is no certificate, and without a certificate nothing is erased.
  const signer = await ports.signer();
  await refuseEmptyArchive(row, keys, ports);
  const begunAt = clock.now();
  const actor = cause.rule === 'subject' ? cause.operator : ports.actor;
  const detail = { rule: cause.rule, keepUntil: row.keepUntil, keys };
  const ground = cause.rule === 'subject' ? 'asked' : 'due';
  await catalogue.beginErasure(row.id, begunAt, ground, { event: erasureBegun, actor, detail });
  failPoint?.('retention, begun');
  try {
    const removed = await removeAll(row, keys, ports);
    const content = await contentOf(row, cause, begunAt, removed, ports);

    return await inOrder(() => certify(row, content, signer, actor, ports));
  } catch (thrown) {
    const { code } = asPreavisError(thrown);
    // Until it is tried again, a hold can still keep what is left.
    const note = { event: erasureInterrupted, actor, detail: { code } };
    await catalogue.note(row.id, note).catch(() => undefined);
    throw thrown;
  }
}

/** One that was never archived may still have left something there, when an upload was cut short. */
export function keysToErase(row: RecordingRow): [wav: string, receipt: string] {
  const computed = objectKeys(row.id, row.startedAt ?? row.noticeFinishedAt);

  return [row.objectKey ?? computed.wav, row.receiptKey ?? computed.receipt];
}

/** The lock that keeps the WAV of a recording from being erased now, whoever has set it. Throws what the archive does. */
export async function lockInArchive(
  row: RecordingRow,
  store: Pick<ObjectStore, 'protection'>,
  signal: AbortSignal,
): Promise<Lock | undefined> {
  const [wav] = keysToErase(row);

  return (await store.protection(wav, row.objectVersion, signal)).longest;
}

/** An archived recording that is not there, though no erasure was begun: a wrong mount, not an erasure (P6). */
async function refuseEmptyArchive(
  row: RecordingRow,
  keys: readonly string[],
  { catalogue, store }: ErasurePorts,
): Promise<void> {
  if (row.status !== 'archived') return;
  const steps = await catalogue.audit(row.id);
  if (steps.some(({ event }) => event === erasureBegun)) return;
  for (const key of keys) if ((await store.versions(key)).length > 0) return;
  throw new PreavisError('archive_object_missing', 'the archive does not have it, and nobody has erased it');
}

async function removeAll(row: RecordingRow, keys: readonly string[], ports: ErasurePorts): Promise<Removed> {
  const { store, spoolFolder } = ports;
  const versions: Certificate['objects'] = [];
  for (const key of keys) {
    versions.push({ key, versions: await store.versions(key) });
    await store.erase(key);
    failPoint?.('retention, object erased');
  }
  const local = await removeSpooled(spoolFolder, row.id);
  failPoint?.('retention, local file removed');
  for (const key of keys) {
    const left = await store.versions(key);
    if (left.length > 0) throw new PreavisError('archive_failed', `${left.length} versions are left after the erasure`);
  }

  return { versions, local };
}

type Content = Omit<Certificate, 'number' | 'previous' | 'audit'>;

async function contentOf(
  row: RecordingRow,
  cause: ErasureCause,
  begunAt: number,
  { versions, local }: Removed,
  { catalogue, store, clock, actor }: ErasurePorts,
): Promise<Content> {
  return {
    certificate: 1,
    recording: row.id,
    objects: versions,
    bytes: row.bytes,
    sha256: row.sha256,
    archive: store.kind,
    rule: await ruleOf(row, cause, catalogue),
    actor,
    begunAt: isoTime(begunAt),
    verifiedAt: isoTime(clock.now()),
    verification: { versionsLeft: 0, localFile: local ? 'removed' : 'not there' },
  };
}

async function ruleOf(
  row: RecordingRow,
  cause: ErasureCause,
  catalogue: ErasurePorts['catalogue'],
): Promise<Certificate['rule']> {
  switch (cause.rule) {
    case 'subject':
      return { kind: 'subject', article: 'GDPR art. 17' };
    case 'due': {
      const call = await catalogue.call(row.callId);
      const ends = await catalogue.purposeEnds(row.id);

      return {
        kind: 'due',
        policyVersion: call?.policyVersion ?? '',
        keepUntil: isoTime(row.keepUntil ?? 0),
        purposes: ends.map(({ purpose, keepUntil }) => ({ id: purpose, keepUntil: isoTime(keepUntil) })),
      };
    }
  }
}

async function certify(
  row: RecordingRow,
  content: Content,
  signer: Signer,
  actor: string,
  { catalogue }: ErasurePorts,
): Promise<NewCertificate> {
  for (let tries = 0; tries < mostTries; tries += 1) {
    const last = await catalogue.lastCertificate();
    const head = await catalogue.auditHead();
    const certificate = await issueCertificate(
      {
        ...content,
        number: (last?.number ?? 0) + 1,
        previous: last?.sha256 ?? null,
        audit: head === undefined ? null : { line: head.id, chain: head.chain },
      },
      row.id,
      signer,
    );
    const { number, sha256 } = certificate;
    const detail = {
      keys: content.objects.map(({ key }) => key),
      versions: content.objects.reduce((sum, { versions }) => sum + versions.length, 0),
      local: content.verification.localFile === 'removed',
      bytes: row.bytes,
      sha256: row.sha256,
      keepUntil: row.keepUntil,
      certificate: { number, sha256 },
    };
    const note = { event: 'erased and checked', actor, detail };
    if (await catalogue.finishErasure(row.status, certificate, last?.sha256 ?? null, note)) {
      failPoint?.('retention, erased');
      return certificate;
    }
  }
  throw new PreavisError('internal', 'other certificates came before this one, again and again');
}
