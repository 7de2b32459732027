import { existsSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { whatLiesElsewhere } from '../../../../src/archive/archives.ts';
import { makeDirectoryStore } from '../../../../src/store/directory/store.ts';
import { makeEncryptedStore } from '../../../../src/store/encryption/store.ts';
import { makeKeyring } from '../../../../src/store/encryption/keyWrapping.ts';
import { makeMinioStore } from '../../../../src/store/s3/store.ts';
import { moveArchive } from '../../../../src/archive/move/steps.ts';
import type { RawStore } from '../../../../src/store/store.ts';
import { uploadPass } from '../../../../src/archive/uploadPass.ts';
import { elsewhereFindings } from '../../../../src/cli/check/elsewhere.ts';
import { makeHeadMover } from '../../../../src/retention/heads/moveHeads.ts';
import { archiveStage } from '../../../support/archive/archiving.ts';
import { configTree } from '../../../support/call/calls.ts';
import { catalogues } from '../../../support/catalogue/catalogues.ts';
import { runCommand, type CommandRun } from '../../../support/command.ts';
import { useS3Server } from '../../../support/archive/s3Server.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import { keysOf } from '../../../support/archive/uploadStage.ts';
import { digestOf, seconds } from '../../store/storeContract.ts';

const folder = temporaryFolder();
const open = catalogues();
const never = new AbortController().signal;
const s3 = useS3Server({ versioned: { versioning: true } });
let places = 0;

const plainly = (raw: RawStore) => makeEncryptedStore(raw, makeKeyring(undefined, []));

/** Recordings in a folder, and a configuration whose archive is a bucket; `before` is that of then. */
async function place(count: number) {
  const prefix = `place-${(places += 1)}/`;
  const at = folder.path(`${places}`);
  const set = await archiveStage(at, open);
  const calls: Awaited<ReturnType<typeof set.finished>>[] = [];
  const store = makeMinioStore({ ...s3.server, useTls: false, bucket: 'versioned', prefix });
  /** One more in the archive of then. */
  const archive = async (): Promise<void> => {
    calls.push(await set.finished(undefined, { keepDays: 3_000 }));
    await uploadPass(set, { waitMs: 0, signal: never });
  };
  for (let index = 0; index < count; index += 1) await archive();
  const { endPoint, port, accessKey, secretKey } = s3.server;
  const folderOfThen = join(at, 'archive');
  const file = (name: string): string => join(at, name);
  const config = async (name: string, archiveOf: object): Promise<string> => {
    const tree = {
      ...configTree(),
      ari: { url: 'http://127.0.0.1:9', requestTimeoutMs: 500 },
      recording: { spoolFolder: set.spoolFolder, minimumFreeMib: 0 },
      catalogue: { file: file('catalogue.db') },
      archive: archiveOf,
    };
    await writeFile(file(name), JSON.stringify(tree), { mode: 0o600 });

    return file(name);
  };
  const bucket = {
    store: 'minio',
    minio: { endPoint, port, accessKey, secretKey, bucket: 'versioned', prefix, useTls: false },
  };
  await config('before.yaml', { directory: { folder: folderOfThen } });
  const now = await config('preavis.yaml', { ...bucket, former: ['before.yaml'] });
  const forgetful = await config('forgetful.yaml', bucket);
  const run = (args: readonly string[], environment = {}, by = now): Promise<CommandRun> =>
    runCommand([...args, '--config', by], { PREAVIS_ARI_PASSWORD: 'zebra', ...environment });

  return { at, set, calls, store, folderOfThen, forgetful, archive, config, run };
}

type Place = Awaited<ReturnType<typeof place>>;

async function expectWhole({ set, calls }: Place, store: RawStore): Promise<void> {
  for (const call of calls) {
    const { bytes, sha256 } = digestOf(call.wav);
    const row = await set.catalogue.recordings.find(call.id);
    expect(row).toMatchObject({ status: 'archived', archive: store.location });
    expect(await store.digest(keysOf(call).wav, row?.objectVersion ?? null, seconds(20))).toEqual({ bytes, sha256 });
  }
}

test('check names recordings that the configured archive cannot have, and what it says mends it', async () => {
  const there = await place(2);
  const { at, calls, forgetful, folderOfThen, run } = there;
  const newest = calls
    .map(({ id }) => id)
    .sort()
    .at(-1);
  const former = [makeDirectoryStore({ folder: folderOfThen })];
  // As check says it; the whole of it tries the locks of the bucket each time.
  const said = async (known: typeof former) =>
    elsewhereFindings(await whatLiesElsewhere({ store: there.store, former: known }, there.set.catalogue));
  const stranded = await run(['check'], {}, forgetful);
  expect(stranded.code).toBe(1);
  expect(stranded.stdout).toContain(
    `WRONG  recordings in other archives (${folderOfThen}): 2 recordings lie there, for example ${newest}; it is not configured, ` +
      'so nothing there can be fetched, or erased when due [archive_changed]\n       Name its configuration in archive.former, then `preavis archive move`',
  );
  const refused = await run(['archive', 'move'], {}, forgetful);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain(`recordings lie in others than the configured one: ${folderOfThen}`);

  // Named, they are fetched where they lie.
  const fetch = (to: string) => [
    'recordings',
    'fetch',
    calls[0]?.id ?? '',
    '--purpose',
    'training',
    '-o',
    join(at, to),
  ];
  expect(await run(fetch('a.wav'), {}, forgetful)).toMatchObject({ code: 1 });
  expect(await run(fetch('b.wav'))).toMatchObject({ code: 0 });
  expect(await said(former)).toMatchObject([{ ok: true, warning: '2 recordings lie there: preavis archive move' }]);
  const dry = await run(['archive', 'move', '--dry-run']);
  expect(dry).toMatchObject({ code: 0, stderr: '' });
  expect(dry.stdout).toContain(`${folderOfThen}: 2 recordings (0.0 MiB) would be moved to ${there.store.location}`);

  const moved = await run(['archive', 'move']);
  expect(moved).toMatchObject({ code: 0, stderr: '' });
  expect(moved.stdout).toContain('2 recordings (0.0 MiB) and 0 certificates are in');
  expect(moved.stdout).toContain(
    'Keep it in archive.former; there: 2 old copies; preavis archive move --remove-old removes it',
  );
  const copies = '2 old copies of moved recordings';
  expect(await said(former)).toMatchObject([{ ok: true, warning: `${copies}: preavis archive move --remove-old` }]);
  expect(await said([])).toMatchObject([{ ok: false, about: folderOfThen, code: 'archive_changed' }]);
  const removed = await run(['archive', 'move', '--remove-old', '--json']);
  expect(removed).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(removed.stdout)).toMatchObject({
    dryRun: false,
    archives: [
      { from: folderOfThen, moved: 0, removal: { removed: 2, locked: [] }, left: { recordings: 0, copies: 0 } },
    ],
  });
  expect(await said([])).toEqual([]);
  await expectWhole(there, there.store);
  expect(await run(fetch('c.wav'), {}, forgetful)).toMatchObject({ code: 0 });
  expect((await readFile(join(at, 'c.wav'))).equals(calls[0]?.wav ?? Buffer.alloc(0))).toBe(true);
  expect(await run(['recordings', 'reconcile', '--verify'], {}, forgetful)).toMatchObject({ code: 0 });
  expect(await run(['certificates', 'verify'])).toMatchObject({ code: 0 });
});

