import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { keyIdOf } from '../../../../src/store/encryption/keyWrapping.ts';
import { archiveStage } from '../../../support/archive/archiving.ts';
import { configTree } from '../../../support/call/calls.ts';
import { catalogues } from '../../../support/catalogue/catalogues.ts';
import { runCommand, type CommandRun } from '../../../support/command.ts';
import { useS3Server } from '../../../support/archive/s3Server.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
const s3 = useS3Server({ locked: { objectLock: true } });
let places = 0;
const keys = { one: randomBytes(32), two: randomBytes(32) };
const idOf = { one: keyIdOf(keys.one), two: keyIdOf(keys.two) };

/** A KMS that is a file and `openssl`; it fails unless the environment is without our secrets. */
const kms = `#!/bin/sh
set -eu
test -z "\${PREAVIS_ARI_PASSWORD:-}"
iv=000102030405060708090a0b0c0d0e0f
case $1 in wrap) flag=-e ;; unwrap) flag=-d ;; esac
base64 -d | openssl enc $flag -aes-256-cbc -K "$(cat "$(dirname "$0")/kms-$2")" -iv $iv | base64 -w 0
`;

async function place(more: { archive?: object; purposes?: object; log?: object } = {}) {
  const at = folder.path(`${(places += 1)}`);
  const set = await archiveStage(at, open);
  await mkdir(at, { recursive: true });
  for (const [name, key] of Object.entries(keys)) {
    await writeFile(join(at, `key-${name}`), `${key.toString('base64')}\n`, { mode: 0o600 });
  }
  await writeFile(join(at, 'kms'), kms);
  await chmod(join(at, 'kms'), 0o700);
  await writeFile(join(at, 'kms-cloud'), randomBytes(32).toString('hex'));
  const config = join(at, 'preavis.yaml');
  const run = async (args: readonly string[], encryption: Record<string, unknown>): Promise<CommandRun> => {
    const tree = {
      ...configTree(),
      ari: { url: 'http://127.0.0.1:9', requestTimeoutMs: 500 },
      recording: { spoolFolder: set.spoolFolder, minimumFreeMib: 0 },
      catalogue: { file: join(at, 'catalogue.db') },
      archive: { directory: { folder: join(at, 'archive') }, encryption, ...more.archive },
      ...(more.purposes === undefined ? {} : { purposes: more.purposes }),
      ...(more.log === undefined ? {} : { log: more.log }),
    };
    await writeFile(config, JSON.stringify(tree), { mode: 0o600 });

    return runCommand([...args, '--config', config], { PREAVIS_ARI_PASSWORD: 'zebra' });
  };

  return { at, set, run };
}

