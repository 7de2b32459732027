import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import { chmod, mkdir, open as openFile, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { jest } from '@jest/globals';
import { markerName, type KnownObject } from '../../../../src/store/directory/marker.ts';
import { makeDirectoryStore, type DirectoryStore } from '../../../../src/store/directory/store.ts';
import { makeKeyring } from '../../../../src/store/encryption/keyWrapping.ts';
import { makeEncryptedStore } from '../../../../src/store/encryption/store.ts';
import { built } from '../../../support/built.ts';
import { eventually } from '../../../support/poll.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import { contentType, digestOf, everyMethod, listed, seconds } from '../storeContract.ts';

const run = promisify(execFile);
const isRoot = process.getuid?.() === 0;
const folder = temporaryFolder();

let stores = 0;
/** A store in a new folder. */
async function open(): Promise<{ store: DirectoryStore; root: string }> {
  const root = folder.path(`store-${(stores += 1)}`);
  const store = makeDirectoryStore({ folder: root });
  await store.check();
  return { store, root };
}

async function fileOf(content: Buffer): Promise<string> {
  const path = folder.path(randomBytes(8).toString('hex'));
  await writeFile(path, content);
  return path;
}

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;
/** But the marker, and folders for temporary names. */
const everything = async (root: string): Promise<string[]> =>
  (await readdir(root, { recursive: true })).filter((name) => name !== markerName && basename(name) !== '.partial');

describe('an archive folder', () => {
  it('is for its owner only, whatever the umask', async () => {
    const before = process.umask(0);
    try {
      const { store, root } = await open();
      await store.putText('a/b/c.json', '{}', 'application/json', seconds(5));
      const content = randomBytes(10);
      await store.putFile('a/b/c.wav', await fileOf(content), digestOf(content), seconds(5));
      for (const path of ['', 'a', 'a/b']) expect(await modeOf(join(root, path))).toBe(0o700);
      for (const path of ['a/b/c.json', 'a/b/c.wav']) expect(await modeOf(join(root, path))).toBe(0o600);
    } finally {
      process.umask(before);
    }
  });

  it('keeps an object as a plain file under its key', async () => {
    const { store, root } = await open();
    const content = randomBytes(3_000_000);
    await store.putFile('a/b.wav', await fileOf(content), digestOf(content), seconds(5));
    expect((await readFile(join(root, 'a/b.wav'))).equals(content)).toBe(true);
    expect((await everything(root)).sort()).toEqual(['a', 'a/b.wav']);
  });

  it('loses its empty folders when an object is erased, but not itself', async () => {
    const { store, root } = await open();
    await store.putText('a/b/c/one', '1', contentType, seconds(5));
    await store.putText('a/two', '2', contentType, seconds(5));
    await store.erase('a/b/c/one');
    expect((await everything(root)).sort()).toEqual(['a', 'a/two']);
    await store.erase('a/two');
    expect(await everything(root)).toEqual([]);
  });

  it('takes a new object whenever the last one of its folder is being erased, and counts each once', async () => {
    const { store } = await open();
    for (let round = 0; round < 120; round += 1) {
      const olds = [0, 1, 2, 3].map((index) => `a/b/c/old-${index}`);
      for (const key of olds) await store.putText(key, 'x', contentType, seconds(5));
      const erasing = Promise.all(olds.map((key) => store.erase(key)));
      // Each round begins the writing a little later, to meet many moments of the erasure.
      for (let turn = 0; turn < round % 12; turn += 1) await stat(folder.path());
      await store.putText('a/b/c/new', 'x', contentType, seconds(5));
      expect(await erasing).toEqual([1, 1, 1, 1]);
      expect(await listed(store, '')).toEqual([{ key: 'a/b/c/new', bytes: 1, versionId: null }]);
      expect(await store.erase('a/b/c/new')).toBe(1);
    }
  });

  it('holds nothing of an object whose file was not the expected one', async () => {
    const { store, root } = await open();
    const content = randomBytes(3_000_000);
    const path = await fileOf(content.subarray(1));
    await expect(store.putFile('a/b', path, digestOf(content), seconds(5))).rejects.toMatchObject({
      code: 'archive_mismatch',
    });
    expect((await everything(root)).filter((name) => name !== 'a')).toEqual([]);
  });

  it('is not followed out of by a link', async () => {
    const { store, root } = await open();
    const secret = await fileOf(Buffer.from('secret'));
    await symlink(secret, join(root, 'link'));
    await expect(store.read('link', null, seconds(10))).rejects.toThrow();
    expect(await listed(store, '')).toEqual([]);
  });
});

describe('what a killed run left', () => {
  /** Starts a copy in another process and kills it with SIGKILL in the middle. */
  async function killedWriter(root: string, key: string): Promise<string> {
    const source = folder.path('endless');
    await run('truncate', ['--size=20G', source]);
    const script = `
      const { makeDirectoryStore } = await import('${built('store/directory/store.ts')}');
      const expected = { bytes: 20 * 1024 ** 3, sha256: '', contentType: 'audio/wav' };
      const store = makeDirectoryStore({ folder: ${JSON.stringify(root)} });
      await store.putFile(${JSON.stringify(key)}, ${JSON.stringify(source)}, expected, AbortSignal.timeout(60_000));
    `;
    const writer = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: 'inherit',
    });
    const exited = once(writer, 'exit');
    const inFolder = join(dirname(join(root, key)), '.partial');
    let partial = '';
    try {
      await eventually(async () => {
        partial = (await readdir(inFolder).catch(() => []))[0] ?? '';
        expect(partial).not.toBe('');
        expect((await stat(join(inFolder, partial))).size).toBeGreaterThan(0);
      });
    } finally {
      writer.kill('SIGKILL');
      await exited;
      await rm(source);
    }
    return join(inFolder, partial);
  }

  it('is neither listed nor readable, and goes with its key', async () => {
    const { store, root } = await open();
    const partial = await killedWriter(root, 'a/b.wav');
    expect((await stat(partial)).size).toBeGreaterThan(0);
    expect(await modeOf(partial)).toBe(0o600);
    expect(await listed(store, '')).toEqual([]);
    expect(await store.stat('a/b.wav')).toBeUndefined();
    await store.check();
    expect(await store.erase('a/b.wav')).toBe(0);
    expect(await everything(root)).toEqual([]);
  });

  it('is erased with its key, and no neighbour is', async () => {
    const { store, root } = await open();
    const partials = join(root, 'a', '.partial');
    await mkdir(partials, { recursive: true });
    for (const key of ['b.wav', 'b.wav2', 'b']) await writeFile(join(partials, `${key}.0123456789abcdef`), 'x');
    await store.putText('a/b.wav', 'x', contentType, seconds(5));
    expect(await store.erase('a/b.wav')).toBe(1);
    expect((await readdir(partials)).sort()).toEqual(['b.0123456789abcdef', 'b.wav2.0123456789abcdef']);
  });

  it('is found beside other erasures of its folder, and hides no object from them', async () => {
    const { store, root } = await open();
    const partials = join(root, 'a', '.partial');
    for (let round = 0; round < 60; round += 1) {
      const keys = ['b.wav', 'c.wav', 'd.wav', 'e.wav'];
      for (const key of keys) await store.putText(`a/${key}`, 'x', contentType, seconds(5));
      await mkdir(partials, { recursive: true });
      await writeFile(join(partials, 'b.wav.0123456789abcdef'), 'x');
      const removed = await Promise.all(keys.map((key) => store.erase(`a/${key}`)));
      expect(removed).toEqual([1, 1, 1, 1]);
      expect(await everything(root)).toEqual([]);
    }
  });

  it('cannot be where a file has the name of its folder, which keeps no object from being erased', async () => {
    const { store, root } = await open();
    await store.putText('a/b.wav', 'x', contentType, seconds(5));
    await rm(join(root, 'a', '.partial'), { recursive: true });
    await writeFile(join(root, 'a', '.partial'), 'of somebody else');
    expect(await store.erase('a/b.wav')).toBe(1);
    expect(await store.erase('a/b.wav')).toBe(0);
    expect(await listed(store, '')).toEqual([]);
    expect(await readFile(join(root, 'a', '.partial'), 'utf8')).toBe('of somebody else');
  });

  it('keeps its folder, but the empty one for temporary names does not', async () => {
    const { store, root } = await open();
    await store.putText('a/b.wav', 'x', contentType, seconds(5));
    await store.putText('a/c.wav', 'x', contentType, seconds(5));
    expect(await store.erase('a/b.wav')).toBe(1);
    expect(await everything(root)).not.toEqual([]);
    expect(await store.erase('a/c.wav')).toBe(1);
    expect(await everything(root)).toEqual([]);
  });

  it('is not looked for in a folder that has the name of an object', async () => {
    const { store, root } = await open();
    await store.putText('a/b/c.wav', 'x', contentType, seconds(5));
    expect(await store.erase('a/b')).toBe(0);
    expect(await listed(store, '')).toMatchObject([{ key: 'a/b/c.wav' }]);
    expect(await readdir(join(root, 'a/b'))).toContain('c.wav');
  });
});

