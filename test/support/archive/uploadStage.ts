import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import type { Client } from 'minio';
import type { StoreAccount } from '../../../lab/store/storeAccounts.ts';
import { makeMinioStore, type MinioStoreOptions } from '../../../src/store/s3/store.ts';
import { objectKeys, type ObjectKeys } from '../../../src/store/objectKeys.ts';
import type { ObjectStore } from '../../../src/store/store.ts';
import { uploadPass, type UploadOptions, type UploadResult } from '../../../src/archive/uploadPass.ts';
import { digestOf, seconds } from '../../integration/store/storeContract.ts';
import { archiveStage, type ArchiveStage } from './archiving.ts';
import { callStart } from '../call/calls.ts';
import { catalogues } from '../catalogue/catalogues.ts';
import { useS3Server } from './s3Server.ts';
import { startStoreProxy, type StoreProxy } from './storeProxy.ts';
import { temporaryFolder } from '../temporaryFolder.ts';

export type FinishedCall = Awaited<ReturnType<ArchiveStage['finished']>>;

/** An archive stage with recordings that wait, oldest first. */
export type UploadStage = ArchiveStage & {
  calls: FinishedCall[];
  pass: (options?: Partial<UploadOptions>) => Promise<UploadResult>;
  /** The archive past what breaks it. */
  direct: ObjectStore;
};

/** What is given changes `set`, and so every later pass. */
export async function uploadStage(
  set: ArchiveStage,
  stores: { store: ObjectStore; direct: ObjectStore },
  count: number,
  wavs: Buffer[] = [],
): Promise<UploadStage> {
  const calls: FinishedCall[] = [];
  for (let index = 0; index < count; index += 1) calls.push(await set.finished(wavs[index]));
  const ports = { ...set, ...stores };
  const { signal } = new AbortController();

  return Object.assign(ports, {
    calls: calls.toSorted((one, other) => (one.id < other.id ? -1 : 1)),
    pass: (more: Partial<UploadOptions> = {}) => uploadPass(ports, { waitMs: 0, signal, ...more }),
  });
}

export const keysOf = ({ id }: FinishedCall): ObjectKeys => objectKeys(id, callStart + 20_000);

/** P4: each recording is still whole in the spool, and its row says so. */
export async function expectKept({ catalogue }: UploadStage, calls: readonly FinishedCall[]): Promise<void> {
  for (const { id, wav, file } of calls) {
    expect(await catalogue.recordings.find(id)).toMatchObject({ status: 'recorded', objectKey: null });
    expect((await readFile(file)).equals(wav)).toBe(true);
  }
}

/** Each recording is in the archive, whole and in so many versions, with its receipt, and nothing else is. */
export async function expectArchived(set: UploadStage, versions = 1): Promise<void> {
  const { calls, catalogue, direct } = set;
  for (const call of calls) {
    const { wav, receipt } = keysOf(call);
    const { bytes, sha256 } = digestOf(call.wav);
    expect(await direct.digest(wav, null, seconds(20))).toEqual({ bytes, sha256 });
    const row = await catalogue.recordings.find(call.id);
    expect(row).toMatchObject({ status: 'archived', objectKey: wav, receiptKey: receipt, failure: null });
    expect(await text(await direct.read(receipt, null, seconds(20)))).toBe(row?.receipt);
    expect(await direct.versions(wav)).toHaveLength(versions);
    expect((await catalogue.auditTrail.of(call.id)).filter(({ to }) => to === 'archived')).toHaveLength(1);
  }
  const keys: string[] = [];
  for await (const { key } of direct.list('')) keys.push(key);
  expect(keys.toSorted()).toEqual(calls.flatMap((call) => Object.values(keysOf(call))).toSorted());
  expect(await set.spooled()).toEqual([]);
}

export type FaultyStore = {
  readonly server: StoreAccount;
  readonly client: Client;
  /** A new one in each test. */
  readonly proxy: StoreProxy;
  /** Recordings that wait, and an archive behind the proxy, in a part of a bucket of its own (default: with versions). */
  stage(count: number, options?: Partial<MinioStoreOptions>, wavs?: Buffer[]): Promise<UploadStage>;
  /** The ids of the recordings that were asked for or sent, in the order in which each came first. */
  idsAsked(calls: readonly FinishedCall[]): string[];
};

/** A real S3 server with a bucket that keeps versions and one, `plain`, that does not, behind a proxy that breaks. */
export function useFaultyStore(): FaultyStore {
  const folder = temporaryFolder();
  const open = catalogues();
  const s3 = useS3Server({ plain: {}, versioned: { versioning: true } });
  let proxy: StoreProxy | undefined;
  let stages = 0;
  const up = (): StoreProxy => {
    if (proxy === undefined) throw new Error('the proxy is not started');
    return proxy;
  };

  beforeEach(async () => {
    proxy = await startStoreProxy(s3.server.port);
  });
  afterEach(() => proxy?.close());

  return {
    get server() {
      return s3.server;
    },
    get client() {
      return s3.client;
    },
    get proxy() {
      return up();
    },
    stage: async (count, options = {}, wavs = []) => {
      const { server } = s3;
      const set = await archiveStage(folder.path(`${(stages += 1)}`), open);
      const common = { ...server, useTls: false, bucket: 'versioned', prefix: `stage-${stages}`, ...options };
      const behind = { partSizeBytes: 5 * 1024 * 1024, ...common, port: up().port };
      const direct = makeMinioStore({ ...common, port: server.port, secretKey: server.secretKey });

      return uploadStage(set, { store: makeMinioStore(behind), direct }, count, wavs);
    },
    idsAsked: (calls) => {
      const asked = up().requests.filter(({ path }) => path.includes('/recordings/'));

      return [...new Set(asked.map(({ path }) => calls.find(({ id }) => path.includes(id))?.id ?? path))];
    },
  };
}
