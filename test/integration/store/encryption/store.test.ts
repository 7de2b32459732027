import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { buffer, text } from 'node:stream/consumers';
import { makeDirectoryStore } from '../../../../src/store/directory/store.ts';
import { makeEncryptedStore, type EncryptedStore } from '../../../../src/store/encryption/store.ts';
import type { Keyring } from '../../../../src/store/encryption/keyWrapping.ts';
import { makeMinioStore } from '../../../../src/store/s3/store.ts';
import { keyObjectOf } from '../../../../src/store/encryption/keyObject.ts';
import type { RawStore } from '../../../../src/store/store.ts';
import { countingKey, keyringOf, newKey, onlyKeyObject, keyObjectNames } from '../../../support/archive/encryption.ts';
import { useS3Server } from '../../../support/archive/s3Server.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import { contentType, digestOf, listed, seconds } from '../storeContract.ts';

const folder = temporaryFolder();
let stages = 0;

const s3 = useS3Server({ plain: {}, versioned: { versioning: true } });

const inBucket = (bucket: string): RawStore =>
  makeMinioStore({ ...s3.server, useTls: false, bucket, prefix: `stage-${(stages += 1)}` });

const kinds: [string, () => RawStore][] = [
  ['a folder', () => makeDirectoryStore({ folder: folder.path(`stage-${(stages += 1)}`) })],
  ['a bucket', () => inBucket('plain')],
  ['a versioned bucket', () => inBucket('versioned')],
];
const key = 'recordings/2026/11/26/a.wav';
const other = 'recordings/2026/11/26/b.wav';

async function put(store: EncryptedStore, content: Buffer, at = key): Promise<void> {
  const file = folder.path(randomBytes(8).toString('hex'));
  await writeFile(file, content);
  await store.putFile(at, file, digestOf(content), seconds(30));
}

const rawBytes = async (raw: RawStore, at: string): Promise<Buffer> => buffer(await raw.read(at, null, seconds(10)));

/** Puts other bytes in the place of what is there, past the encryption. */
async function replace(raw: RawStore, at: string, bytes: Buffer): Promise<void> {
  const file = folder.path(randomBytes(8).toString('hex'));
  await writeFile(file, bytes);
  // With its earlier versions: the data key would be had from one of them.
  await raw.erase(at);
  await raw.putFile(at, file, digestOf(bytes), seconds(10));
}