test('keys go from one file to the next and to a KMS, and the recording is fetched with the last alone', async () => {
  const { at, set, run } = await place();
  const { id, wav } = await set.finished(undefined, { keepDays: 3_000 });
  const one = { mode: 'client', keyFile: join(at, 'key-one') };
  const two = { mode: 'client', keyFile: join(at, 'key-two') };
  const cloud = { mode: 'client', kmsCommand: [join(at, 'kms')], keyId: 'cloud' };

  expect(await run(['upload'], one)).toMatchObject({ code: 0 });
  const checked = await run(['check'], one);
  expect(checked.stdout).toContain(`ok     encryption of the archive (by Préavis, key ${idOf.one})\n`);
  expect(checked.stdout).toContain(
    `ok     encryption key of recordings in the archive (${idOf.one}, for 1 recording)\n`,
  );
  expect((await run(['archive', 'rewrap'], two)).stdout).toContain(`${id}: encryption_key_missing`);
  // The key of now works, and opens nothing of what is there.
  for (const encryption of [two, {}]) {
    expect((await run(['check'], encryption)).stdout).toMatch(
      new RegExp(
        `WRONG {2}encryption key of recordings in the archive \\(${idOf.one}, for 1 recording\\): .*\\[encryption_key_missing\\]`,
      ),
    );
  }

  const both = { ...two, oldKeyFiles: [join(at, 'key-one')] };
  const dry = await run(['archive', 'rewrap', '--dry-run', '--json'], both);
  expect(JSON.parse(dry.stdout)).toEqual({
    dryRun: true,
    keyId: idOf.two,
    unusableKeys: [],
    rewrapped: 1,
    current: 0,
    plain: 0,
    elsewhere: 0,
    failed: [],
  });
  const done = await run(['archive', 'rewrap'], both);
  expect(done).toMatchObject({ code: 0, stderr: '' });
  expect(done.stdout).toBe(
    `key ${idOf.two}: 1 rewrapped, 0 had it already, 0 are not encrypted\n` +
      'No archived recording needs an earlier key any more.\n',
  );
  expect(await run(['archive', 'rewrap'], { ...cloud, oldKeyFiles: [join(at, 'key-two')] })).toMatchObject({ code: 0 });
  const inCloud = (await run(['check'], cloud)).stdout;
  expect(inCloud).toContain('ok     encryption of the archive (by Préavis, key cloud)\n');
  // The last wrapping counts, not the first.
  expect(inCloud).toContain('ok     encryption key of recordings in the archive (cloud, for 1 recording)\n');
  expect(inCloud).not.toContain(idOf.one);

  const output = join(at, 'fetched.wav');
  const fetch = ['recordings', 'fetch', id, '--purpose', 'training', '--force', '-o', output];
  expect(await run(fetch, cloud)).toMatchObject({ code: 0 });
  expect((await readFile(output)).equals(wav)).toBe(true);
  // Switched off, what is encrypted stays readable; without its key it is told which one is missing.
  expect(await run(fetch, { ...cloud, mode: 'none' })).toMatchObject({ code: 0 });
  expect((await run(['check'], {})).stdout).toContain('ok     encryption of the archive (none)\n');
  const without = await run(fetch, {});
  expect(without).toMatchObject({ code: 1 });
  expect(without.stderr).toContain('encryption_key_missing: an object needs the key cloud, which is not configured');
  expect(await run(['archive', 'rewrap'], { ...cloud, mode: 'none' })).toMatchObject({ code: 1 });
  const broken = { ...cloud, kmsCommand: ['/bin/false'] };
  const failed = await run(['check'], broken);
  expect(failed.stdout).toContain('WRONG  encryption of the archive (by Préavis, key cloud): ');
  expect(failed.stdout).toContain('[encryption_key_unusable]');
  expect(await run(['recordings', 'reconcile', '--verify'], cloud)).toMatchObject({ code: 0 });
});

test('under a lock it says that the recording is under the new key and what stays, and the log has no stack', async () => {
  const { endPoint, port, accessKey, secretKey } = s3.server;
  const { purposes } = configTree() as { purposes: Record<string, object> };
  const { at, set, run } = await place({
    archive: { store: 'minio', minio: { endPoint, port, accessKey, secretKey, bucket: 'locked', useTls: false } },
    purposes: { ...purposes, training: { ...purposes['training'], lock: 'governance' } },
    log: { level: 'debug' },
  });
  const { id, wav } = await set.finished(undefined, { keepDays: 3_000 });
  const one = { mode: 'client', keyFile: join(at, 'key-one') };
  const two = { mode: 'client', keyFile: join(at, 'key-two') };
  expect(await run(['upload'], one)).toMatchObject({ code: 0 });

  const rewrapped = await run(['archive', 'rewrap'], { ...two, oldKeyFiles: [join(at, 'key-one')] });
  expect(rewrapped.code).toBe(3);
  expect(rewrapped.stdout).toMatch(new RegExp(`^${id}: archive_locked: it is under the new key, but a lock keeps`));
  expect(rewrapped.stdout).not.toContain('No archived recording needs an earlier key any more');
  const lines = rewrapped.stderr.trimEnd().split('\n');
  const warnings = lines.map((line) => JSON.parse(line) as { level: string }).filter(({ level }) => level === 'warn');
  expect(warnings).toMatchObject([
    { recording: id, code: 'archive_locked', err: { message: expect.stringContaining('an Object Lock') as string } },
  ]);
  expect(rewrapped.stderr).not.toMatch(/\.[jt]s:\d/);

  // As it says: the new key alone is enough.
  const output = join(at, 'fetched.wav');
  const fetch = ['recordings', 'fetch', id, '--purpose', 'training', '-o', output];
  expect(await run(fetch, two)).toMatchObject({ code: 0, stderr: '' });
  expect((await readFile(output)).equals(wav)).toBe(true);
});