test('killed at any point, the same command goes on, and nothing is lost or left', async () => {
  const there = await place(1);
  const { set, calls, store, folderOfThen, archive, run } = there;
  const trail = join(there.at, 'trail');
  await store.check();
  await makeDirectoryStore({ folder: folderOfThen }).putText(
    'certificates/2026/0000000001-x.jws',
    'proof',
    'application/jose',
    never,
  );
  const move = ['archive', 'move', '--remove-old'];
  expect(await run(move, { PREAVIS_TEST_TRAIL: trail })).toMatchObject({ code: 0 });
  const passed = [...new Set(readFileSync(trail, 'utf8').trim().split('\n'))].filter((step) => step.startsWith('move'));
  expect(passed).toEqual([
    'move, intent kept',
    'move, WAV read back',
    'move, receipt read back',
    'move, locked',
    'move, in the new archive',
    'move, certificate read back',
    'move, new copy read again',
    'move, old object erased',
    'move, old copy forgotten',
  ]);
  for (const step of [...passed, 'upload, stored and not read back']) {
    try {
      await archive();
      const old = makeDirectoryStore({ folder: folderOfThen });
      await old.putText('certificates/2026/0000000001-x.jws', 'proof', 'application/jose', never);
      expect(await run(move, { PREAVIS_TEST_KILL_AT: step })).toMatchObject({ stdout: '' });
      // Whatever the catalogue says, the recording is there whole.
      const { id } = calls.at(-1) ?? calls[0] ?? { id: '' };
      const row = await set.catalogue.recordings.find(id);
      const where = row?.archive === folderOfThen ? old : store;
      const { bytes, sha256 } = digestOf(calls.at(-1)?.wav ?? Buffer.alloc(0));
      expect(await where.digest(row?.objectKey ?? '', row?.objectVersion ?? null, seconds(20))).toEqual({
        bytes,
        sha256,
      });

      // The same again; in this process, which is sooner ready.
      const source = plainly(old);
      const ports = {
        ...set,
        from: source.location,
        source,
        target: plainly(store),
        heads: makeHeadMover(set),
        refuseUnprotected: () => Promise.resolve(),
      };
      const options = { dryRun: false, removeOld: true, decrypt: false, waitMs: 5_000, signal: never };
      expect(await moveArchive(ports, options)).toMatchObject({ failed: [], left: { recordings: 0, copies: 0 } });
      await expectWhole(there, store);
      expect(existsSync(join(folderOfThen, 'recordings'))).toBe(false);
      expect(existsSync(join(folderOfThen, 'certificates'))).toBe(false);
      for (const call of calls) expect(await store.versions(keysOf(call).wav)).toHaveLength(1);
      expect(await set.catalogue.archiveCopies.left()).toEqual([]);
    } catch (error) {
      throw new Error(`killed at: ${step}`, { cause: error });
    }
  }
});

