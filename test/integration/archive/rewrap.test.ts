import { buffer, text } from 'node:stream/consumers';
import { RETENTION_MODES } from 'minio';
import { makeDirectoryStore } from '../../../src/store/directory/store.ts';
import { makeEncryptedStore, type EncryptedStore } from '../../../src/store/encryption/store.ts';
import type { Keyring } from '../../../src/store/encryption/keyWrapping.ts';
import { makeMinioStore } from '../../../src/store/s3/store.ts';
import { rewrapAll, type RewrapOptions, type RewrapPorts, type RewrapResult } from '../../../src/archive/rewrap.ts';
import { bytesSource } from '../../../src/store/encryption/source.ts';
import type { RawStore } from '../../../src/store/store.ts';
import { PreavisError } from '../../../src/core/errors.ts';
import { receiptOfRecording, receiptSchema, receiptText } from '../../../src/receipt/receipt.ts';
import { retentionPass } from '../../../src/retention/pass.ts';
import { beside } from '../../support/catalogue/holders.ts';
import { archiveStage } from '../../support/archive/archiving.ts';
import { callStart } from '../../support/call/calls.ts';
import { catalogues } from '../../support/catalogue/catalogues.ts';
import { countingKey, keyringOf, newKey, onlyKeyObject, keyObjectNames } from '../../support/archive/encryption.ts';
import { useS3Server } from '../../support/archive/s3Server.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { expectArchived, keysOf, uploadStage, type UploadStage } from '../../support/archive/uploadStage.ts';
import { digestOf, listed, seconds } from '../store/storeContract.ts';

const folder = temporaryFolder();
const open = catalogues();
const dayMs = 86_400_000;
let stages = 0;

const s3 = useS3Server({ plain: {}, versioned: { versioning: true }, locked: { objectLock: true } });

const kinds: [string, (at: string) => RawStore][] = [
  ['a folder', (at) => makeDirectoryStore({ folder: folder.path(`${at}/archive`) })],
  ['a bucket', (at) => makeMinioStore({ ...s3.server, useTls: false, bucket: 'plain', prefix: at })],
  ['a versioned bucket', (at) => makeMinioStore({ ...s3.server, useTls: false, bucket: 'versioned', prefix: at })],
];

type Stage = UploadStage & {
  raw: RawStore;
  store: EncryptedStore;
  rewrap(keyring: Keyring, options?: Partial<RewrapOptions>, more?: Partial<RewrapPorts>): Promise<RewrapResult>;
};

async function makeStage(openRaw: (at: string) => RawStore, keyring: Keyring, count: number): Promise<Stage> {
  const at = `rewrap-${(stages += 1)}`;
  const raw = openRaw(at);
  const store = makeEncryptedStore(raw, keyring);
  const set = await archiveStage(folder.path(at), open);
  const staged = await uploadStage(set, { store, direct: store }, count);
  const { signal } = new AbortController();
  staged.receiptOf = async (id) => receiptText(await receiptOfRecording(set.catalogue, id, staged.store.encryption));

  return Object.assign(staged, {
    raw,
    store,
    rewrap: (with_: Keyring, options: Partial<RewrapOptions> = {}, more: Partial<RewrapPorts> = {}) =>
      rewrapAll(
        { ...staged, store: makeEncryptedStore(raw, with_), ...more },
        { dryRun: false, waitMs: 0, signal, ...options },
      ),
  });
}

const rawBytes = async (raw: RawStore, key: string): Promise<Buffer> => buffer(await raw.read(key, null, seconds(10)));

