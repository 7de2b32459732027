import { Server } from '../../../src/serve/server.ts';
import { nothingTried } from '../../../src/store/capabilities.ts';
import { makeDirectoryStore } from '../../../src/store/directory/store.ts';
import { makeMinioStore } from '../../../src/store/s3/store.ts';
import { ProtectionMonitor, seeArchive } from '../../../src/archive/protectionMonitor.ts';
import type { ObjectStore } from '../../../src/store/store.ts';
import type { AskingPurposes } from '../../../src/archive/protection.ts';
import { parseConfig } from '../../../src/config/load.ts';
import type { PurposeLock } from '../../../src/config/objectLockModes.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { makeIds } from '../../../src/core/ids.ts';
import { configTree } from '../../support/call/calls.ts';
import { collectingLog } from '../../support/logLines.ts';
import { eventually } from '../../support/poll.ts';
import { useS3Server } from '../../support/archive/s3Server.ts';
import { startStoreProxy, type StoreProxy } from '../../support/archive/storeProxy.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const s3 = useS3Server({ plain: {}, locked: { objectLock: true } });
let proxy: StoreProxy;

beforeAll(async () => {
  proxy = await startStoreProxy(s3.server.port);
});
afterAll(() => proxy.close());
afterEach(() => proxy.mend());

const purposes = (lock: PurposeLock): AskingPurposes => ({
  mifid: { lock, kind: 'obligation', consent: 'announce', keepDays: 1_826 },
});

function watching(
  bucket: string,
  lock: PurposeLock,
  options: { idleTimeoutMs?: number } = {},
): { watch: ProtectionMonitor } & ReturnType<typeof collectingLog> {
  const store = makeMinioStore({ ...s3.server, port: proxy.port, useTls: false, bucket, ...options });
  const collected = collectingLog('info');

  return {
    watch: new ProtectionMonitor({ store, bucket, purposes: purposes(lock), log: collected.log }),
    ...collected,
  };
}

describe('at the start', () => {
  test('a lock that the bucket can give is no hindrance, and what the archive can do is told once', async () => {
    const { watch, lines } = watching('locked', 'compliance');
    await watch.atStart(20_000);
    watch.reached();
    await watch.stop();
    expect(lines).toMatchObject([
      { level: 'info', objectLock: 'on', lockHolds: 'yes', msg: 'archive capabilities detected' },
    ]);
  });

  test('a lock that the bucket cannot give is refused, with what to do', async () => {
    const { watch } = watching('plain', 'governance');
    await expect(watch.atStart(20_000)).rejects.toMatchObject({
      code: 'archive_unprotected',
      message: expect.stringContaining('mifid asks for an Object Lock, and the bucket plain has none') as string,
      hint: expect.stringContaining('mc mb --with-lock') as string,
      exitCode: 1,
    });
  });

  test('nothing is waited for where nobody asks for a lock', async () => {
    proxy.break({ kind: 'silent' });
    const { watch } = watching('plain', 'none');
    const began = performance.now();
    await watch.atStart(60_000);
    expect(performance.now() - began).toBeLessThan(20_000);
    await watch.stop();
  });

  test.each<[string, () => Promise<void> | void]>([
    ['refuses connections', () => proxy.refuse()],
    [
      'is silent',
      () => {
        proxy.break({ kind: 'silent' });
      },
    ],
  ])('an archive that %s is no reason not to start; what it lacks is told when it is reached', async (_, fail) => {
    await fail();
    // Silence is over after two seconds, so that the test need not wait for longer.
    const { watch, lines } = watching('plain', 'compliance', { idleTimeoutMs: 2_000 });
    await watch.atStart(500);
    await proxy.mend();
    await eventually(() => {
      watch.reached();
      expect(lines.filter(({ level }) => level === 'error')).toMatchObject([
        { code: 'archive_unprotected', msg: 'archive does not meet the requirements of the purposes' },
      ]);
    });
    expect(lines.filter(({ level }) => level === 'warn').length).toBeLessThanOrEqual(1);
    await watch.stop();
  });
});

test('an archive that is refused for what it says is tried for people as far as that goes', async () => {
  const signal = AbortSignal.timeout(20_000);
  const see = (store: ObjectStore, lock: PurposeLock, refused: 'is enough' | 'is tried') =>
    seeArchive(store, { bucket: 'plain', purposes: purposes(lock), refused }, signal);
  const plain = makeMinioStore({ ...s3.server, useTls: false, bucket: 'plain' });
  expect((await see(plain, 'compliance', 'is enough')).trial).toEqual(nothingTried);
  const tried = { put: 'yes', get: 'yes', listVersions: 'yes', delete: 'yes', lockHolds: 'unknown' };
  expect((await see(plain, 'compliance', 'is tried')).trial).toMatchObject(tried);
  const away = makeDirectoryStore({ folder: folder.path('not-mounted') });
  expect((await see(away, 'compliance', 'is tried')).trial).toEqual(nothingTried);
  await expect(see(away, 'none', 'is tried')).rejects.toMatchObject({ code: 'archive_bucket_missing' });
});

describe('serve', () => {
  const app = (name: string, archive: Record<string, unknown>): { app: Server; started: Promise<void> } => {
    const tree = configTree();
    const all = tree['purposes'] as Record<string, Record<string, unknown>>;
    const config = parseConfig({
      ...tree,
      purposes: { ...all, agreement: { ...all['agreement'], lock: 'compliance' } },
      ari: { url: 'http://127.0.0.1:9', password: 'none', requestTimeoutMs: 500 },
      recording: { spoolFolder: folder.path(), minimumFreeMib: 0 },
      catalogue: { file: folder.path(`${name}.db`) },
      archive,
    });
    const made = new Server({
      config,
      log: collectingLog('info').log,
      clock: systemClock,
      ids: makeIds(),
      takeOver: false,
      newCatalogue: false,
    });

    return { app: made, started: made.start() };
  };
  const minio = (bucket: string): Record<string, unknown> => {
    const { endPoint, accessKey, secretKey } = s3.server;

    return { store: 'minio', minio: { endPoint, port: proxy.port, useTls: false, accessKey, secretKey, bucket } };
  };

  test('does not start where a purpose asks for a lock that a folder or a bucket cannot give', async () => {
    const refused = { code: 'archive_unprotected', exitCode: 1 };
    await expect(app('folder', { directory: { folder: folder.path('archive') } }).started).rejects.toMatchObject(
      refused,
    );
    await expect(app('plain', minio('plain')).started).rejects.toMatchObject(refused);
  });

  test('goes on where the bucket gives the lock, and where the archive cannot be reached', async () => {
    // The next thing that is missing is Asterisk.
    await expect(app('locked', minio('locked')).started).rejects.toMatchObject({ code: 'ari_unreachable' });
    await proxy.refuse();
    await expect(app('away', minio('plain')).started).rejects.toMatchObject({ code: 'ari_unreachable' });
  });
});
