import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { archiveAt, type Archives } from '../archive/archives.ts';
import { keysOf } from '../store/objectKeys.ts';
import type { Lock, Protection } from '../store/objectLock.ts';
import { removeSpooled } from '../archive/finish/spool.ts';
import type { ObjectStore } from '../store/store.ts';
import { erasureBegun, erasureInterrupted } from '../catalogue/retention/auditTrail.ts';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import { moveLease } from '../catalogue/jobs/leases.ts';
import type { NewCertificate } from '../catalogue/retention/certificates.ts';
import type { RecordingRow } from '../catalogue/rows.ts';
import { isoTime, type Clock } from '../core/clock.ts';
import { counted } from '../core/text/counted.ts';
import { asPreavisError, PreavisError } from '../core/errors.ts';
import { failPoint } from '../core/failPoint.ts';
import { thisProcess } from '../core/processes.ts';
import type { Signer } from '../core/crypto/signing.ts';
import { timeLimit } from '../core/timeLimit.ts';
import { articleOfGround, issueCertificate, type Certificate, type DecidedGround } from './certificates/certificate.ts';

/**
 * Erases one recording (P6): the intent goes into the audit trail, unless a hold keeps it; then every version of the WAV and of its
 * receipt, in its archive and wherever it was moved from or to, and the local file are removed; then it is checked that none is left; and only then the certificate is signed, and kept
 * in one step with the row's becoming `erased`. Killed at any point, it is done again: what is already gone counts
 * as erased.
 */
export type ErasurePorts = Archives & {
  catalogue: CataloguePart<{
    recordings: 'find' | 'purposeEnds' | 'isHere';
    auditTrail: 'append' | 'of' | 'head';
    calls: 'find';
    certificates: 'beginErasure' | 'finishErasure' | 'last';
    archiveCopies: 'of';
    leases: 'otherHolder';
  }>;
  spoolFolder: string;
  /** Made, or read, when the first recording is erased. */
  signer: () => Promise<Signer>;
  clock: Clock;
  /** `serve` or `command`: who asked a command is in the audit trail. */
  actor: string;
};

/**
 * Why it is erased: its time is over, the person it belongs to asked for it (GDPR art. 17), or whoever is responsible has decided so, with the
 * number of a ticket or a file, if there is one.
 */
export type ErasureCause =
  | { rule: 'due' }
  | { rule: 'subject'; operator: string }
  | { rule: 'decided'; operator: string; ground: DecidedGround; reference: string | null };

/** Where a recording lies. */
export type PlacePorts = Pick<ErasurePorts, 'catalogue' | 'store' | 'former'>;

/** `own` is its archive, or the one that it would have been sent to; `others` are those that have, or may have, a copy. */
type Places = { own: ObjectStore; others: ObjectStore[] };
type Removed = {
  versions: Certificate['objects'];
  copies: NonNullable<Certificate['copies']>;
  local: Certificate['verification']['localFile'];
};

/** How long an erasure waits while a recording is just being moved, and how often it looks, ms. */
const movingLimitMs = 30_000;
const movingPollMs = 200;

/** Certificates are chained: one after the other in a process, and another process's is seen by finishErasure. */
const inOrder = pLimit(1);
const mostTries = 20;

/** Throws recording_elsewhere, recording_held, clock_doubtful, archive_changed, archive_object_missing and what the parts throw; the row is unchanged then. */
export async function eraseRecording(
  row: RecordingRow,
  cause: ErasureCause,
  ports: ErasurePorts,
): Promise<NewCertificate> {
  const { catalogue, clock } = ports;
  await refuseElsewhere(row, ports);
  // One that was never archived may still have left something there, when an upload was cut short.
  const keys = Object.values(keysOf(row));
  const before = await placesOf(row, ports);
  // Without a key there is no certificate, and without a certificate nothing is erased.
  const signer = await ports.signer();
  await refuseEmptyArchive(row, keys, before.own, ports);
  const begunAt = clock.now();
  const actor = cause.rule === 'due' ? ports.actor : cause.operator;
  const why = cause.rule === 'decided' ? { ground: cause.ground, reference: cause.reference } : {};
  const detail = { rule: cause.rule, ...why, keepUntil: row.keepUntil, keys };
  const ground = cause.rule === 'due' ? 'due' : 'asked';
  await catalogue.certificates.beginErasure(row.id, begunAt, ground, { event: erasureBegun, actor, detail });
  failPoint?.('retention, begun');
  try {
    const places = await placesNow(row, ports);
    const removed = await removeAll(row, keys, places, ports);
    const content = await contentOf(row, cause, begunAt, places.own, removed, ports);

    return await inOrder(() => certify(row, content, places, signer, actor, ports));
  } catch (thrown) {
    const { code } = asPreavisError(thrown);
    // Until it is tried again, a hold can still keep what is left.
    const note = { event: erasureInterrupted, actor, detail: { code } };
    await catalogue.auditTrail.append(row.id, note).catch(() => undefined);
    throw thrown;
  }
}