describe('the marker of an archive folder', () => {
  const unmounted = { code: 'archive_not_mounted', retryable: true };
  const store = (root: string, known: KnownObject = 'never'): DirectoryStore =>
    makeDirectoryStore({ folder: root, known: () => Promise.resolve(known) });
  const newRoot = async (): Promise<string> => {
    const root = folder.path(`marked-${(stores += 1)}`);
    await mkdir(root);

    return root;
  };
  /** Every method: none may take the place where an archive should be mounted for the archive. */
  async function expectRefused(refused: DirectoryStore): Promise<void> {
    const file = await fileOf(Buffer.from('x'));
    for (const attempt of [() => refused.check(), ...everyMethod(refused, 'a/b', file)]) {
      await expect(attempt()).rejects.toMatchObject(unmounted);
    }
  }

  it('is made by the first upload into a new archive, for its owner only, and says what it is', async () => {
    const root = await newRoot();
    await store(root).stat('a/b');
    expect(await readdir(root)).toEqual([]);
    await store(root).putText('a/b', 'x', contentType, seconds(5));
    expect(await modeOf(join(root, markerName))).toBe(0o600);
    expect(await readFile(join(root, markerName), 'utf8')).toContain('archive');
    expect(await listed(store(root), '')).toEqual([{ key: 'a/b', bytes: 1, versionId: null }]);
  });

  it('is enough: what the catalogue knows is not asked then', async () => {
    const root = await newRoot();
    await store(root).check();
    const asking = makeDirectoryStore({ folder: root, known: () => Promise.reject(new Error('asked')) });
    await asking.check();
    await asking.putText('a/b', 'x', contentType, seconds(5));
    expect(await asking.erase('a/b')).toBe(1);
  });

  it.each<[string, KnownObject]>([
    ['of which the catalogue knows an object', { key: 'a/first' }],
    ['of which everything was erased', 'gone'],
  ])('that is missing from an archive %s makes every method fail, and nothing is written', async (_, known) => {
    const root = await newRoot();
    await expectRefused(store(root, known));
    expect(await readdir(root)).toEqual([]);
  });

  it('that is missing where something else lies makes no erasure look like one', async () => {
    const root = await newRoot();
    await mkdir(join(root, 'a'));
    await writeFile(join(root, 'a', 'stray'), 'x');
    await expect(store(root, { key: 'a/first' }).erase('a/b')).rejects.toMatchObject(unmounted);
  });

  it('is made in an archive from before there were markers, by what the catalogue knows to be in it', async () => {
    const root = await newRoot();
    await mkdir(join(root, 'a'));
    await writeFile(join(root, 'a', 'first'), 'x');
    expect(await store(root, { key: 'a/first' }).versions('a/b')).toEqual([]);
    expect(await everything(root)).toEqual(await readdir(root, { recursive: true }));
    await store(root, { key: 'a/first' }).putText('a/b', 'x', contentType, seconds(5));
    expect(await store(root, 'gone').stat('a/b')).toMatchObject({ bytes: 1 });
  });

  it('is made once by many uploads at once', async () => {
    const root = await newRoot();
    const uploads = [1, 2, 3, 4, 5, 6].map((index) => store(root).putText(`a/${index}`, 'x', contentType, seconds(5)));
    expect(await Promise.all(uploads)).toHaveLength(6);
  });

  // Only root may mount.
  (isRoot ? it : it.skip)('keeps uploads out of the mount point of an archive that is not mounted', async () => {
    const [disk, point] = [await newRoot(), await newRoot()];
    const mounted = store(point, { key: 'a/first' });
    await run('mount', ['--bind', disk, point]);
    try {
      await store(point).putText('a/first', 'x', contentType, seconds(5));
      await mounted.putText('a/second', 'x', contentType, seconds(5));
      await run('umount', [point]);
      await expectRefused(mounted);
      expect(await readdir(point)).toEqual([]);
      await run('mount', ['--bind', disk, point]);
      expect(await mounted.erase('a/second')).toBe(1);
    } finally {
      await run('umount', [point]).catch(() => undefined);
    }
  });
});

