/**
 * Wraps the data keys of all archived recordings under the current key; their audio is neither read nor written. Killed at any
 * point, it is simply begun anew: what is wrapped already is passed over.
 */
import type { CataloguePart } from '../catalogue/catalogue.ts';
import { keyRewrapped } from '../catalogue/retention/auditTrail.ts';
import { withLease } from '../catalogue/jobs/lease.ts';
import type { RecordingRow } from '../catalogue/rows.ts';
import { asPreavisError, PreavisError, type ErrorCode } from '../core/errors.ts';
import type { RecordingId } from '../core/ids.ts';
import type { Logger } from '../core/log.ts';
import { timeLimit } from '../core/timeLimit.ts';
import type { EncryptedStore } from '../store/encryption/store.ts';
import { endsPass, overRows, type RowPass, type RowPassOptions } from './rowPass.ts';

export type RewrapPorts = {
  catalogue: CataloguePart<{
    recordings: 'listBeyond' | 'find' | 'counts';
    auditTrail: 'append';
    leases: 'take' | 'renew' | 'release';
  }>;
  store: Pick<EncryptedStore, 'location' | 'encryption' | 'encryptionFor' | 'rewrap' | 'tryKeys'>;
  log: Logger;
  actor: string;
  atOnce: number;
  /** Time limit of one recording, ms. */
  attemptMs: number;
};

export type RewrapOptions = RowPassOptions & {
  dryRun: boolean;
  /** How long to wait while another process does it, ms. */
  waitMs: number;
};

/** Counts of archived recordings. */
export type RewrapResult = {
  /** The key that they are wrapped with now; those of `controllers` with keys of their own by these. */
  keyId: string;
  /** In a dry run: to be wrapped anew. */
  rewrapped: number;
  /** Keys of today that cannot be used: what they are to wrap is in `failed`, and stays as it was. */
  unusableKeys: string[];
  current: number;
  /** Neither WAV nor receipt is encrypted. */
  plain: number;
  /** They lie in another archive than the configured one. */
  elsewhere: number;
  /** With archive_locked it is under the current key, and a lock keeps an earlier version of a wrapped key as well. */
  failed: { recording: RecordingId; code: ErrorCode }[];
};

/**
 * A key of one company that cannot be used keeps the recordings of no other waiting. Throws job_busy, encryption_key_missing where there is no
 * current key, encryption_key_unusable where none can be used, and what else makes going on of no use.
 */
export async function rewrapAll(ports: RewrapPorts, options: RewrapOptions): Promise<RewrapResult> {
  const { encryption } = ports.store;
  if (encryption?.mode !== 'client') {
    throw new PreavisError('encryption_key_missing', 'there is no current key: archive.encryption.mode is not client');
  }
  const unusable = await unusableKeys(ports, options.signal);
  const { keyId } = encryption;
  if (options.dryRun) return run(ports, options, keyId, unusable);

  return withLease(ports.catalogue, 'rewrap', options.waitMs, (catalogue) =>
    run({ ...ports, catalogue }, options, keyId, unusable),
  );
}

type Unusable = Map<string, PreavisError>;

/** Throws the fault where no key can be used. */
async function unusableKeys({ store, attemptMs }: RewrapPorts, signal: AbortSignal): Promise<Unusable> {
  const tried = await store.tryKeys(AbortSignal.any([signal, timeLimit(attemptMs)]));
  const unusable = tried.flatMap(({ id, fault }): [string, PreavisError][] =>
    fault === undefined ? [] : [[id, fault]],
  );
  const [first] = unusable;
  if (first !== undefined && unusable.length === tried.length) throw first[1];

  return new Map(unusable);
}

/** By which the keys of a recording are to be wrapped. */
function keyIdFor({ objectKey }: RecordingRow, { store }: RewrapPorts): string | undefined {
  const encryption = objectKey === null ? store.encryption : store.encryptionFor(objectKey);

  return encryption?.mode === 'client' ? encryption.keyId : undefined;
}

async function run(
  ports: RewrapPorts,
  options: RewrapOptions,
  keyId: string,
  unusable: Unusable,
): Promise<RewrapResult> {
  const { catalogue, store, atOnce } = ports;
  const result: RewrapResult = {
    keyId,
    rewrapped: 0,
    unusableKeys: [],
    current: 0,
    plain: 0,
    elsewhere: 0,
    failed: [],
  };
  const pass: RowPass<RecordingRow> = {
    page: (after, most) => catalogue.recordings.listBeyond(after, most),
    idOf: ({ id }) => id,
    isMeant: ({ status }) => status === 'archived',
    attempt: async (row) => {
      const fault = row.archive === store.location ? unusable.get(keyIdFor(row, ports) ?? '') : undefined;
      if (fault !== undefined) throw fault;
      result[await rewrapOne(row, ports, options)] += 1;
    },
    failed: async (row, error) => {
      // One wrapped key that was changed makes a KMS refuse, too: whether it works at all shows with another.
      const isKnown = unusable.has(keyIdFor(row, ports) ?? '');
      if (error.code === 'encryption_key_unusable' && !isKnown) {
        const now = await unusableKeys(ports, options.signal).catch(asPreavisError);
        if (now instanceof PreavisError) return now;
        for (const [id, fault] of now) unusable.set(id, fault);
      } else if (!isKnown && endsPass(error)) return error;
      const about = { recording: row.id, code: error.code, err: error };
      ports.log.warn(about, 'recording keys not fully rewrapped');
      result.failed.push({ recording: row.id, code: error.code });

      return undefined;
    },
    atOnce,
    total: (await catalogue.recordings.counts()).archived ?? 0,
  };
  await overRows(pass, options);

  return { ...result, unusableKeys: [...unusable.keys()] };
}

/** Throws archive_locked when all is done but what a lock forbids. */
async function rewrapOne(
  { id, archive, objectKey, receiptKey }: RecordingRow,
  { catalogue, store, actor, attemptMs }: RewrapPorts,
  { dryRun, signal }: RewrapOptions,
): Promise<'rewrapped' | 'current' | 'plain' | 'elsewhere'> {
  if (archive !== store.location) return 'elsewhere';
  const limit = AbortSignal.any([signal, timeLimit(attemptMs)]);
  const from = new Set<string>();
  const states = new Set<'plain' | 'current' | 'rewrapped'>();
  let locked: PreavisError | undefined;
  for (const key of [objectKey, receiptKey]) {
    if (key === null) continue;
    const outcome = await store.rewrap(key, { dryRun }, limit);
    states.add(outcome.state);
    if (outcome.state !== 'rewrapped') continue;
    for (const keyId of outcome.from) from.add(keyId);
    locked ??= outcome.locked;
  }
  if (!states.has('rewrapped')) return states.has('current') ? 'current' : 'plain';
  const encryption = objectKey === null ? store.encryption : store.encryptionFor(objectKey);
  if (!dryRun && (locked === undefined || from.size > 0)) {
    await catalogue.auditTrail.append(id, { event: keyRewrapped, actor, detail: { encryption, from: [...from] } });
  }
  if (locked !== undefined) throw locked;

  return 'rewrapped';
}