/** Its sound lies in the recording folder of another machine: to call it erased would be untrue. */
async function refuseElsewhere({ id, status }: RecordingRow, { catalogue }: ErasurePorts): Promise<void> {
  if (status === 'archived' || (await catalogue.recordings.isHere(id))) return;
  throw new PreavisError('recording_elsewhere', `recording ${id} is not archived yet, and lies at another PBX`);
}

async function placesOf(row: RecordingRow, ports: PlacePorts): Promise<Places> {
  const own = row.archive === null ? ports.store : archiveAt(row.archive, ports);
  const copies = await ports.catalogue.archiveCopies.of(row.id);

  return { own, others: copies.map(({ archive }) => archiveAt(archive, ports)).filter((store) => store !== own) };
}

/**
 * Once its erasure has begun nobody begins to move it; who has begun before is waited for. One that was killed meanwhile has left
 * the place that it copied to in the catalogue. Throws job_busy.
 */
async function placesNow({ id }: RecordingRow, ports: ErasurePorts): Promise<Places> {
  const { catalogue } = ports;
  const giveUp = performance.now() + movingLimitMs;
  for (;;) {
    const isComing = (await catalogue.archiveCopies.of(id)).some(({ state }) => state === 'coming');
    const mover = isComing ? await catalogue.leases.otherHolder(moveLease, thisProcess()) : undefined;
    if (mover === undefined) break;
    if (performance.now() >= giveUp) {
      throw new PreavisError(
        'job_busy',
        `it is being moved to another archive by process ${mover.pid} on ${mover.host}`,
      );
    }
    await sleep(movingPollMs);
  }
  const row = await catalogue.recordings.find(id);
  if (row === undefined) throw new PreavisError('internal', 'a recording is not in the catalogue any more');

  return placesOf(row, ports);
}

/** What protects the WAV of a recording, that version and the newest, in each archive that has it. Throws what those do. */
async function protectionsOf(row: RecordingRow, ports: PlacePorts, signal: AbortSignal): Promise<Protection[]> {
  const { wav } = keysOf(row);
  const { own, others } = await placesOf(row, ports);
  const ofOwn = await Promise.all(
    [...new Set([row.objectVersion, (await own.stat(wav))?.versionId])]
      .filter((version) => version !== undefined)
      .map((version) => own.protection(wav, version, signal).catch(undefinedIfMissing)),
  );
  const ofCopies = await Promise.all(
    others.map(async (store) => {
      const found = await store.stat(wav);

      return found && (await store.protection(wav, found.versionId, signal));
    }),
  );

  return [...ofOwn, ...ofCopies].filter((each) => each !== undefined);
}

/** A version of before an erasure, where something came back since. */
function undefinedIfMissing(error: unknown): undefined {
  if (!(error instanceof PreavisError && error.code === 'archive_object_missing')) throw error;
}

/** The lock that keeps the WAV of a recording from being erased now, whoever has set it, in any archive. Throws what those do. */
export async function lockInArchive(
  row: RecordingRow,
  ports: PlacePorts,
  signal: AbortSignal,
): Promise<Lock | undefined> {
  return (await protectionsOf(row, ports, signal))
    .map(({ longest }) => longest)
    .reduce((one, other) => ((other?.until ?? 0) > (one?.until ?? 0) ? other : one));
}

/** For asking the archives about one lock, ms. */
const askLimitMs = 30_000;

/**
 * Whether an archive would refuse to erase its WAV now; false where one does not say, so that it is tried.
 *
 * @param at ms since 1970 UTC
 */
export async function isLockedNow(row: RecordingRow, ports: PlacePorts, at: number): Promise<boolean> {
  const found = await protectionsOf(row, ports, timeLimit(askLimitMs)).catch(() => []);

  return found.some(({ longest, legalHold }) => (longest?.until ?? 0) > at || legalHold === 'on');
}