describe('an archive folder that hangs', () => {
  it('keeps two of the four threads that Node has for files, and nobody for longer than their time limit', async () => {
    const { store } = await open();
    let begun = 0;
    let answer: (error: Error) => void = () => undefined;
    const hanging = new Promise<never>((_, reject) => {
      answer = reject;
    });
    const source = (): Promise<never> => {
      begun += 1;
      return hanging;
    };
    const keys = Array.from({ length: 10 }, (_, index) => `a/${index}`);
    const soon = AbortSignal.timeout(200);
    const results = await Promise.allSettled(
      keys.map((key) => store.putSource(key, source, digestOf(Buffer.from('x')), soon)),
    );
    expect(results).toEqual(
      keys.map(() => ({
        status: 'rejected',
        reason: expect.objectContaining({ code: 'archive_unreachable' }) as unknown,
      })),
    );
    expect(begun).toBe(2);
    answer(new Error('it answers again'));
    await store.putText('a/b', 'x', contentType, seconds(5));
    expect(begun).toBe(2);
  });

  it('does so while objects are read back, as each upload does, and gives them whole when it answers', async () => {
    const { store, root } = await open();
    const encrypted = makeEncryptedStore(store, makeKeyring(undefined, []));
    const text = 'x'.repeat(200_000);
    const keys = ['a', 'b', 'c', 'd', 'e'].map((name) => `a/${name}`);
    for (const key of keys) await encrypted.putText(key, text, contentType, seconds(5));
    const handle = await openFile(import.meta.filename);
    const prototype = Object.getPrototypeOf(handle) as typeof handle;
    await handle.close();
    const read = Reflect.get<typeof handle, 'read'>(prototype, 'read');
    let begun = 0;
    let answer: () => void = () => undefined;
    const answers = new Promise<void>((resolve) => (answer = resolve));
    jest.spyOn(prototype, 'read').mockImplementation(async function (this: typeof handle, ...given: unknown[]) {
      if (readlinkSync(`/proc/self/fd/${this.fd}`).startsWith(root)) {
        begun += 1;
        await answers;
      }
      return Reflect.apply(read, this, given) as ReturnType<typeof read>;
    });
    try {
      const digests = keys.map((key) => encrypted.digest(key, null, seconds(30)));
      await eventually(() => begun > 1);
      await encrypted.digest('a/a', null, AbortSignal.timeout(200)).catch(() => undefined);
      expect(begun).toBe(2);
      answer();
      const { sha256 } = digestOf(Buffer.from(text));
      expect((await Promise.all(digests)).map((each) => each.sha256)).toEqual(keys.map(() => sha256));
    } finally {
      jest.restoreAllMocks();
    }
  });
});

