import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'minio';
import { isAlive, ownIdentity, type ProcessIdentity } from '../../../lab/machine/records.mjs';
import { isPortFree } from '../../../lab/machine/ports.ts';
import { endSharedStore, sharedStore, type StoreRun } from '../../../lab/store/sharedStore.mjs';
import { openAccount, type StoreAddress } from '../../../lab/store/storeAccounts.ts';
import { useS3Server } from '../../support/archive/s3Server.ts';
import { recordsOf } from '../../support/records.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

/** What becomes of it when the run is killed, acceptance/serve/interruption tries. */

const module = join(import.meta.dirname, '../../../lab/store/sharedStore.mjs');
const folder = temporaryFolder();
const s3 = useS3Server({ same: {} });

const runIn = (name: string): StoreRun => ({ folder: folder.path(name), owner: ownIdentity() });

/** Another worker asks for the server of the run. */
async function askedByAnother(run: StoreRun, environment: NodeJS.ProcessEnv = {}): Promise<StoreAddress> {
  const code = `
    import { sharedStore } from ${JSON.stringify(module)};
    process.stdout.write(JSON.stringify(await sharedStore(${JSON.stringify(run)})));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], {
    env: { ...process.env, NODE_OPTIONS: '', ...environment },
  });

  return JSON.parse(stdout) as StoreAddress;
}

const keeperOf = ({ folder: of }: StoreRun): ProcessIdentity =>
  JSON.parse(readFileSync(join(of, 'keeper.json'), 'utf8')) as ProcessIdentity;

test('it is started once by all who ask, and nothing is left once it was told to end', async () => {
  const run = runIn('run');
  try {
    const [one, other, third] = await Promise.all([sharedStore(run), askedByAnother(run), askedByAnother(run)]);
    expect([other, third]).toEqual([one, one]);
    const records = recordsOf(keeperOf(run));
    const processes = records.flatMap((record) => (record.kind === 'process' ? [record] : []));
    const folders = records.flatMap((record) => (record.kind === 'path' ? [record.path] : []));
    expect(processes.map(({ command }) => command).toSorted()).toEqual(['ceph-mon', 'ceph-osd', 'radosgw']);
    expect(folders.map((path) => existsSync(path))).toEqual([true]);

    await endSharedStore(run);
    expect([keeperOf(run), ...processes].filter(isAlive)).toEqual([]);
    expect(folders.map((path) => existsSync(path))).toEqual([false]);
    expect(await isPortFree(one.port)).toBe(true);
    await expect(sharedStore(run)).rejects.toThrow('The S3 server of this run has ended.');
  } finally {
    await endSharedStore(run);
  }
});

test('everybody is told why it does not start, and nobody tries again', async () => {
  const run = runIn('without');
  const why = 'The S3 server of the lab is not installed';
  await expect(askedByAnother(run, { PATH: folder.path() })).rejects.toThrow(why);
  await expect(sharedStore(run)).rejects.toThrow(why);
  await expect(askedByAnother(run)).rejects.toThrow(why);
});

test('an account sees nothing of a bucket of the same name that another has, and each has its own settings', async () => {
  const other = await openAccount(await sharedStore());
  await other.makeBucket('same', { objectLock: true });
  await s3.client.putObject('same', 'a', 'x');
  await s3.server.limitBucket('same', 1);
  const theirs = new Client({ ...other, useSSL: false });
  expect(await theirs.listObjectsV2('same', '', true).toArray()).toEqual([]);
  expect(await s3.client.listObjectsV2('same', '', true).toArray()).toMatchObject([{ name: 'a' }]);
  expect([await theirs.getBucketVersioning('same'), await s3.client.getBucketVersioning('same')]).toMatchObject([
    { Status: 'Enabled' },
    '',
  ]);
  for (const key of ['b', 'c']) await theirs.putObject('same', key, 'x');
  await expect(s3.client.putObject('same', 'b', 'x')).rejects.toMatchObject({ code: 'QuotaExceeded' });
});
