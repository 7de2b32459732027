import { createHash, randomBytes } from 'node:crypto';
import { appendFile, truncate, writeFile } from 'node:fs/promises';
import { buffer, text } from 'node:stream/consumers';
import type { ObjectStore, StoredObject } from '../../../src/store/store.ts';
import type { Digest } from '../../../src/store/digest.ts';
import { whileLocked } from '../../support/archive/shortLocks.ts';
import { eventually } from '../../support/poll.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

export type StoreSubject = {
  store: () => ObjectStore;
  /** A store whose bucket or folder is not there. */
  missing: () => ObjectStore;
  /** Does it keep what is overwritten? */
  isVersioned: boolean;
  /** Can it lock an object? */
  hasLocks: boolean;
};

export const contentType = 'audio/wav';

export function digestOf(content: Buffer): Digest & { contentType: string } {
  return { bytes: content.length, sha256: createHash('sha256').update(content).digest('hex'), contentType };
}

export async function listed(store: ObjectStore, prefix: string): Promise<StoredObject[]> {
  const found: StoredObject[] = [];
  for await (const object of store.list(prefix)) found.push(object);
  return found;
}

export const seconds = (count: number): AbortSignal => AbortSignal.timeout(count * 1_000);

/** What holds for every store. The keys of each test begin with a part of their own, so that the tests can share it. */
export function describeStoreContract(name: string, subject: StoreSubject): void {
  describe(name, () => {
    const folder = temporaryFolder();
    const fileOf = async (content: Buffer): Promise<string> => {
      const path = folder.path(randomBytes(8).toString('hex'));
      await writeFile(path, content);
      return path;
    };
    const put = async (key: string, content: Buffer): Promise<StoredObject> =>
      subject.store().putFile(key, await fileOf(content), digestOf(content), seconds(30));
    const expectAbsent = async (key: string): Promise<void> => {
      const store = subject.store();
      expect(await store.stat(key)).toBeUndefined();
      expect(await store.versions(key)).toEqual([]);
      expect(await listed(store, key)).toEqual([]);
    };

    it('passes its own check and leaves nothing of it', async () => {
      const before = await listed(subject.store(), '');
      await subject.store().check();
      expect(await listed(subject.store(), '')).toEqual(before);
    });

    it('gives back the bytes of a file', async () => {
      const store = subject.store();
      const content = randomBytes(1_234_567);
      const stored = await put('whole/2026/a.wav', content);
      expect(stored).toMatchObject({ key: 'whole/2026/a.wav', bytes: content.length });
      expect(stored.versionId === null).toBe(!subject.isVersioned);
      expect(await store.stat('whole/2026/a.wav')).toEqual(stored);
      const { bytes, sha256 } = digestOf(content);
      expect(await store.digest(stored.key, stored.versionId, seconds(10))).toEqual({ bytes, sha256 });
      expect((await buffer(await store.read('whole/2026/a.wav', null, seconds(10)))).equals(content)).toBe(true);
      expect(await store.versions('whole/2026/a.wav')).toEqual([stored.versionId ?? 'null']);
    });

    it('gives any part of what was stored, and none of what has another length', async () => {
      const store = subject.store();
      const content = randomBytes(200_001);
      const stored = await put('part/a.wav', content);
      const of = content.length;
      const parts = [
        [0, 1],
        [0, of],
        [of - 1, 1],
        [65_535, 2],
        [65_536, 65_536],
        [70_000, 100_000],
        [131_072, of - 131_072],
      ] as const;
      for (const [from, bytes] of parts) {
        const part = { from, bytes, of };
        const { stream } = await store.readPart('part/a.wav', stored.versionId, part, seconds(10));
        expect((await buffer(stream)).equals(content.subarray(from, from + bytes))).toBe(true);
      }
      for (const other of [of - 1, of + 1]) {
        const asked = { from: 0, bytes: 10, of: other };
        await expect(store.readPart('part/a.wav', null, asked, seconds(10))).rejects.toMatchObject({
          code: 'archive_mismatch',
        });
      }
      await expect(store.readPart('part/b', null, { from: 0, bytes: 1, of: 1 }, seconds(10))).rejects.toMatchObject({
        code: 'archive_object_missing',
      });
    });

    it('gives back an empty file and a text in UTF-8', async () => {
      const store = subject.store();
      await put('small/empty', Buffer.alloc(0));
      expect(await store.stat('small/empty')).toMatchObject({ bytes: 0 });
      const stored = await store.putText('small/text.json', '{"naïve":"één €"}', 'application/json', seconds(10));
      expect(stored.bytes).toBe(Buffer.byteLength('{"naïve":"één €"}'));
      expect(await text(await store.read('small/text.json', null, seconds(10)))).toBe('{"naïve":"één €"}');
    });

    it('has the latest bytes under a key that was written twice', async () => {
      const store = subject.store();
      const first = await put('twice/a', Buffer.from('first'));
      await put('twice/a', Buffer.from('the second'));
      expect(await text(await store.read('twice/a', null, seconds(10)))).toBe('the second');
      expect(await store.versions('twice/a')).toHaveLength(subject.isVersioned ? 2 : 1);
      const old = await store.digest('twice/a', first.versionId, seconds(10));
      expect(old.bytes).toBe(subject.isVersioned ? 5 : 10);
      const oldText = await text(await store.read('twice/a', first.versionId, seconds(10)));
      expect(oldText).toBe(subject.isVersioned ? 'first' : 'the second');
      expect(await store.erase('twice/a')).toBe(subject.isVersioned ? 2 : 1);
      await expectAbsent('twice/a');
    });

    it.each([
      ['became shorter', (path: string) => truncate(path, 9_999)],
      ['became longer', (path: string) => appendFile(path, 'x')],
      ['has other bytes', (path: string) => writeFile(path, randomBytes(10_000))],
    ])('stores nothing of a file that %s', async (what, change) => {
      const key = `changed/${what.replaceAll(' ', '-')}`;
      const content = randomBytes(10_000);
      const path = await fileOf(content);
      await change(path);
      await expect(subject.store().putFile(key, path, digestOf(content), seconds(10))).rejects.toMatchObject({
        code: 'archive_mismatch',
      });
      await expectAbsent(key);
    });

    it('keeps what is there when an overwrite fails', async () => {
      const store = subject.store();
      await put('kept/a', Buffer.from('good'));
      const path = await fileOf(Buffer.from('ba'));
      const failed = store.putFile('kept/a', path, digestOf(Buffer.from('bad')), seconds(10));
      await expect(failed).rejects.toMatchObject({ code: 'archive_mismatch' });
      expect(await text(await store.read('kept/a', null, seconds(10)))).toBe('good');
    });

    it('says that the file to be stored is gone', async () => {
      const failed = subject.store().putFile('gone/a', folder.path('none'), digestOf(Buffer.from('x')), seconds(10));
      await expect(failed).rejects.toMatchObject({ code: 'spool_unusable', cause: { code: 'ENOENT' } });
      await expectAbsent('gone/a');
    });

    it('stores nothing once the time limit has passed', async () => {
      const content = Buffer.from('late');
      const path = await fileOf(content);
      const store = subject.store();
      const late = AbortSignal.abort(new Error('too late'));
      for (const fails of [
        () => store.putFile('late/a', path, digestOf(content), late),
        () => store.putText('late/a', 'late', 'text/plain', late),
        () => store.digest('late/a', null, late),
        () => store.read('late/a', null, late),
      ]) {
        await expect(fails()).rejects.toMatchObject({ code: 'archive_unreachable', cause: { message: 'too late' } });
      }
      await expectAbsent('late/a');
    });

    it('says that an object is missing', async () => {
      const store = subject.store();
      await put('absent/other', Buffer.from('x'));
      await expect(store.read('absent/a', null, seconds(10))).rejects.toMatchObject({ code: 'archive_object_missing' });
      await expect(store.digest('absent/a', null, seconds(10))).rejects.toMatchObject({
        code: 'archive_object_missing',
      });
      await expectAbsent('absent/a');
    });

    it('erases exactly one key, and finds nothing the second time', async () => {
      const store = subject.store();
      const others = ['erase/a.wav2', 'erase/a.wa', 'erase/a.json', 'erase/b/a.wav'];
      for (const key of ['erase/a.wav', ...others]) await put(key, Buffer.from(key));
      expect(await store.erase('erase/a.wav')).toBe(1);
      expect(await store.versions('erase/a.wav')).toEqual([]);
      expect(await store.stat('erase/a.wav')).toBeUndefined();
      expect(await store.erase('erase/a.wav')).toBe(0);
      expect(await store.erase('erase/never/was/there')).toBe(0);
      expect((await listed(store, 'erase/')).map(({ key }) => key).sort()).toEqual([...others].sort());
    });

    it('lists the keys that begin with a prefix, in order, with their sizes', async () => {
      const store = subject.store();
      const keys = ['list/a', 'list/a-b/c', 'list/a.c', 'list/a0', 'list/b/c/d', 'list2/a', 'lis'];
      for (const key of keys) await put(key, Buffer.from(key));
      const inOrder = keys.filter((key) => key.startsWith('list/')).sort();
      expect(await listed(store, 'list/')).toEqual(inOrder.map((key) => ({ key, bytes: key.length, versionId: null })));
      expect((await listed(store, 'list/a')).map(({ key }) => key)).toEqual(
        inOrder.filter((key) => key.startsWith('list/a')),
      );
      expect((await listed(store, 'list')).map(({ key }) => key)).toEqual([...inOrder, 'list2/a']);
      expect(await listed(store, 'nothing/here')).toEqual([]);
    });

    it('does not take a key of digits for a number', async () => {
      const store = subject.store();
      for (const key of ['007', '7', '0070', '007.0', '1e3']) await put(key, Buffer.from(key));
      expect((await listed(store, '007')).map(({ key }) => key)).toEqual(['007', '007.0', '0070']);
      expect(await store.versions('007')).toHaveLength(1);
      expect(await store.erase('007')).toBe(1);
      expect(await store.versions('007')).toEqual([]);
      for (const key of ['7', '0070', '007.0', '1e3']) {
        expect(await text(await store.read(key, null, seconds(10)))).toBe(key);
        expect(await store.erase(key)).toBe(1);
      }
    });

    it('takes many at once, beside an erasure in the same folder', async () => {
      const store = subject.store();
      const contents = Array.from({ length: 12 }, () => randomBytes(50_000));
      await Promise.all(
        contents.map(async (content, index) => {
          await put(`many/f/${index}-x`, Buffer.from('x'));
          await Promise.all([store.erase(`many/f/${index}-x`), put(`many/f/${index}`, content)]);
        }),
      );
      for (const [index, content] of contents.entries()) {
        expect((await store.digest(`many/f/${index}`, null, seconds(10))).sha256).toBe(digestOf(content).sha256);
      }
      expect(await listed(store, 'many/')).toHaveLength(12);
    });

    it(subject.hasLocks ? 'locks an object, and erases it afterwards' : 'says that it has no locks', async () => {
      const store = subject.store();
      const locked = await whileLocked(async (until, key) => {
        const { versionId } = await put(key, Buffer.from('x'));
        const none = { lock: undefined, longest: undefined, legalHold: 'off' };
        expect(await store.protection(key, versionId, seconds(10))).toEqual(none);
        const lock = { mode: 'governance', until } as const;
        const locking = store.protect(key, versionId, lock, seconds(10));
        if (subject.hasLocks) {
          await locking;
          expect(await store.protection(key, versionId, seconds(10))).toEqual({ ...none, lock, longest: lock });
          await expect(store.erase(key)).rejects.toMatchObject({ code: 'archive_locked' });
        } else await expect(locking).rejects.toMatchObject({ code: 'archive_unsupported' });

        return key;
      });
      expect((await store.capabilities(seconds(10))).objectLock).toBe(subject.hasLocks ? 'on' : 'off');
      await eventually(async () => {
        expect(await store.erase(locked)).toBe(1);
      });
      await expectAbsent(locked);
    });

    it('refuses a key that leads out of it, in every method', async () => {
      const store = subject.store();
      for (const key of ['../a', '/a', 'a/../../b', '.a', 'a b', 'é']) {
        for (const attempt of everyMethod(store, key, folder.path('none'))) {
          await expect(attempt()).rejects.toMatchObject({ code: 'internal' });
        }
      }
    });

    it('fails in every method when the bucket or folder is not there: a wrong setting is no erasure', async () => {
      const store = subject.missing();
      const path = await fileOf(Buffer.from('x'));
      for (const attempt of [() => store.check(), ...everyMethod(store, 'some/key', path, Buffer.from('x'))]) {
        await expect(attempt()).rejects.toMatchObject({ code: 'archive_bucket_missing' });
      }
    });

    it('tells people where it is, without a secret', () => {
      expect(subject.store().location).toMatch(/^(\/|https?:\/\/)/);
      expect(subject.store().location).not.toMatch(/@|key|secret/i);
    });
  });
}

/** Each method that takes a key. */
export function everyMethod(
  store: ObjectStore,
  key: string,
  file: string,
  content = Buffer.from('x'),
): (() => Promise<unknown>)[] {
  return [
    () => store.putFile(key, file, digestOf(content), seconds(20)),
    () => store.putText(key, 'x', 'text/plain', seconds(20)),
    () => store.stat(key),
    () => store.read(key, null, seconds(10)),
    () => store.digest(key, null, seconds(20)),
    () => store.versions(key),
    () => store.erase(key),
    () => listed(store, key),
    () => store.protect(key, 'version', { mode: 'governance', until: Date.now() + 60_000 }, seconds(20)),
    () => store.protection(key, null, seconds(20)),
  ];
}