describe('the check of an archive folder', () => {
  it('makes a missing folder, unless it is told not to', async () => {
    const path = folder.path('new/archive');
    await expect(makeDirectoryStore({ folder: path, create: false }).check()).rejects.toMatchObject({
      code: 'archive_bucket_missing',
    });
    await makeDirectoryStore({ folder: path }).check();
    expect(await modeOf(path)).toBe(0o700);
    expect(await readdir(path)).toEqual([markerName]);
  });

  it('says that a file lies where the folder should be', async () => {
    const path = await fileOf(Buffer.from('x'));
    const store = makeDirectoryStore({ folder: path });
    await expect(store.check()).rejects.toMatchObject({ code: 'archive_bucket_missing' });
    await expect(store.erase('a')).rejects.toMatchObject({ code: 'archive_bucket_missing' });
  });

  (isRoot ? it.skip : it)('says that the folder cannot be written', async () => {
    const { store, root } = await open();
    await chmod(root, 0o500);
    await expect(store.check()).rejects.toMatchObject({ code: 'archive_denied', cause: { code: 'EACCES' } });
    await chmod(root, 0o700);
  });
});

// Only root may mount.
(isRoot ? describe : describe.skip)('a disk of one mebibyte', () => {
  const mounted = folder;
  const root = (): string => mounted.path('disk');

  beforeAll(async () => {
    await mkdir(root());
    await run('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=0700', 'preavis-test', root()]);
  });
  afterAll(async () => {
    await run('umount', [root()]);
  });

  it('that is full fails an upload without a trace, fails the check, and works when there is room again', async () => {
    const store = makeDirectoryStore({ folder: root() });
    const content = randomBytes(2_000_000);
    const path = await fileOf(content);
    const full = {
      code: 'archive_full',
      cause: { code: 'ENOSPC' },
      message: expect.stringContaining('full') as string,
    };
    await expect(store.putFile('a', path, digestOf(content), seconds(5))).rejects.toMatchObject(full);
    expect(await everything(root())).toEqual([]);
    await store.check();

    await writeFile(join(root(), 'filler'), Buffer.alloc(2_000_000)).catch(() => undefined);
    await expect(store.check()).rejects.toMatchObject(full);
    await expect(store.putText('a', 'x', contentType, seconds(5))).rejects.toMatchObject(full);
    await rm(join(root(), 'filler'));
    await store.check();
    expect(await everything(root())).toEqual([]);
  });

  it('that is read-only is refused in every method that writes', async () => {
    const store = makeDirectoryStore({ folder: root() });
    await store.putText('a/b', 'x', contentType, seconds(5));
    await run('mount', ['-o', 'remount,ro', root()]);
    try {
      const denied = { code: 'archive_denied', cause: { code: 'EROFS' } };
      await expect(store.check()).rejects.toMatchObject(denied);
      await expect(store.putText('c', 'x', contentType, seconds(5))).rejects.toMatchObject(denied);
      await expect(store.erase('a/b')).rejects.toMatchObject(denied);
      expect(await store.versions('a/b')).toEqual(['null']);
    } finally {
      await run('mount', ['-o', 'remount,rw', root()]);
      await store.erase('a/b');
    }
  });
});