describe.each(kinds)('in %s', (_, openRaw) => {
  test('recordings are uploaded encrypted, read back, and the id of the key is in audit trail and receipt', async () => {
    const wrapping = countingKey();
    const set = await makeStage(openRaw, keyringOf(wrapping), 2);
    expect(await set.pass()).toMatchObject({ sent: 2, waiting: 0 });
    await expectArchived(set);
    // Each object was read back, so its key was found and unwrapped.
    expect(wrapping.used.unwrap).toBeGreaterThanOrEqual(4);
    for (const call of set.calls) {
      const { wav, receipt } = keysOf(call);
      expect((await rawBytes(set.raw, wav)).includes('RIFF')).toBe(false);
      const encryption = { mode: 'client', keyId: wrapping.id };
      expect((await set.catalogue.auditTrail.of(call.id)).at(-1)?.detail).toMatchObject({ encryption });
      const stored = receiptSchema.parse(JSON.parse(await text(await set.store.read(receipt, null, seconds(10)))));
      expect(stored.recording?.encryption).toEqual(encryption);
      expect((await receiptOfRecording(set.catalogue, call.id)).recording?.encryption).toEqual(encryption);
    }
  });

  test('keys are wrapped anew, the audio stays as it is, and the earlier key is needed no more', async () => {
    const [earlier, current] = [newKey(), newKey()];
    const set = await makeStage(openRaw, keyringOf(earlier), 3);
    await set.pass();
    const before = await Promise.all(set.calls.map((call) => rawBytes(set.raw, keysOf(call).wav)));
    const versions = await Promise.all(set.calls.map((call) => set.raw.versions(keysOf(call).wav)));

    const both = keyringOf(current, earlier);
    const counts = { keyId: current.id, unusableKeys: [], plain: 0, elsewhere: 0, failed: [] };
    expect(await set.rewrap(both, { dryRun: true })).toEqual({ ...counts, rewrapped: 3, current: 0 });
    expect(
      (await rawBytes(set.raw, await onlyKeyObject(set.raw, keysOf(set.calls[0] as never).wav))).toString(),
    ).toContain(earlier.id);
    expect(await set.rewrap(both)).toEqual({ ...counts, rewrapped: 3, current: 0 });
    expect(await set.rewrap(both)).toEqual({ ...counts, rewrapped: 0, current: 3 });

    const only = makeEncryptedStore(set.raw, keyringOf(current));
    for (const [index, call] of set.calls.entries()) {
      const { wav, receipt } = keysOf(call);
      expect((await rawBytes(set.raw, wav)).equals(before[index] ?? Buffer.alloc(0))).toBe(true);
      expect(await set.raw.versions(wav)).toEqual(versions[index]);
      const { bytes, sha256 } = digestOf(call.wav);
      expect(await only.digest(wav, null, seconds(10))).toEqual({ bytes, sha256 });
      for (const key of [wav, receipt]) {
        // No earlier version of it either.
        const name = await onlyKeyObject(set.raw, key);
        expect(await set.raw.versions(name)).toHaveLength(1);
        expect((await rawBytes(set.raw, name)).toString()).not.toContain(earlier.id);
      }
      const steps = await set.catalogue.auditTrail.of(call.id);
      expect(steps.filter(({ event }) => event === 'key rewrapped')).toMatchObject([
        { actor: 'test', detail: { encryption: { mode: 'client', keyId: current.id }, from: [earlier.id] } },
      ]);
      expect((await receiptOfRecording(set.catalogue, call.id)).recording?.encryption).toMatchObject({
        keyId: current.id,
      });
    }
  });

  test('one whose key is not configured is told, and the others are wrapped', async () => {
    const [lost, earlier, current] = [newKey(), newKey(), newKey()];
    const set = await makeStage(openRaw, keyringOf(earlier), 2);
    await set.pass();
    const wav = keysOf(set.calls[1] as never).wav;
    const name = await onlyKeyObject(set.raw, wav);
    const keyObject = (await rawBytes(set.raw, name)).toString();
    await set.raw.erase(name);
    await set.raw.putText(name, keyObject.replace(earlier.id, lost.id), 'application/json', seconds(10));
    expect(await set.rewrap(keyringOf(current, earlier))).toMatchObject({
      rewrapped: 1,
      failed: [{ recording: set.calls[1]?.id, code: 'encryption_key_missing' }],
    });
    // Nothing of it was changed.
    expect((await rawBytes(set.raw, name)).toString()).toContain(lost.id);
  });

  test('what an attempt left under a key that is configured no more keeps nobody from the new one', async () => {
    const [gone, earlier, current] = [newKey(), newKey(), newKey()];
    const set = await makeStage(openRaw, keyringOf(earlier), 1);
    const [call] = set.calls;
    if (call === undefined) throw new Error('there is no call');
    const { wav } = keysOf(call);
    const cut = makeEncryptedStore({ ...set.raw, putSource: () => Promise.reject(new Error('cut')) }, keyringOf(gone));
    await expect(cut.putFile(wav, call.file, digestOf(call.wav), seconds(10))).rejects.toThrow('cut');
    await set.pass();
    expect(await set.rewrap(keyringOf(current, earlier))).toMatchObject({ rewrapped: 1, failed: [] });
    const { bytes, sha256 } = digestOf(call.wav);
    expect(await makeEncryptedStore(set.raw, keyringOf(current)).digest(wav, null, seconds(10))).toEqual({
      bytes,
      sha256,
    });
    expect(await set.rewrap(keyringOf(current))).toMatchObject({ current: 1, failed: [] });
  });

  test('retention erases a recording with its wrapped keys', async () => {
    const set = await makeStage(openRaw, keyringOf(newKey()), 2);
    await set.pass();
    set.clock.at = callStart + 40 * dayMs;
    const { signal } = new AbortController();
    expect(await retentionPass(set, { dryRun: false, waitMs: 0, signal })).toMatchObject({ due: 2, erased: 2 });
    const left = (await listed(set.raw, '')).filter(({ key }) => !key.includes('certificates/'));
    expect(left).toEqual([]);
    for (const call of set.calls) {
      for (const key of Object.values(keysOf(call))) expect(await keyObjectNames(set.raw, key)).toEqual([]);
    }
  });

  test('a key does not come back when retention erases while it is wrapped anew', async () => {
    const [earlier, current] = [newKey(), newKey()];
    const set = await makeStage(openRaw, keyringOf(earlier), 1);
    await set.pass();
    const { wav, receipt } = keysOf(set.calls[0] as never);
    const slow = {
      ...current,
      wrap: async (dataKey: Buffer, signal: AbortSignal) => {
        await set.store.erase(wav);
        await set.store.erase(receipt);
        return current.wrap(dataKey, signal);
      },
    };
    await makeEncryptedStore(set.raw, keyringOf(slow, earlier)).rewrap(wav, { dryRun: false }, seconds(10));
    expect(await listed(set.raw, '')).toEqual([]);
    expect(await keyObjectNames(set.raw, wav)).toEqual([]);
  });

  test.each([
    ['before its successor is there', 1, 'nothing'],
    ['after its successor was stored', 1, 'all'],
    ['before it is replaced', 2, 'nothing'],
    ['after it was replaced by what the store has spoilt, and before it was read back', 2, 'spoilt'],
    ['after it was replaced, and before it was read back', 2, 'all'],
  ] as const)('a wrapped key is there, whole, when the process dies %s', async (_when, writes, what) => {
    const [earlier, current] = [newKey(), newKey()];
    const set = await makeStage(openRaw, keyringOf(earlier), 1);
    await set.pass();
    const [call] = set.calls;
    if (call === undefined) throw new Error('there is no call');
    const { wav } = keysOf(call);
    const { bytes, sha256 } = digestOf(call.wav);
    const both = keyringOf(current, earlier);
    const isVersioned = (await set.raw.stat(await onlyKeyObject(set.raw, wav)))?.versionId !== null;
    let written = 0;
    const dead = (): Promise<never> => Promise.reject(new Error('dead'));
    const dying: RawStore = {
      ...set.raw,
      putText: async (key, content, type, signal) => {
        // A store that keeps versions needs no successor: there it is replaced by the first.
        if ((written += 1) < (isVersioned ? 1 : writes)) return set.raw.putText(key, content, type, signal);
        if (what !== 'nothing') {
          await set.raw.putText(key, what === 'all' ? content : `${content.slice(0, 20)}\n`, type, signal);
        }
        Object.assign(dying, { putText: dead, read: dead, erase: dead, versions: dead, eraseVersion: dead });

        return dead();
      },
    };
    await expect(makeEncryptedStore(dying, both).rewrap(wav, { dryRun: false }, seconds(10))).rejects.toThrow('dead');
    const mended = makeEncryptedStore(set.raw, both);
    expect(await mended.digest(wav, null, seconds(10))).toEqual({ bytes, sha256 });
    expect(await set.rewrap(both)).toMatchObject({ rewrapped: 1, failed: [] });
    expect(await makeEncryptedStore(set.raw, keyringOf(current)).digest(wav, null, seconds(10))).toEqual({
      bytes,
      sha256,
    });
    expect(await set.raw.versions(await onlyKeyObject(set.raw, wav))).toHaveLength(1);
    expect(await set.rewrap(both)).toMatchObject({ rewrapped: 0, current: 1 });
    await mended.erase(wav);
    expect(await keyObjectNames(set.raw, wav)).toEqual([]);
    expect(await mended.versions(wav)).toEqual([]);
  });

  test('an encrypted recording whose wrapped key is gone does not count as one that is not encrypted', async () => {
    const set = await makeStage(openRaw, keyringOf(newKey()), 1);
    await set.pass();
    await set.raw.erase(await onlyKeyObject(set.raw, keysOf(set.calls[0] as never).wav));
    expect(await set.rewrap(keyringOf(newKey()))).toMatchObject({
      plain: 0,
      failed: [{ code: 'encryption_key_missing' }],
    });
  });

  test('what was stored before encryption is left as it is', async () => {
    const set = await makeStage(openRaw, keyringOf(undefined), 1);
    await set.pass();
    await expectArchived(set);
    expect((await set.catalogue.auditTrail.of(set.calls[0]?.id as never)).at(-1)?.detail).toMatchObject({
      encryption: null,
    });
    expect(await set.rewrap(keyringOf(newKey()))).toMatchObject({ plain: 1, rewrapped: 0, failed: [] });
  });
});

