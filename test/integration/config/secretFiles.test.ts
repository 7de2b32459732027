import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadConfig } from '../../../src/config/load.ts';
import { configTree } from '../../support/call/calls.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const isRoot = process.getuid?.() === 0;
const secret = 'zebra-crossing-of-the-secret-street';
const wrappingKey = randomBytes(32).toString('base64');
/** What each file is to hold, where it is not just any text. */
const passwordHash = `$scrypt$ln=15,r=8,p=3$${'A'.repeat(22)}$${'A'.repeat(43)}`;
const textOf = (key: string): string =>
  key.endsWith('passwordHashFile')
    ? passwordHash
    : key.endsWith('totpSecretFile')
      ? 'A'.repeat(32)
      : key === 'promptRecording.pinFile'
        ? '904173'
        : key.includes('.encryption.')
          ? wrappingKey
          : secret;

let files = 0;
async function file(text: string, mode: number): Promise<string> {
  const path = folder.path(`${(files += 1)}`);
  await writeFile(path, text);
  await chmod(path, mode);

  return path;
}

type Trees = [string, (path: string) => Record<string, Record<string, unknown>>];
const named: Trees[] = [
  ['ari.passwordFile', (path) => ({ ari: { passwordFile: path } })],
  ['archive.minio.secretKeyFile', (path) => ({ archive: { minio: { secretKeyFile: path } } })],
  ['privacy.hashKeyFile', (path) => ({ privacy: { hashKeyFile: path } })],
  ['archive.encryption.keyFile', (path) => ({ archive: { encryption: { keyFile: path } } })],
  ['archive.encryption.oldKeyFiles', (path) => ({ archive: { encryption: { oldKeyFiles: [path] } } })],
  [
    'controllers.acme.encryption.keyFile',
    (path) => ({
      controllers: { acme: { encryption: { keyFile: path } } },
      archive: { encryption: { mode: 'client', kmsCommand: ['/bin/true'], keyId: 'a' } },
    }),
  ],
  [
    'controllers.acme.encryption.oldKeyFiles',
    (path) => ({ controllers: { acme: { encryption: { oldKeyFiles: [path] } } } }),
  ],
  [
    'promptRecording.pinFile',
    (path) => ({ promptRecording: { pinFile: path }, notice: { soundsFolder: folder.path() } }),
  ],
  [
    'access.users.anna.passwordHashFile',
    (path) => ({ access: { users: { anna: { role: 'coach', passwordHashFile: path } } } }),
  ],
  [
    'access.users.anna.totpSecretFile',
    (path) => ({
      access: { users: { anna: { role: 'coach', passwordHashFile: folder.path('hash'), totpSecretFile: path } } },
    }),
  ],
];
const inline: [string, Record<string, Record<string, unknown>>][] = [
  ['ari.password', { ari: { password: secret } }],
  ['archive.minio.accessKey', { archive: { minio: { accessKey: secret } } }],
  ['archive.minio.secretKey', { archive: { minio: { secretKey: secret } } }],
  ['privacy.hashKey', { privacy: { hashKey: secret } }],
  ['archive.encryption.key', { archive: { encryption: { key: wrappingKey } } }],
  ['archive.encryption.oldKeys', { archive: { encryption: { oldKeys: [wrappingKey] } } }],
  ['controllers.acme.encryption.oldKeys', { controllers: { acme: { encryption: { oldKeys: [wrappingKey] } } } }],
  ['access.users.anna.passwordHash', { access: { users: { anna: { role: 'coach', passwordHash } } } }],
  ['promptRecording.pin', { promptRecording: { pin: '904173' }, notice: { soundsFolder: '/srv/sounds' } }],
];
const configOf = (more: Record<string, unknown>): string => JSON.stringify({ ...configTree(), ...more });

beforeAll(async () => {
  await writeFile(folder.path('hash'), passwordHash, { mode: 0o600 });
});