/** An archived recording that is not there, though no erasure was begun: a wrong mount, not an erasure (P6). */
async function refuseEmptyArchive(
  row: RecordingRow,
  keys: readonly string[],
  store: ObjectStore,
  { catalogue }: ErasurePorts,
): Promise<void> {
  if (row.status !== 'archived') return;
  const steps = await catalogue.auditTrail.of(row.id);
  if (steps.some(({ event }) => event === erasureBegun)) return;
  for (const key of keys) if ((await store.versions(key)).length > 0) return;
  throw new PreavisError('archive_object_missing', 'the archive does not have it, and nobody has erased it');
}

/** What a lock keeps in one archive keeps nothing in the others: all that can go goes, and then it is thrown. */
async function removeAll(
  row: RecordingRow,
  keys: readonly string[],
  { own, others }: Places,
  { spoolFolder, catalogue }: ErasurePorts,
): Promise<Removed> {
  const removed = await Promise.allSettled([own, ...others].map((store) => removeFrom(store, keys)));
  const [versions = [], ...elsewhere] = removed.map((each) => {
    if (each.status === 'rejected') throw asPreavisError(each.reason);
    return each.value;
  });
  const copies = others.map((store, index) => ({ archive: store.kind, objects: elsewhere[index] ?? [] }));
  const isRemoved = await removeSpooled(spoolFolder, row.id);
  // Only its own PBX has the folder in which it was.
  const missing = (await catalogue.recordings.isHere(row.id)) ? 'not there' : 'not looked at';
  failPoint?.('retention, local file removed');
  for (const store of [own, ...others]) await assertGone(store, keys);

  return { versions, copies, local: isRemoved ? 'removed' : missing };
}

async function removeFrom(store: ObjectStore, keys: readonly string[]): Promise<Certificate['objects']> {
  const versions: Certificate['objects'] = [];
  for (const key of keys) {
    versions.push({ key, versions: await store.versions(key) });
    await store.erase(key);
    failPoint?.('retention, object erased');
  }

  return versions;
}

/** Throws archive_failed where a version of one of these keys is left. */
export async function assertGone(store: ObjectStore, keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    const left = await store.versions(key);
    if (left.length > 0)
      throw new PreavisError(
        'archive_failed',
        `${counted(left.length, 'version is', 'versions are')} left after the erasure`,
      );
  }
}

type Content = Omit<Certificate, 'number' | 'previous' | 'audit'>;

async function contentOf(
  row: RecordingRow,
  cause: ErasureCause,
  begunAt: number,
  store: ObjectStore,
  { versions, copies, local }: Removed,
  { catalogue, clock, actor }: ErasurePorts,
): Promise<Content> {
  const pbx = (await catalogue.calls.find(row.callId))?.pbx ?? undefined;

  return {
    certificate: 1,
    recording: row.id,
    ...(pbx === undefined ? {} : { pbx }),
    objects: versions,
    bytes: row.bytes,
    sha256: row.sha256,
    archive: store.kind,
    ...(copies.length === 0 ? {} : { copies }),
    rule: await ruleOf(row, cause, catalogue),
    actor,
    begunAt: isoTime(begunAt),
    verifiedAt: isoTime(clock.now()),
    verification: { versionsLeft: 0, localFile: local },
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
    case 'decided':
      return { kind: 'decided', article: articleOfGround[cause.ground], reference: cause.reference };
    case 'due': {
      const call = await catalogue.calls.find(row.callId);
      const ends = await catalogue.recordings.purposeEnds(row.id);

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
  { others }: Places,
  signer: Signer,
  actor: string,
  { catalogue }: ErasurePorts,
): Promise<NewCertificate> {
  for (let tries = 0; tries < mostTries; tries += 1) {
    const last = await catalogue.certificates.last();
    const head = await catalogue.auditTrail.head();
    const certificate = await issueCertificate(
      {
        ...content,
        number: (last?.number ?? 0) + 1,
        previous: last?.sha256 ?? null,
        audit: head === undefined ? null : { line: head.id, chain: head.chain },
      },
      signer,
    );
    const { number, sha256 } = certificate;
    const objects = [content, ...(content.copies ?? [])].flatMap((place) => place.objects);
    const detail = {
      keys: content.objects.map(({ key }) => key),
      versions: objects.reduce((sum, { versions }) => sum + versions.length, 0),
      local: content.verification.localFile === 'removed',
      bytes: row.bytes,
      sha256: row.sha256,
      keepUntil: row.keepUntil,
      certificate: { number, sha256 },
    };
    const note = { event: 'erased and checked', actor, detail };
    const places = others.map(({ location }) => location);
    if (await catalogue.certificates.finishErasure(row.status, certificate, last?.sha256 ?? null, note, places)) {
      failPoint?.('retention, erased');
      return certificate;
    }
  }
  throw new PreavisError('internal', 'other certificates were written first, in every attempt');
}
