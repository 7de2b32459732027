import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configKeys } from '../../../../src/config/keyReference.ts';
import { archiveStage } from '../../../support/archive/archiving.ts';
import { configTree } from '../../../support/call/calls.ts';
import { catalogues } from '../../../support/catalogue/catalogues.ts';
import { runCommand } from '../../../support/command.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
let places = 0;

async function place({ postgres = {}, ...change }: Record<string, unknown> = {}) {
  const at = folder.path(`${(places += 1)}`);
  await mkdir(at);
  const set = await archiveStage(at, open);
  const config = join(at, 'preavis.yaml');
  const tree = {
    ...configTree(),
    ari: { url: 'http://127.0.0.1:9', requestTimeoutMs: 500 },
    recording: { spoolFolder: set.spoolFolder, minimumFreeMib: 0 },
    catalogue: { file: join(at, 'catalogue.db'), postgres },
    archive: { directory: { folder: join(at, 'archive') } },
    log: { level: 'debug' },
    ...change,
  };
  await writeFile(config, JSON.stringify(tree), { mode: 0o600 });

  return { at, set, config, tree };
}

/** Every file and folder below, with its mode. */
async function modes(at: string): Promise<[string, string][]> {
  const entries = await readdir(at, { recursive: true, withFileTypes: true });

  return Promise.all(
    entries.map(async (entry): Promise<[string, string]> => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(at.length), ((await stat(path)).mode & 0o777).toString(8)];
    }),
  );
}

describe('what Préavis writes', () => {
  test('is for its owner alone whatever the umask: catalogue, archive, receipts, what was fetched', async () => {
    const { at, set, config } = await place();
    const { id } = await set.finished(undefined, { keepDays: 3_000 });
    const earlier = await modes(at);
    // The mode of what is there already, made by others, is not looked at.
    await chmod(join(at, 'spool'), 0o777);
    expect(await runCommand(['upload', '--config', config])).toMatchObject({ code: 0 });
    const output = join(at, 'fetched.wav');
    const fetch = ['recordings', 'fetch', id, '--purpose', 'training', '-o', output, '--config', config];
    expect(await runCommand(fetch)).toMatchObject({ code: 0 });
    const dry = await runCommand(['recordings', 'reconcile', '--config', config, '--verify']);
    expect(dry.stderr).toBe('');
    const made = (await modes(at)).filter(([path]) => !earlier.some(([before]) => before === path));
    expect(made.length).toBeGreaterThan(5);
    expect(
      made.map(([path]) => path).filter((path) => /fetched\.wav$|\.json$|archive.*\.wav$/.test(path)),
    ).toHaveLength(3);
    for (const [path, mode] of [...made, ...(await modes(join(at, 'archive')))]) {
      expect([path, mode]).toEqual([
        path,
        /\.(wav|json|mark|db|db-wal|db-shm)$|\.preavis-archive$/.test(path) ? '600' : '700',
      ]);
    }
    for (const [path, mode] of await modes(at))
      if (path.startsWith('/catalogue.db')) expect([path, mode]).toEqual([path, '600']);
  });

  test('of sentences can be read by Asterisk, and is nothing that anybody may not hear', async () => {
    // One of the four languages that are shipped: each has its files in every format.
    const { at, config } = await place({
      notice: { languages: ['fr'] },
      lines: { default: { purposes: ['training'], defaultLanguages: ['fr'] } },
    });
    const sounds = join(at, 'sounds');
    await mkdir(sounds);
    const run = await runCommand(['prompts', 'install', '--to', sounds, '--config', config]);
    expect([0, 3]).toContain(run.code);
    const made = await modes(sounds);
    expect(made.length).toBeGreaterThan(50);
    for (const [path, mode] of made) expect([path, mode]).toEqual([path, path.includes('.') ? '644' : '755']);
  });
});

/** Recognisable, and of the form that each key asks for. */
const secrets: Readonly<Record<string, string>> = {
  'ari.password': 'Zebra-ari-7c1f',
  'promptRecording.pin': '904173558',
  'privacy.hashKey': 'Zebra-hash-key-of-thirty-two-letters',
  'privacy.numberKey': 'Zebra-number-key-of-some-forty-letters-more',
  'archive.minio.accessKey': 'ZebraAccess41',
  'archive.minio.secretKey': 'Zebra-secret-key-93ab',
  'catalogue.postgres.password': 'Zebra-postgres-password-51dc',
  'webhooks.*.secret': `whsec_${Buffer.from('Zebra-webhook-of-32-bytes-exactly').toString('base64')}`,
  'archive.encryption.key': 'ZebraCrossingKeyOf32RandomBytesInBase64+/1Q=',
  'archive.encryption.oldKeys': '5a656272614f6c644b6579f0e1d2c3b4a5968778695a4b3c2d1e0f1122334455',
  'controllers.*.encryption.key': '5a656272614f776e4b657930313233343536373839abcdeffedcba9876543210',
  'controllers.*.encryption.oldKeys': '5a656272614f776e4f6c644b65793031323334353637383930abcdeffedcba98',
  'access.openId.clientSecret': 'Zebra-openid-secret-of-a-provider',
  'access.users.*.passwordHash':
    '$scrypt$ln=15,r=8,p=3$ZebraSaltOfSixteenByte$ZebraHashOfThirtyTwoBytesInBase64WithoutEqu',
  'access.users.*.totpSecret': 'ZEBRATOTPSECRETOFTHIRTYTWOLETTER',
};