describe.each(kinds)('in %s', (_, open) => {
  const stage = async (keyring: Keyring): Promise<{ raw: RawStore; store: EncryptedStore }> => {
    const raw = open();
    await raw.check();
    return { raw, store: makeEncryptedStore(raw, keyring) };
  };

  it('nothing of a recording and its receipt can be read, and each has a key of its own', async () => {
    const wrapping = countingKey();
    const { raw, store } = await stage(keyringOf(wrapping));
    expect(store.encryption).toEqual({ mode: 'client', keyId: wrapping.id });
    const content = Buffer.concat([Buffer.from('RIFF told first '), Buffer.alloc(200_000, 'told first ')]);
    await put(store, content);
    await store.putText('recordings/2026/11/26/a.json', '{"told":"first"}', 'application/json', seconds(10));
    const keys = ['recordings/2026/11/26/a.json', key];
    expect((await listed(store, '')).map((object) => object.key)).toEqual(keys);
    expect((await listed(store, '')).map(({ bytes }) => bytes)).toEqual([16, content.length]);
    const keyObjects = await Promise.all(keys.map((at) => onlyKeyObject(raw, at)));
    for (const at of [...keys, ...keyObjects]) {
      expect((await rawBytes(raw, at)).includes('told')).toBe(false);
    }
    const wrapped = await Promise.all(keyObjects.map(async (at) => (await rawBytes(raw, at)).toString()));
    expect(wrapped[0]).toContain(wrapping.id);
    expect(wrapped[1]).toContain(wrapping.id);
    expect(wrapping.used).toEqual({ wrap: 2, unwrap: 0 });
  });

  it('each flipped byte is found when it is read back', async () => {
    const { raw, store } = await stage(keyringOf(newKey()));
    const content = randomBytes(150_000);
    await put(store, content);
    const sealed = await rawBytes(raw, key);
    // In the header but for its name, in each segment, in a tag, at the end.
    for (const at of [7, 9, 13, 32, 70_000, 32 + 65_536 + 3, 140_000, sealed.length - 1]) {
      const broken = Buffer.from(sealed);
      broken.writeUInt8(broken.readUInt8(at) ^ 1, at);
      await replace(raw, key, broken);
      await expect(store.digest(key, null, seconds(10))).rejects.toMatchObject({ code: 'archive_mismatch' });
    }
    // In the id of its key: there is none of that name.
    for (const at of [16, 20, 31]) {
      const broken = Buffer.from(sealed);
      broken.writeUInt8(broken.readUInt8(at) ^ 1, at);
      await replace(raw, key, broken);
      await expect(store.digest(key, null, seconds(10))).rejects.toMatchObject({ code: 'encryption_key_missing' });
    }
    for (const cut of [sealed.subarray(0, 40), sealed.subarray(0, 32 + 65_552), sealed.subarray(0, -1)]) {
      await replace(raw, key, cut);
      await expect(store.digest(key, null, seconds(10))).rejects.toMatchObject({ code: 'archive_mismatch' });
    }
    // Its name: then it is an object that is not encrypted, with other bytes than were recorded.
    const named = Buffer.from(sealed);
    named.writeUInt8(0x51, 0);
    await replace(raw, key, named);
    expect((await store.digest(key, null, seconds(10))).sha256).not.toBe(digestOf(content).sha256);
    await replace(raw, key, sealed);
    expect((await store.digest(key, null, seconds(10))).sha256).toBe(digestOf(content).sha256);
  });

  it('no byte of a segment that was changed is given out, nor any after it', async () => {
    const { raw, store } = await stage(keyringOf(newKey()));
    const content = randomBytes(200_000);
    await put(store, content);
    const broken = await rawBytes(raw, key);
    const second = 32 + 65_552;
    broken.writeUInt8(broken.readUInt8(second) ^ 1, second);
    await replace(raw, key, broken);
    const given: Buffer[] = [];
    await expect(
      (async () => {
        for await (const chunk of (await store.read(key, null, seconds(10))) as AsyncIterable<Buffer>)
          given.push(chunk);
      })(),
    ).rejects.toMatchObject({ code: 'archive_mismatch' });
    expect(Buffer.concat(given).equals(content.subarray(0, 65_536))).toBe(true);
  });

  it('a swapped sidecar, a swapped object, and both together are found', async () => {
    const { raw, store } = await stage(keyringOf(newKey()));
    await put(store, randomBytes(1_000));
    await put(store, randomBytes(1_000), other);
    const [name, otherName] = [await onlyKeyObject(raw, key), await onlyKeyObject(raw, other)];
    const [sealed, keyObject] = [await rawBytes(raw, key), await rawBytes(raw, name)];
    const [otherSealed, otherKeyObject] = [await rawBytes(raw, other), await rawBytes(raw, otherName)];
    const mismatch = { code: 'archive_mismatch' };
    await replace(raw, name, otherKeyObject);
    await expect(store.read(key, null, seconds(10))).rejects.toMatchObject({
      ...mismatch,
      message: expect.stringContaining('object named as a wrapped key is not one') as string,
    });
    // Under the right name all the same.
    const [id = '', otherId = ''] = [name, otherName].map((each) => each.slice(-32));
    await replace(raw, name, Buffer.from(otherKeyObject.toString().replace(other, key).replace(otherId, id)));
    await expect(store.digest(key, null, seconds(10))).rejects.toMatchObject(mismatch);
    await replace(raw, key, otherSealed);
    await expect(store.read(key, null, seconds(10))).rejects.toMatchObject({ code: 'encryption_key_missing' });
    await replace(raw, keyObjectOf(key, otherId), Buffer.from(otherKeyObject.toString().replace(other, key)));
    await expect(store.digest(key, null, seconds(10))).rejects.toMatchObject(mismatch);
    await replace(raw, key, sealed);
    for (const garbage of ['', '{', '{"preavisKeys":2}', 'x'.repeat(70_000)]) {
      await replace(raw, name, Buffer.from(garbage));
      await expect(store.read(key, null, seconds(10))).rejects.toMatchObject(mismatch);
    }
    await replace(raw, name, keyObject);
    expect(await store.digest(key, null, seconds(10))).toMatchObject({ bytes: 1_000 });
  });

  it('a key that is not configured is named, and a wrapped key that is gone is told', async () => {
    const wrapping = newKey();
    const { raw, store } = await stage(keyringOf(wrapping));
    await put(store, randomBytes(1_000));
    for (const keyring of [keyringOf(newKey()), keyringOf(undefined)]) {
      const without = makeEncryptedStore(raw, keyring);
      await expect(without.digest(key, null, seconds(10))).rejects.toMatchObject({
        code: 'encryption_key_missing',
        message: expect.stringContaining(wrapping.id) as string,
      });
      expect(await without.stat(key)).toMatchObject({ bytes: 1_000 });
    }
    await raw.erase(await onlyKeyObject(raw, key));
    // Ciphertext is never taken for a recording.
    await expect(store.read(key, null, seconds(10))).rejects.toMatchObject({ code: 'encryption_key_missing' });
    expect(await store.stat(key)).toMatchObject({ bytes: 1_000 });
  });

  it('a key with the right id and other bytes opens nothing', async () => {
    const wrapping = newKey();
    const { raw, store } = await stage(keyringOf(wrapping));
    await put(store, randomBytes(1_000));
    const wrong = makeEncryptedStore(raw, keyringOf({ ...newKey(), id: wrapping.id }));
    await expect(wrong.read(key, null, seconds(10))).rejects.toMatchObject({ code: 'archive_mismatch' });
    expect(await store.digest(key, null, seconds(10))).toMatchObject({ bytes: 1_000 });
  });

  it('what was stored before encryption, and while it was off again, is given back beside what is encrypted', async () => {
    const wrapping = newKey();
    const { raw, store: encrypting } = await stage(keyringOf(wrapping));
    const off = makeEncryptedStore(raw, keyringOf(undefined, wrapping));
    expect(off.encryption).toBeNull();
    const contents = [randomBytes(10), randomBytes(100_000), randomBytes(3_000)];
    await put(off, contents[0] ?? Buffer.alloc(0), 'a');
    await put(encrypting, contents[1] ?? Buffer.alloc(0), 'b');
    await put(off, contents[2] ?? Buffer.alloc(0), 'c');
    for (const store of [encrypting, off]) {
      for (const [index, at] of ['a', 'b', 'c'].entries()) {
        const content = contents[index] ?? Buffer.alloc(0);
        expect(await store.stat(at)).toMatchObject({ bytes: content.length });
        expect((await rawBytes(raw, at)).equals(content)).toBe(at !== 'b');
        expect((await store.digest(at, null, seconds(10))).sha256).toBe(digestOf(content).sha256);
      }
      expect((await listed(store, '')).map(({ bytes }) => bytes)).toEqual([10, 100_000, 3_000]);
    }
  });

  it('an erasure takes the wrapped key with it, and last, also with encryption off and without any key', async () => {
    const { raw, store } = await stage(keyringOf(newKey()));
    const off = makeEncryptedStore(raw, keyringOf(undefined));
    for (const eraser of [store, off]) {
      await put(store, randomBytes(1_000));
      await put(store, randomBytes(2_000));
      const steps: string[] = [];
      const watched = makeEncryptedStore(
        {
          ...raw,
          erase: (at) => {
            steps.push(at);
            return raw.erase(at);
          },
        },
        keyringOf(undefined),
      );
      const versions = (await raw.versions(key)).length;
      const keyObjects = await keyObjectNames(raw, key);
      expect(keyObjects).toHaveLength(2);
      expect(await (eraser === off ? watched : eraser).erase(key)).toBe(versions);
      expect(await raw.versions(key)).toEqual([]);
      expect(await keyObjectNames(raw, key)).toEqual([]);
      expect(await listed(raw, '')).toEqual([]);
      if (eraser === off) expect(steps).toEqual([key, ...keyObjects]);
      expect(await eraser.erase(key)).toBe(0);
    }
  });

  it('a wrapped key that is left alone is told as a version that is left, and erased', async () => {
    const { raw, store } = await stage(keyringOf(newKey()));
    await put(store, randomBytes(1_000));
    await raw.erase(key);
    expect(await store.versions(key)).toHaveLength(1);
    await store.erase(key);
    expect(await store.versions(key)).toEqual([]);
  });

  it('a failed attempt leaves earlier keys as they are', async () => {
    const { raw, store } = await stage(keyringOf(newKey()));
    await put(store, Buffer.from('first'));
    const cut: EncryptedStore = makeEncryptedStore(
      { ...raw, putSource: () => Promise.reject(new Error('cut')) },
      keyringOf(newKey()),
    );
    for (let attempt = 0; attempt < 12; attempt += 1) await expect(put(cut, Buffer.from('x'))).rejects.toThrow('cut');
    expect(await text(await store.read(key, null, seconds(10)))).toBe('first');
  });

  it('what an attempt that was given up still sends, however late, takes nothing from the one that stored it', async () => {
    const keyring = keyringOf(newKey());
    const { raw, store } = await stage(keyring);
    const late: (() => Promise<unknown>)[] = [];
    const held = makeEncryptedStore(
      {
        ...raw,
        putText: (...given) => {
          late.push(() => raw.putText(...given));
          return Promise.resolve({ key: given[0], bytes: given[1].length, versionId: null });
        },
        putSource: (...given) => {
          late.push(() => raw.putSource(...given));
          return Promise.reject(new Error('cut'));
        },
      },
      keyring,
    );
    await expect(put(held, Buffer.from('sound'))).rejects.toThrow('cut');
    // Many more are cut off before one comes through.
    const cut = makeEncryptedStore({ ...raw, putSource: () => Promise.reject(new Error('cut')) }, keyring);
    for (let attempt = 0; attempt < 12; attempt += 1) await expect(put(cut, Buffer.from('x'))).rejects.toThrow('cut');
    await put(store, Buffer.from('sound'));
    expect(late).toHaveLength(2);
    for (const arrive of late) {
      await arrive();
      expect(await text(await store.read(key, null, seconds(10)))).toBe('sound');
    }
    await store.erase(key);
    expect(await listed(raw, '')).toEqual([]);
  });

  it('a wrong object is taken away without the keys of other attempts', async () => {
    const { raw, store } = await stage(keyringOf(newKey()));
    const cut = makeEncryptedStore({ ...raw, putSource: () => Promise.reject(new Error('cut')) }, keyringOf(newKey()));
    await expect(put(cut, Buffer.from('x'))).rejects.toThrow('cut');
    const [only] = await store.versions(key);
    await store.eraseVersion(key, only ?? '');
    expect(await keyObjectNames(raw, key)).toHaveLength(1);
    await put(store, Buffer.from('x'));
    const [object] = await store.versions(key);
    await store.eraseVersion(key, object ?? '');
    expect(await raw.versions(key)).toEqual([]);
    expect(await keyObjectNames(raw, key)).toHaveLength(2);
  });

  it('the names of wrapped keys are no names of objects', async () => {
    const { store } = await stage(keyringOf(newKey()));
    const name = keyObjectOf(key, '0'.repeat(32));
    for (const attempt of [
      () => store.putText(name, 'x', contentType, seconds(10)),
      () => store.read(name, null, seconds(10)),
      () => store.stat(name),
      () => store.erase(name),
      () => store.versions(name),
    ]) {
      await expect(attempt()).rejects.toMatchObject({ code: 'internal' });
    }
  });

  it('a key that does not work fails the check of the archive', async () => {
    const { raw } = await stage(keyringOf(newKey()));
    const broken = { ...newKey(), unwrap: () => Promise.resolve(randomBytes(32)) };
    await expect(makeEncryptedStore(raw, keyringOf(broken)).check()).rejects.toMatchObject({
      code: 'encryption_key_unusable',
    });
  });
});