test('in a bucket with a lock, the earlier wrapped key stays until its lock ends, and that is told', async () => {
  const [earlier, current] = [newKey(), newKey()];
  let prefix = '';
  const openLocked = (at: string): RawStore => {
    prefix = at;
    return makeMinioStore({ ...s3.server, useTls: false, bucket: 'locked', prefix });
  };
  const set = await makeStage(openLocked, keyringOf(earlier), 1);
  await set.pass();
  const { wav, receipt } = keysOf(set.calls[0] as never);
  const name = await onlyKeyObject(set.raw, wav);
  const versionId = (await set.raw.stat(name))?.versionId ?? '';
  await s3.client.putObjectRetention('locked', `${prefix}/${name}`, {
    mode: RETENTION_MODES.COMPLIANCE,
    retainUntilDate: new Date(Date.now() + 60_000).toISOString(),
    versionId,
  });
  const both = keyringOf(current, earlier);
  for (let pass = 0; pass < 3; pass += 1) {
    expect(await set.rewrap(both)).toMatchObject({ rewrapped: 0, failed: [{ code: 'archive_locked' }] });
    expect(await set.raw.versions(name)).toHaveLength(2);
  }
  expect(await set.raw.versions(await onlyKeyObject(set.raw, receipt))).toHaveLength(1);
  const { bytes, sha256 } = digestOf(set.calls[0]?.wav ?? Buffer.alloc(0));
  const only = makeEncryptedStore(set.raw, keyringOf(current));
  expect(await only.digest(wav, null, seconds(10))).toEqual({ bytes, sha256 });
  // The receipt too, and once in the audit trail: a lock on one wrapped key keeps nothing else from being wrapped anew.
  expect((await buffer(await only.read(receipt, null, seconds(10)))).length).toBeGreaterThan(0);
  const steps = await set.catalogue.auditTrail.of(set.calls[0]?.id as never);
  expect(steps.filter(({ event }) => event === 'key rewrapped')).toMatchObject([
    { detail: { encryption: { mode: 'client', keyId: current.id }, from: [earlier.id] } },
  ]);
});

