import { makeDirectoryStore } from '../store/directory/store.ts';
import { makeEncryptedStore, type EncryptedStore } from '../store/encryption/store.ts';
import { makeKeyring, makeLocalKey, type Keyring, type WrappingKey } from '../store/encryption/keyWrapping.ts';
import { makeKmsKey } from '../store/encryption/kmsCommand.ts';
import type { LifecycleOptions } from '../store/s3/lifecycle.ts';
import { keysOf, prefixOf } from '../store/objectKeys.ts';
import { receiptOfRecording, receiptText } from '../receipt/receipt.ts';
import type { ObjectStore, RawStore } from '../store/store.ts';
import type { Catalogue, CataloguePart } from '../catalogue/catalogue.ts';
import { encryptionKeyOf } from '../config/encryptionKey.ts';
import type { ArchiveConfig, Config } from '../config/schema.ts';
import { PreavisError } from '../core/errors.ts';
import type { RecordingId } from '../core/ids.ts';
import { required } from './required.ts';
import type { Services } from './services.ts';

/** The archive. */

/** What a program that speaks with a KMS may need, and no secret of ours. */
function environmentOfKms(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('PREAVIS_')));
}

function localKey(text: string, key: string): WrappingKey {
  const bytes = encryptionKeyOf(text);
  if (bytes === undefined) throw new PreavisError('config_invalid', `${key}: holds no key`);

  return makeLocalKey(bytes);
}

type KeyConfig = {
  key?: string | undefined;
  keyId?: string | undefined;
  oldKeys?: string[] | undefined;
  oldKeyIds: string[];
};

/** Whatever the mode, what was encrypted before stays readable for as long as its key is configured. */
function keyringOf({ encryption }: ArchiveConfig, controllers: Config['controllers']): Keyring {
  const { mode, kmsCommand: command, kmsSeconds } = encryption;
  const kmsKey = (id: string): WrappingKey =>
    makeKmsKey({
      command: command ?? [],
      keyId: id,
      timeLimitMs: kmsSeconds * 1_000,
      environment: environmentOfKms(process.env),
    });
  const keysAt = (at: string, { key, keyId, oldKeys = [], oldKeyIds }: KeyConfig) => ({
    current: key !== undefined ? localKey(key, `${at}.key`) : keyId !== undefined ? kmsKey(keyId) : undefined,
    earlier: [...oldKeys.map((text) => localKey(text, `${at}.oldKeys`)), ...oldKeyIds.map(kmsKey)],
  });
  const common = keysAt('archive.encryption', encryption);
  const customers = Object.entries(controllers).map(([id, each]) => ({
    prefix: prefixOf(id),
    ...keysAt(`controllers.${id}.encryption`, each.encryption),
  }));
  const known = [common, ...customers].flatMap(({ current, earlier }) => [...earlier, ...(current ? [current] : [])]);
  if (mode !== 'client') return makeKeyring(undefined, known);
  const ownKeys = customers.flatMap(({ prefix, current }): [string, WrappingKey][] =>
    current === undefined ? [] : [[prefix, current]],
  );

  return makeKeyring(common.current, known, new Map(ownKeys));
}

/** undefined before there is a catalogue: then nothing is known to be in the archive. */
type Known = CataloguePart<{ recordings: 'knownObject' }> | undefined;

export async function makeStore(
  { archive, controllers }: Pick<Config, 'archive' | 'controllers'>,
  catalogue: Known,
): Promise<EncryptedStore> {
  return makeEncryptedStore(await makeRawStore(archive, catalogue), keyringOf(archive, controllers));
}

/** With those of archive.former. Nothing is asked of any before there is something to do there. */
export async function makeArchives({ archive, controllers, formerArchives = [] }: Config, catalogue: Catalogue) {
  return {
    store: await makeStore({ archive, controllers }, catalogue),
    former: await Promise.all(formerArchives.map((each) => makeStore({ archive: each, controllers }, catalogue))),
  };
}

/** What one process has, with its archives. */
export type ArchiveServices = Awaited<ReturnType<typeof addArchives>>;

export async function addArchives(services: Services) {
  const { config, catalogue } = services;
  const { store, former } = await makeArchives(config, catalogue);

  return {
    ...services,
    store,
    former,
    /** The receipt of a recording, as JSON text. */
    receiptOf: async (id: RecordingId) => {
      const row = await catalogue.recordings.find(id);
      const encryption = row === undefined ? store.encryption : store.encryptionFor(keysOf(row).wav);

      return receiptText(await receiptOfRecording(catalogue, id, encryption));
    },
  };
}

async function makeRawStore(archive: ArchiveConfig, catalogue: Known): Promise<RawStore> {
  const { store, directory, minio, encryption } = archive;

  switch (store) {
    case 'directory': {
      const made: RawStore = makeDirectoryStore({
        folder: directory.folder,
        known: () => catalogue?.recordings.knownObject(made.location) ?? Promise.resolve('never'),
      });
      return made;
    }
    case 'minio': {
      // Loaded only where it is the store: it costs a command that has a folder a third of its time.
      const { makeMinioStore } = await import('../store/s3/store.ts');

      return makeMinioStore({
        endPoint: minio.endPoint,
        port: minio.port,
        useTls: minio.useTls,
        accessKey: required(minio.accessKey, 'archive.minio.accessKey'),
        secretKey: required(minio.secretKey, 'archive.minio.secretKey'),
        region: minio.region,
        bucket: minio.bucket,
        prefix: minio.prefix,
        serverSideEncryption: encryption.mode === 'server',
      });
    }
  }
}

export function lifecycleOptions(
  { purposes, archive }: Config,
  store: ObjectStore,
  catalogue: LifecycleOptions['catalogue'],
  signal: AbortSignal,
): LifecycleOptions {
  const { prefix, lifecycleMarginDays: marginDays } = archive.minio;
  const longestKeepDays = Math.max(...Object.values(purposes).map(({ keepDays }) => keepDays));

  return { store, catalogue, longestKeepDays, marginDays, prefix, signal };
}
