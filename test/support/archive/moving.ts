import type { Client } from 'minio';
import { makeEncryptedStore, type EncryptedStore } from '../../../src/store/encryption/store.ts';
import {
  moveArchive,
  type ArchiveMoved,
  type MoveArchiveOptions,
  type MoveArchivePorts,
} from '../../../src/archive/move/steps.ts';
import type { RawStore } from '../../../src/store/store.ts';
import { makeHeadMover } from '../../../src/retention/heads/moveHeads.ts';
import type { ArchiveStage } from './archiving.ts';
import { keyringOf } from './encryption.ts';

/** Archives that are moved, without a key and with the options of a plain `preavis archive move`. */

export const plainly = (store: RawStore): EncryptedStore => makeEncryptedStore(store, keyringOf(undefined));

type Moving = Pick<MoveArchivePorts, 'source' | 'target'> & Partial<MoveArchivePorts>;

/** Moves from the archive of the stage, or from another one that is given. */
export function move(
  set: ArchiveStage,
  given: Moving,
  options: Partial<MoveArchiveOptions> = {},
): Promise<ArchiveMoved> {
  const heads = makeHeadMover(set);
  const from = given.source?.location ?? set.store.location;
  const refuseUnprotected = (): Promise<void> => Promise.resolve();
  const signal = new AbortController().signal;

  return moveArchive(
    { ...set, from, heads, refuseUnprotected, ...given },
    { dryRun: false, removeOld: false, decrypt: false, waitMs: 0, signal, ...options },
  );
}

/** Sets a legal hold on an object, or ends it. The types of the client say that it gives nothing; it gives a promise. */
export async function legalHold(
  client: Client,
  name: string,
  { bucket, versionId, status }: { bucket: string; versionId: string; status: 'ON' | 'OFF' },
): Promise<void> {
  const set = client.setObjectLegalHold.bind(client) as (...given: unknown[]) => unknown;
  await set(bucket, name, { versionId, status });
}