const commands: readonly (readonly string[])[] = [
  ['check', '--json'],
  ['serve', '--json'],
  ['upload'],
  ['recordings', 'reconcile'],
  ['archive', 'rewrap'],
  ['recordings', 'list', '--json'],
  ['users', 'list'],
  ['users', 'list', '--json'],
  ['purposes', 'register', '--controller', 'acme'],
  ['purposes', 'register', '--processor', '--json'],
  ['webhooks', 'list', '--json'],
  ['webhooks', 'test', 'crm', '--json'],
];

describe('a secret', () => {
  test('is each key that the schema calls one', () => {
    const keys = configKeys().filter(({ secret }) => secret);
    expect(keys.map(({ path }) => path).sort()).toEqual(Object.keys(secrets).sort());
  });

  test('is in no output of any command, in clear or as it is sent', async () => {
    const section = (name: string): Record<string, string> =>
      Object.fromEntries(
        Object.entries(secrets).flatMap(([path, value]) =>
          path.startsWith(`${name}.`) ? [[path.slice(name.length + 1), value]] : [],
        ),
      );
    const sounds = folder.path('sounds-of-our-own');
    const { config, at } = await place({
      ari: { url: 'http://127.0.0.1:9', requestTimeoutMs: 500, ...section('ari') },
      promptRecording: section('promptRecording'),
      privacy: section('privacy'),
      postgres: section('catalogue.postgres'),
      webhooks: { crm: { url: 'http://127.0.0.1:9/', ...section('webhooks.*') } },
      notice: { soundsFolder: sounds },
      archive: {
        store: 'minio',
        minio: { endPoint: '127.0.0.1', port: 9, useTls: false, ...section('archive.minio') },
        encryption: {
          mode: 'client',
          key: secrets['archive.encryption.key'],
          oldKeys: [secrets['archive.encryption.oldKeys']],
        },
      },
      access: {
        users: { anna: { role: 'coach', ...section('access.users.*') } },
        openId: {
          issuer: 'http://127.0.0.1:9',
          clientId: 'preavis',
          rules: { coaches: { claim: 'groups', anyOf: ['coaches'], role: 'coach' } },
          ...section('access.openId'),
        },
      },
      controllers: {
        acme: {
          encryption: {
            key: secrets['controllers.*.encryption.key'],
            oldKeys: [secrets['controllers.*.encryption.oldKeys']],
          },
        },
      },
    });
    const values = Object.values(secrets);
    const basic = Buffer.from(`preavis:${secrets['ari.password'] ?? ''}`).toString('base64');
    const digests = values.map((value) => createHash('sha256').update(value).digest('hex'));
    for (const args of commands) {
      const run = await runCommand([...args, '--config', config]);
      const output = run.stdout + run.stderr;
      expect({ args, said: output.length > 0 }).toEqual({ args, said: true });
      for (const secret of [...values, basic, ...digests]) {
        expect({ args, told: output.includes(secret) }).toEqual({ args, told: false });
      }
      expect(output).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
    }
    for (const name of await readdir(at)) {
      if (!name.startsWith('catalogue.db')) continue;
      const content = await readFile(join(at, name), 'latin1');
      for (const secret of values) expect(content.includes(secret)).toBe(false);
    }
  });

  test.each([
    ['a tag', 'ari:\n  password: !Zebra-tag x\n', 'Zebra-tag'],
    ['an alias', 'ari:\n  password: *Zebra-alias\n', 'Zebra-alias'],
    ['a key', 'ari: {password:Zebra-key}\n', 'Zebra-key'],
    ['a text that does not end', 'ari:\n  password: "Zebra-end\n', 'Zebra-end'],
  ])('that is written as %s is not repeated by the command either', async (_, yaml, secret) => {
    const config = folder.path('broken.yaml');
    await writeFile(config, yaml, { mode: 0o600 });
    const run = await runCommand(['check', '--config', config]);
    expect(run).toMatchObject({ code: 2, stdout: '' });
    expect(run.stderr).not.toContain(secret);
    expect(run.stderr).toMatch(/^preavis: config_\w+: .+\n {2}.+\n$/);
  });
});