describe('the pass', () => {
  const openRaw = kinds[0]?.[1] as (at: string) => RawStore;

  test('needs a current key, and leaves what lies in another archive', async () => {
    const wrapping = newKey();
    const set = await makeStage(openRaw, keyringOf(wrapping), 1);
    await set.pass();
    await expect(set.rewrap(keyringOf(undefined, wrapping))).rejects.toMatchObject({ code: 'encryption_key_missing' });
    const store = { ...makeEncryptedStore(set.raw, keyringOf(newKey(), wrapping)), location: '/elsewhere' };
    expect(await set.rewrap(keyringOf(wrapping), {}, { store })).toMatchObject({ elsewhere: 1, rewrapped: 0 });
  });

  test('changes nothing when the new key does not give back what it has wrapped', async () => {
    const [earlier, broken] = [newKey(), newKey()];
    const set = await makeStage(openRaw, keyringOf(earlier), 1);
    await set.pass();
    const unwrap = (): Promise<Buffer> => Promise.resolve(Buffer.alloc(32));
    const keyring = keyringOf({ ...broken, unwrap }, earlier);
    await expect(set.rewrap(keyring)).rejects.toMatchObject({ code: 'encryption_key_unusable' });
    const { wav } = keysOf(set.calls[0] as never);
    await expect(
      makeEncryptedStore(set.raw, keyring).rewrap(wav, { dryRun: false }, seconds(10)),
    ).rejects.toMatchObject({ code: 'encryption_key_unusable' });
    await expectArchived(set);
  });

  test('is one at a time, and is ended by its signal', async () => {
    const set = await makeStage(openRaw, keyringOf(newKey()), 1);
    await set.pass();
    await set.catalogue.leases.take('rewrap', beside(1));
    await expect(set.rewrap(keyringOf(newKey()))).rejects.toMatchObject({ code: 'job_busy' });
    const signal = AbortSignal.abort(new Error('stopped'));
    await expect(set.rewrap(keyringOf(newKey()), { dryRun: true, signal })).rejects.toThrow('stopped');
  });
});