describe('a file that holds a secret', () => {
  test.each(named)(
    'of %s is refused when every user can open it, with the command that mends it',
    async (key, tree) => {
      const text = textOf(key);
      for (const mode of [0o644, 0o602, 0o641, 0o777]) {
        const path = await file(text, mode);
        const config = await file(configOf(tree(path)), 0o644);
        const shown = mode.toString(8).padStart(4, '0');
        await expect(loadConfig(config, {})).rejects.toMatchObject({
          code: 'config_invalid',
          message: `${key}: every user can open the file ${path} (mode ${shown})`,
          hint: `Run: chmod o= ${path}. If others have seen it, choose another secret.`,
        });
      }
    },
  );

  test.each(named)('of %s may be read by its owner and group', async (key, tree) => {
    const text = textOf(key);
    for (const mode of [0o600, 0o640, 0o440, 0o400]) {
      const config = await file(configOf(tree(await file(text, mode))), 0o644);
      await expect(loadConfig(config, {})).resolves.toBeDefined();
    }
  });

  test('is measured as it is, not as the link that leads to it', async () => {
    const config = await file(configOf({ ari: { passwordFile: '/dev/zero' } }), 0o644);
    await expect(loadConfig(config, {})).rejects.toMatchObject({ code: 'config_invalid' });
    const huge = await file(configOf({ ari: { passwordFile: await file('x'.repeat(100_000), 0o600) } }), 0o600);
    await expect(loadConfig(huge, {})).rejects.toMatchObject({
      message: 'ari.passwordFile: the file cannot be read (it is too large)',
    });
  });
});

describe('a key of a company', () => {
  const other = randomBytes(32).toString('base64');
  const hex = (key: string): string => Buffer.from(key, 'base64').toString('hex');
  const loaded = async (common: object, own: Record<string, object>) => {
    const controllers = Object.fromEntries(Object.entries(own).map(([id, encryption]) => [id, { encryption }]));
    const tree = { controllers, archive: { encryption: { mode: 'client', ...common } } };
    return loadConfig(await file(configOf(tree), 0o600), {});
  };

  test('is refused where it is that of the archive, or of another company', async () => {
    const keyFile = await file(hex(wrappingKey), 0o600);
    await expect(loaded({ key: wrappingKey }, { acme: { keyFile } })).rejects.toMatchObject({
      code: 'config_invalid',
      message: 'controllers.acme.encryption: its key is that of archive',
    });
    await expect(loaded({ key: other }, { acme: { keyFile }, bakker: { keyFile } })).rejects.toMatchObject({
      message: 'controllers.bakker.encryption: its key is that of controllers.acme',
    });
    const kms = { kmsCommand: ['/bin/true'], keyId: 'one' };
    await expect(loaded(kms, { acme: { keyId: 'one' } })).rejects.toMatchObject({ code: 'config_invalid' });
  });

  test('may have been that of another', async () => {
    const acme = { key: other, oldKeys: [wrappingKey] };
    await expect(loaded({ key: wrappingKey }, { acme, bakker: {} })).resolves.toBeDefined();
  });
});

describe('a configuration file', () => {
  test.each(inline)('with %s in it is refused when every user can open it', async (key, tree) => {
    const config = await file(configOf(tree), 0o644);
    await expect(loadConfig(config, {})).rejects.toMatchObject({
      code: 'config_invalid',
      message: `${key}: every user can open the file ${config} (mode 0644)`,
    });
    await chmod(config, 0o640);
    await expect(loadConfig(config, {})).resolves.toBeDefined();
  });

  test('without a secret may be open to all; one of the environment does not stand in it', async () => {
    const config = await file(configOf({ ari: { username: 'preavis' } }), 0o666);
    await expect(loadConfig(config, { PREAVIS_ARI_PASSWORD: secret })).resolves.toBeDefined();
  });
});

// Only root can give a file away.
(isRoot ? describe : describe.skip)('a file that holds a secret', () => {
  const nobody = 65_534;

  /** What an ordinary user of this number is told. */
  async function loadedBy(uid: number, config: string): Promise<string> {
    const module = join(import.meta.dirname, '..', '..', '..', 'src', 'config', 'load.ts');
    const script = `process.setgid(${uid});process.setuid(${uid});
      const { loadConfig } = await import(${JSON.stringify(module)});
      await loadConfig(${JSON.stringify(config)}, {}).then(() => console.log('loaded'), (e) => console.log(e.message));`;
    const run = await promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      cwd: join(import.meta.dirname, '..', '..', '..'),
    });

    return run.stdout.trim();
  }

  test('of another user is refused; of root, or of the user itself, it is not', async () => {
    const path = await file(secret, 0o660);
    const config = await file(configOf({ ari: { passwordFile: path } }), 0o644);
    await chmod(folder.path(), 0o755);
    await chown(path, 12_345, nobody);
    expect(await loadedBy(nobody, config)).toBe(`ari.passwordFile: the file ${path} belongs to another user (12345)`);
    for (const owner of [0, nobody]) {
      await chown(path, owner, nobody);
      expect(await loadedBy(nobody, config)).toBe('loaded');
    }
    // For root it is no matter: `sudo preavis check`.
    await chown(path, 12_345, nobody);
    await expect(loadConfig(config, {})).resolves.toBeDefined();
  });
});