test('objects that were brought by other means are read back, and bad input is told', async () => {
  const there = await place(1);
  const { at, set, store, folderOfThen, forgetful, run, config, calls } = there;
  const [call] = calls;
  const { wav } = keysOf(call as never);
  await store.putFile(wav, join(folderOfThen, wav), digestOf(call?.wav ?? Buffer.alloc(0)), never);
  expect(await run(['archive', 'move', '--moved', '/nowhere'], {}, forgetful)).toMatchObject({ code: 2 });
  expect(await run(['archive', 'move', '--moved', folderOfThen], {}, forgetful)).toMatchObject({ code: 0 });
  await expectWhole(there, store);
  expect(await set.catalogue.archiveCopies.left()).toEqual([]);

  const faults: [object, string][] = [
    [{ former: ['missing.yaml'] }, 'config_unreadable'],
    [{ former: ['catalogue.db'] }, 'archive.former: '],
    [{ directory: { folder: folderOfThen }, former: ['before.yaml'] }, 'are the same'],
    [{ directory: { folder: '/dev/null/x' }, former: ['before.yaml'] }, 'archive_'],
  ];
  for (const [archiveOf, said] of faults) {
    const by = await config('faulty.yaml', archiveOf);
    const told = await run(['archive', 'move'], {}, by);
    expect(told.code).toBeGreaterThan(0);
    expect(told.stderr).toContain(said);
    expect(told.stderr).not.toMatch(/\.[jt]s:\d/);
  }
  await writeFile(join(at, 'before.yaml'), JSON.stringify({ archive: { store: 'tape' } }), { mode: 0o600 });
  const told = await run(['archive', 'move']);
  expect(told).toMatchObject({ code: 2 });
  expect(told.stderr).toContain(`archive.former: ${join(at, 'before.yaml')}: archive.store`);
  // Its secret was in the environment, and that is the one of the configured archive by now.
  const minio = { endPoint: '127.0.0.1', accessKey: 'abc', bucket: 'recordings' };
  await writeFile(join(at, 'before.yaml'), JSON.stringify({ archive: { store: 'minio', minio } }), { mode: 0o600 });
  const secret = await run(['archive', 'move'], { PREAVIS_ARCHIVE_MINIO_SECRET_KEY: 'of the new one' });
  expect(secret).toMatchObject({ code: 2 });
  expect(secret.stderr).toContain(`archive.former: ${join(at, 'before.yaml')}: archive.minio.secretKey: is missing`);
  expect(secret.stderr).toContain('PREAVIS_ARCHIVE_MINIO_SECRET_KEY is not asked for an earlier archive');
});