describe('an upload', () => {
  const openRaw = kinds[0]?.[1] as (at: string) => RawStore;

  test('keeps the local file when what was stored does not open', async () => {
    const set = await makeStage(openRaw, keyringOf(newKey()), 1);
    const { raw } = set;
    const flipping: RawStore = {
      ...raw,
      putSource: async (key, source, expected, signal) => {
        const stored = await raw.putSource(key, source, expected, signal);
        const bytes = await rawBytes(raw, key);
        bytes.writeUInt8(bytes.readUInt8(bytes.length - 20) ^ 1, bytes.length - 20);
        await putBytes(raw, key, bytes);
        return stored;
      },
    };
    set.store = makeEncryptedStore(flipping, keyringOf(newKey()));
    expect(await set.pass()).toMatchObject({ sent: 0, failures: { archive_mismatch: 1 } });
    expect(await set.spooled()).toHaveLength(1);
    // Nothing of it is left in the way of the next attempt.
    const [call] = set.calls;
    expect(await raw.versions(keysOf(call as never).wav)).toEqual([]);
    set.store = makeEncryptedStore(raw, keyringOf(newKey()));
    expect(await set.pass({ all: true })).toMatchObject({ sent: 1 });
  });

  test.each([
    ['an archive without versions: it is left there', 0, { sent: 0, failures: { archive_occupied: 1 } }],
    ['a bucket that keeps versions: it is covered', 2, { sent: 1, failures: {} }],
  ] as const)('that finds a damaged object in its place in %s', async (_, kind, outcome) => {
    const set = await makeStage(kinds[kind]?.[1] as typeof openRaw, keyringOf(newKey()), 1);
    const [call] = set.calls;
    if (call === undefined) throw new Error('there is no call');
    const { wav } = keysOf(call);
    await set.store.putFile(wav, call.file, digestOf(call.wav), seconds(10));
    const bytes = await rawBytes(set.raw, wav);
    bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100);
    await putBytes(set.raw, wav, bytes);
    expect(await set.pass()).toMatchObject(outcome);
    expect(await set.spooled()).toHaveLength(1 - outcome.sent);
  });

  test('waits, and sends nothing, while the key cannot be reached', async () => {
    const set = await makeStage(openRaw, keyringOf(newKey()), 2);
    const gone = { ...newKey(), wrap: () => Promise.reject(new PreavisError('encryption_key_unusable', 'no KMS')) };
    set.store = makeEncryptedStore(set.raw, keyringOf(gone));
    expect(await set.pass()).toMatchObject({ sent: 0, waiting: 2, archive: { state: 'failing' } });
    expect(await listed(set.raw, '')).toEqual([]);
    expect(await set.spooled()).toHaveLength(2);
  });
});

function putBytes(raw: RawStore, key: string, bytes: Buffer): Promise<unknown> {
  return raw.putSource(
    key,
    () => Promise.resolve(bytesSource(bytes)),
    { bytes: bytes.length, contentType: 'text/plain' },
    seconds(10),
  );
}
