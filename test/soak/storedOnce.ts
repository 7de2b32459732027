import type { CataloguePart } from '../../src/catalogue/catalogue.ts';
import type { RecordingRow } from '../../src/catalogue/rows.ts';
import type { ObjectStore } from '../../src/store/store.ts';
import { storeKilled, type Struck } from './faults.ts';

/** A pass that failed is made again within this time after the store is back, ms. */
const againWithinMs = 30_000;

export type StoredEvidence = {
  store: Pick<ObjectStore, 'digest'>;
  catalogue: CataloguePart<{ auditTrail: 'of' }>;
  struck: readonly Struck[];
};

/**
 * Whether an archived recording is stored once, where its key has these versions.
 *
 * Ceph's gateway puts a version first, and lets its key lead to it after that. One that is killed in between has a version that no question for the
 * key finds, so the recording is stored again, above the same bytes (`docs/operations/archive.md`).
 */
export async function isStoredOnce(
  { id, objectKey, sha256 }: Pick<RecordingRow, 'id' | 'objectKey' | 'sha256'>,
  versions: readonly string[],
  { store, catalogue, struck }: StoredEvidence,
): Promise<boolean> {
  if (versions.length !== 2) return versions.length === 1;
  const archivedAt = (await catalogue.auditTrail.of(id)).find(({ to }) => to === 'archived')?.at ?? 0;
  const isAgain = struck.some(
    ({ name, from, endedAt }) => name === storeKilled && from < archivedAt && endedAt + againWithinMs > archivedAt,
  );
  if (!isAgain) return false;
  const digests = await Promise.all(
    versions.map((version) =>
      store.digest(objectKey ?? '', version, AbortSignal.timeout(60_000)).catch(() => undefined),
    ),
  );

  return digests.every((digest) => digest?.sha256 === sha256);
}
