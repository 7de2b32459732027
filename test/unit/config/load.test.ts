import { chmod, writeFile } from 'node:fs/promises';
import { configKeys } from '../../../src/config/keyReference.ts';
import { loadConfig, parseConfig } from '../../../src/config/load.ts';
import { PreavisError } from '../../../src/core/errors.ts';
import { configTree } from '../../support/call/calls.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const base = configTree();

/** What a refused configuration says. */
function problem(tree: unknown, environment: NodeJS.ProcessEnv = {}): string {
  try {
    parseConfig(tree, environment);
  } catch (error) {
    if (error instanceof PreavisError && error.code === 'config_invalid') return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}

let files = 0;
async function file(text: string): Promise<string> {
  const path = folder.path(`${(files += 1)}.yaml`);
  await writeFile(path, text, { mode: 0o600 });

  return path;
}

describe('a configuration', () => {
  test('of purposes and lines alone has a default for every other key', () => {
    const config = parseConfig(base);
    expect(config.ari).toEqual({
      url: 'http://127.0.0.1:8088',
      username: 'preavis',
      application: 'preavis',
      requestTimeoutMs: 5_000,
      heartbeatMs: 4_000,
    });
    for (const key of configKeys()) {
      if (key.default === undefined || key.path.includes('*')) continue;
      // A section that is there only where it is named.
      if (key.path.startsWith('access.openId.')) continue;
      const value = key.path
        .split('.')
        .reduce<unknown>((node, part) => (node as Record<string, unknown>)[part], config);
      expect([key.path, value]).toEqual([key.path, key.default]);
    }
  });

  test.each([
    ['an unknown key', { ...base, colour: 'red' }, 'colour: no such key'],
    [
      'many unknown keys',
      { ...base, ...Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`key${index}`, 1])) },
      'key19: no such key; the file: 980 more keys are not known',
    ],
    ['a misspelt key', { ...base, ari: { pasword: 'x' } }, 'ari.pasword: no such key'],
    ['a wrong type', { ...base, health: { port: 'many' } }, /^health\.port: .*\(got "many"\)$/],
    ['a number out of range', { ...base, health: { port: 70_000 } }, /^health\.port: .*\(got 70000\)$/],
    ['a fraction', { ...base, dialling: { timeoutSeconds: 1.5 } }, /^dialling\.timeoutSeconds: /],
    ['a choice that is none', { ...base, log: { level: 'loud' } }, /^log\.level: .*\(got "loud"\)$/],
    ['an address that is none', { ...base, ari: { url: 'ftp://x' } }, /^ari\.url: /],
    [
      'a bucket that is none',
      { ...base, archive: { minio: { bucket: 'A_B' } } },
      /is not a bucket name \(got "A_B"\)$/,
    ],
    ['a prefix without its slash', { ...base, archive: { minio: { prefix: 'a' } } }, /^archive\.minio\.prefix: /],
    ['a list in the place of keys', { ...base, ari: [1] }, /^ari: /],
    ['no purpose', { ...base, purposes: {} }, 'purposes: needs at least one purpose'],
    [
      'no line named default',
      { ...base, lines: { sales: configTree()['lines'] } },
      /needs a line named default|lines\./,
    ],
    ['nothing at all', {}, /purposes.*lines/],
    ['a text', 'ari', 'the file does not hold keys and values'],
    ['a list', ['ari'], 'the file does not hold keys and values'],
  ] as [string, unknown, string | RegExp][])('with %s is refused by name', (_, tree, message) => {
    expect(problem(tree)).toMatch(message);
  });

  const { training } = configTree()['purposes'] as Record<string, object>;
  const justified = (text: unknown) => ({ ...base, purposes: { training: { ...training, justification: text } } });
  test.each([
    [{}, 'purposes: is missing; lines: is missing'],
    [{ ...base, purposes: null }, 'purposes: must be keys and values (got null)'],
    [{ ...base, ari: [1] }, 'ari: must be keys and values'],
    [
      justified(undefined),
      'purposes.training.justification: is missing: why does this company record for this purpose, in a sentence',
    ],
    [
      justified(7),
      'purposes.training.justification: must be a text, or one for each language such as { fr: ..., nl: ... } (got 7)',
    ],
    [
      { ...base, purposes: { training: { ...training, consent: undefined, jurisdiction: undefined } } },
      'purposes.training.jurisdiction: is missing (one of AT, BE, CH, DE, ES, FR, IT, LU, NL, EU, other); purposes.training.consent: is missing (one of announce, optOut, optIn)',
    ],
    [{ ...base, purposes: { 'A b': training } }, /^purposes\.A b: is not a name of lower-case letters/],
    [{ ...base, health: { port: 'many' } }, 'health.port: must be a number (got "many")'],
    [{ ...base, health: { port: 70_000 } }, 'health.port: must be at most 65535 (got 70000)'],
    [{ ...base, health: { port: -1 } }, 'health.port: must be at least 0 (got -1)'],
    [{ ...base, health: { port: 1.5 } }, 'health.port: must be a whole number (got 1.5)'],
    [{ ...base, ari: { username: '' } }, 'ari.username: must not be empty (got "")'],
    [{ ...base, ari: { url: 'asterisk' } }, /^ari\.url: is not an address such as http:\/\//],
    [{ ...base, ari: { application: 'a b' } }, /^ari\.application: is not a name of letters/],
    [{ ...base, notice: { languages: [] } }, 'notice.languages: must have at least one entry (got [])'],
    [{ ...base, notice: { languages: 'fr' } }, 'notice.languages: must be a list (got "fr")'],
    [{ ...base, archive: { minio: { useTls: 1 } } }, 'archive.minio.useTls: must be true or false (got 1)'],
    [
      { ...base, archive: { minio: { endPoint: 'http://127.0.0.1' } } },
      /^archive.minio.endPoint: is a host name or an address alone/,
    ],
    [{ ...base, log: { level: 'loud' } }, 'log.level: must be one of debug, info, warn, error, silent (got "loud")'],
  ] as [unknown, string | RegExp][])('is refused in words of its own: %j', (tree, message) => {
    const said = problem(tree);
    if (typeof message === 'string') expect(said).toBe(message);
    else expect(said).toMatch(message);
    expect(said).not.toMatch(/expected|received|undefined|invalid/i);
  });

  test.each([
    [{ ...base, archiv: {} }, 'archiv: no such key (did you mean archive?)'],
    [{ ...base, ari: { pasword: 'x' } }, 'ari.pasword: no such key (did you mean ari.password?)'],
    [
      { ...base, archive: { minio: { endpoint: 'x' } } },
      'archive.minio.endpoint: no such key (did you mean archive.minio.endPoint?)',
    ],
    [
      { ...base, archive: { minio: { useSSL: true } } },
      'archive.minio.useSSL: no such key (did you mean archive.minio.useTls?)',
    ],
    // Not port, of which half the letters are others.
    [{ ...base, archive: { minio: { host: 'x' } } }, 'archive.minio.host: no such key'],
    [{ ...base, health: { hots: 'x' } }, 'health.hots: no such key (did you mean health.host?)'],
    // hashKey is as near as numberKey.
    [{ ...base, privacy: { key: 'x' } }, 'privacy.key: no such key'],
    [{ ...base, archive: { bucket: 'x' } }, 'archive.bucket: no such key (did you mean archive.minio.bucket?)'],
    [
      { ...base, purposes: { training: { ...training, keep_days: 3 } } },
      'purposes.training.keep_days: no such key (did you mean purposes.training.keepDays?)',
    ],
    [
      { ...base, ari: { host: 'x', user: 'y' } },
      'ari.host: no such key; ari.user: no such key (did you mean ari.username?)',
    ],
    [{ ...base, log: { level: 'warning' } }, /^log\.level: .* \(got "warning"; did you mean warn\?\)$/],
    [
      { ...base, purposes: { training: { ...training, consent: 'opt-out' } } },
      /^purposes\.training\.consent: .* \(got "opt-out"; did you mean optOut\?\)$/,
    ],
    [
      { ...base, purposes: { training: { ...training, jurisdiction: 'UK' } } },
      /^purposes\.training\.jurisdiction: .* \(got "UK"\)$/,
    ],
  ] as [unknown, string | RegExp][])('says what was probably meant: %j', (tree, message) => {
    if (typeof message === 'string') expect(problem(tree)).toBe(message);
    else expect(problem(tree)).toMatch(message);
  });

  test('says which variable was probably meant', () => {
    expect(problem(base, { PREAVIS_ARI_PASWORD: 'x' })).toBe(
      'the environment variable PREAVIS_ARI_PASWORD is not one that Préavis knows: did you mean PREAVIS_ARI_PASSWORD?',
    );
    expect(problem(base, { PREAVIS_COLOUR: 'red' })).toBe(
      'the environment variable PREAVIS_COLOUR is not one that Préavis knows',
    );
  });

  test('with a key of a million letters is refused at once', () => {
    const began = process.cpuUsage();
    expect(problem({ ...base, ['a'.repeat(1_000_000)]: 1 })).toMatch(/^a{40}\.\.\.: no such key$/);
    expect(process.cpuUsage(began).user).toBeLessThan(1_000_000);
  });

  test('for recordings that are collected from another machine has no PIN: what is spoken is not read there', () => {
    const recording = { spool: 'collected' };
    const tree = { ...base, notice: { soundsFolder: '/own' }, promptRecording: { pin: '904173' } };
    expect(problem({ ...tree, recording })).toMatch(/^promptRecording\.pin: cannot be used with recording\.spool/);
    expect(parseConfig({ ...tree, recording: { spool: 'shared' } }, {}).recording.spool).toBe('shared');
  });

  test('with several faults names all of them', () => {
    const message = problem({ ...base, colour: 1, health: { port: -1 }, log: { level: 'x' } });
    for (const part of ['colour', 'health.port', 'log.level']) expect(message).toContain(part);
  });
});

describe('a secret', () => {
  const secret = 'zebra-crossing';
  const secrets = configKeys().filter((key) => key.secret);

  test('is what the schema says: password and keys', () => {
    expect(secrets.map((key) => key.path)).toEqual([
      'ari.password',
      'promptRecording.pin',
      'privacy.hashKey',
      'privacy.numberKey',
      'controllers.*.encryption.key',
      'controllers.*.encryption.oldKeys',
      'catalogue.postgres.password',
      'archive.minio.accessKey',
      'archive.minio.secretKey',
      'archive.encryption.key',
      'archive.encryption.oldKeys',
      'webhooks.*.secret',
      'access.users.*.passwordHash',
      'access.users.*.totpSecret',
      'access.openId.clientSecret',
    ]);
  });

  test.each([
    ['in the wrong type', { ...base, ari: { password: [secret] } }],
    ['under a misspelt key', { ...base, ari: { pasword: secret } }],
    ['beside another fault', { ...base, ari: { password: secret, requestTimeoutMs: 1 } }],
    ['in a list in the place of keys', { ...base, ari: [{ password: secret }] }],
    ['in a text in the place of keys', { ...base, ari: `password=${secret}` }],
    ['in an address that is none', { ...base, ari: { url: `htp://preavis:${secret}@127.0.0.1` } }],
    ['in a section that it does not belong to', { ...base, lines: { password: secret } }],
    ['in a list in the place of another section', { ...base, lines: [{ password: secret }] }],
    ['behind a colon without a space', { ...base, ari: { [`password:${secret}`]: null } }],
    ['of a webhook, in the wrong form', { ...base, webhooks: { crm: { url: 'https://crm.example/', secret } } }],
    ['in a list further up', { ...base, archive: [{ minio: { secretKey: secret } }] }],
  ])('%s is never shown', (_, tree) => {
    expect(problem(tree)).not.toContain(secret);
  });

  test.each(secrets.flatMap((key) => (key.environment === undefined ? [] : [[key.environment]])))(
    'in the environment as %s is never shown',
    (name) => {
      expect(problem({ ...base, health: { port: -1 } }, { [name]: secret })).not.toContain(secret);
    },
  );

  test.each(['*', '&', '!', '@', '`', '%', '"', '{', '[', ': '])(
    'that begins with %s, so that the file is not YAML any more, is not shown',
    async (character) => {
      const path = await file(`ari:\n  password: ${character}${secret}\n  x: [\n`);
      const loading = loadConfig(path, {});
      await expect(loading).rejects.toMatchObject({ code: 'config_unreadable' });
      await loading.catch((error: unknown) => {
        expect((error as Error).message).not.toContain(secret);
      });
    },
  );
});

test('a secret that was written as an alias is not shown', async () => {
  const loading = loadConfig(await file('ari:\n  password: *zebra\n'), {});
  await expect(loading).rejects.toMatchObject({
    code: 'config_unreadable',
    message: expect.not.stringContaining('zebra') as string,
  });
});

describe('the environment', () => {
  test.each([
    ['a text', 'PREAVIS_ARI_URL', 'http://10.0.0.1:8088', 'ari.url', 'http://10.0.0.1:8088'],
    ['a number', 'PREAVIS_HEALTH_PORT', '0', 'health.port', 0],
    ['yes or no', 'PREAVIS_ARCHIVE_MINIO_USE_TLS', 'false', 'archive.minio.useTls', false],
    ['a list', 'PREAVIS_NOTICE_LANGUAGES', 'fr, nl', 'notice.languages', ['fr', 'nl']],
    ['a choice', 'PREAVIS_ARCHIVE_STORE', 'minio', 'archive.store', 'minio'],
    ['a secret', 'PREAVIS_ARI_PASSWORD', '12345', 'ari.password', '12345'],
  ])('overrides the file by %s', (_, name, text, path, value) => {
    const tree = { ...base, ari: { url: 'http://192.168.0.1', password: 'file' } };
    const config: unknown = parseConfig(tree, { [name]: text });
    expect(path.split('.').reduce((node, part) => (node as Record<string, unknown>)[part], config)).toEqual(value);
  });

  test('leaves the tree that it is laid over as it was', () => {
    const tree = { ...base, ari: { url: 'http://192.168.0.1' } };
    parseConfig(tree, { PREAVIS_ARI_URL: 'http://10.0.0.1' });
    expect(tree.ari.url).toBe('http://192.168.0.1');
  });

  test.each([
    ['a word for a number', { PREAVIS_HEALTH_PORT: 'many' }, /^health\.port: .*\(got "many"\)$/],
    ['a word for yes', { PREAVIS_ARCHIVE_MINIO_USE_TLS: 'yes' }, /^archive\.minio\.useTls: /],
    ['an empty number', { PREAVIS_HEALTH_PORT: '' }, /^health\.port: /],
  ])('is refused like the file with %s', (_, environment, message) => {
    expect(problem(base, environment)).toMatch(message);
  });

  test('of an unknown name is a misspelling, named without its value', () => {
    const message = problem(base, { PREAVIS_ARI_PASWORD: 'zebra' });
    expect(message).toContain('PREAVIS_ARI_PASWORD');
    expect(message).not.toContain('zebra');
  });

  test('of others is not looked at', () => {
    expect(() =>
      parseConfig(base, { PREAVIS_CONFIG: 'x', PREAVIS_TEST_X: '1', PREAVIS_LAB_X: '1', HOME: '/', PORT: 'x' }),
    ).not.toThrow();
  });

  test('has one name for each key with a fixed path, and no two the same', () => {
    const names = configKeys().flatMap((key) => key.environment ?? []);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain('PREAVIS_ARCHIVE_MINIO_END_POINT');
    for (const name of names) expect(name).toMatch(/^PREAVIS_[A-Z]+(_[A-Z]+)*$/);
  });
});

describe('the reference of keys', () => {
  test('has a sentence for each key, and a unit for each number that has one', () => {
    for (const key of configKeys()) expect(key.sentence).toMatch(/^[A-Z].*\.$/);
    expect(configKeys().find((key) => key.path === 'archive.attemptSeconds')?.unit).toBe('s');
  });
});

describe('a configuration file', () => {
  const yaml = JSON.stringify(base);

  test('may take its secrets from the first line of other files', async () => {
    const password = await file('hunter2  \nsecond line\n');
    const secretKey = await file('key-of-minio');
    const path = await file(
      JSON.stringify({
        ...base,
        ari: { passwordFile: password, password: 'older' },
        catalogue: { postgres: { passwordFile: await file('key-of-postgres\n') } },
        archive: { minio: { secretKeyFile: secretKey } },
      }),
    );
    const config = await loadConfig(path, {});
    expect(config.catalogue.postgres.password).toBe('key-of-postgres');
    expect(config.ari.password).toBe('hunter2');
    expect(config.archive.minio.secretKey).toBe('key-of-minio');
  });

  test('may name the file of a secret by the environment', async () => {
    const config = await loadConfig(await file(yaml), { PREAVIS_ARI_PASSWORD_FILE: await file('from a file\n') });
    expect(config.ari.password).toBe('from a file');
  });

  test('gives way to secrets of the environment, also those of its secret files', async () => {
    const path = await file(
      JSON.stringify({
        ...base,
        notice: { soundsFolder: folder.path('sounds') },
        ari: { passwordFile: await file('older') },
        catalogue: { postgres: { passwordFile: await file('older') } },
        archive: { minio: { secretKeyFile: await file('older') } },
        privacy: { hashKeyFile: await file('o'.repeat(32)) },
        promptRecording: { pinFile: await file('224173') },
      }),
    );
    const config = await loadConfig(path, {
      PREAVIS_ARI_PASSWORD: 'newer',
      PREAVIS_CATALOGUE_POSTGRES_PASSWORD: 'newer',
      PREAVIS_ARCHIVE_MINIO_SECRET_KEY: 'newer',
      PREAVIS_PRIVACY_HASH_KEY: 'n'.repeat(32),
      PREAVIS_PROMPT_RECORDING_PIN: '907315',
    });
    const { catalogue, ari, archive } = config;
    expect([ari.password, archive.minio.secretKey, catalogue.postgres.password]).toEqual(['newer', 'newer', 'newer']);
    expect([config.privacy.hashKey, config.promptRecording.pin]).toEqual(['n'.repeat(32), '907315']);
  });

  test('may take the key of hashes from a file, but not one that is easily guessed', async () => {
    const privacy = async (text: string) => ({ ...base, privacy: { hashKeyFile: await file(text) } });
    const key = 'k'.repeat(32);
    const config = await loadConfig(await file(JSON.stringify(await privacy(`${key}\n`))), {});
    expect(config.privacy.hashKey).toBe(key);
    const loading = loadConfig(await file(JSON.stringify(await privacy(`${'z'.repeat(31)}\n`))), {});
    await expect(loading).rejects.toMatchObject({
      code: 'config_invalid',
      message: 'privacy.hashKeyFile: needs at least 32 characters in its first line',
    });
  });

  test('may take the key of numbers from a file; it is another than that of hashes, which it needs', async () => {
    const [hashKey, numberKey] = ['h'.repeat(32), 'n'.repeat(32)];
    const loaded = async (privacy: Record<string, string>): ReturnType<typeof loadConfig> =>
      loadConfig(await file(JSON.stringify({ ...base, privacy })), {});
    const config = await loaded({ hashKeyFile: await file(hashKey), numberKeyFile: await file(`${numberKey}\n`) });
    expect(config.privacy).toMatchObject({ hashKey, numberKey });
    const faults: [Record<string, string>, string][] = [
      [{ hashKey, numberKey: hashKey }, 'privacy.numberKey: must be another key than hashKey'],
      [{ hashKey, numberKeyFile: await file(hashKey) }, 'privacy.numberKey: must be another key than hashKey'],
      [{ hashKey, numberKeyFile: await file('short') }, 'privacy.numberKeyFile: needs at least 32 characters'],
      [{ numberKey }, 'privacy.hashKey: is missing: without it numberKey is of no use'],
      [{ numberKeyFile: '/nowhere' }, 'privacy.hashKey: is missing: without it numberKey is of no use'],
    ];
    for (const [privacy, message] of faults) {
      await expect(loaded(privacy)).rejects.toMatchObject({
        code: 'config_invalid',
        message: expect.stringContaining(message) as string,
      });
    }
  });

  test('finds an earlier notice by the number only while it is kept whose call it was', async () => {
    const loaded = async (privacy: object): ReturnType<typeof loadConfig> =>
      loadConfig(await file(JSON.stringify({ ...base, notice: { shorterWithinDays: 30 }, privacy })), {});
    const hashKey = 'h'.repeat(32);
    expect((await loaded({ hashKey, callerDays: 30 })).notice.shorterWithinDays).toBe(30);
    await expect(loaded({})).rejects.toThrow('notice.shorterWithinDays: needs privacy.hashKey');
    await expect(loaded({ hashKey, callerDays: 29 })).rejects.toThrow(
      'notice.shorterWithinDays: is longer than it is kept whose call it was (privacy.callerDays, 29)',
    );
  });

  test('whose secret cannot be read names the key, not the content', async () => {
    const path = await file(JSON.stringify({ ...base, ari: { passwordFile: folder.path('none') } }));
    await expect(loadConfig(path, {})).rejects.toMatchObject({
      code: 'config_invalid',
      message: 'ari.passwordFile: the file cannot be read (ENOENT)',
    });
  });

  test('that is missing, or a folder, is unreadable', async () => {
    await expect(loadConfig(folder.path('none'), {})).rejects.toMatchObject({
      code: 'config_unreadable',
      message: expect.stringContaining('cannot be read (ENOENT)') as string,
    });
    await expect(loadConfig(folder.path(), {})).rejects.toMatchObject({
      code: 'config_unreadable',
      message: expect.stringContaining('EISDIR') as string,
    });
  });

  (process.getuid?.() === 0 ? test.skip : test)('without permission is unreadable', async () => {
    const path = await file(yaml);
    await chmod(path, 0);
    await expect(loadConfig(path, {})).rejects.toMatchObject({ code: 'config_unreadable' });
  });

  test.each([
    ['an open bracket', 'ari: [', /is not YAML: .*line 1/],
    ['a key twice', 'ari: {}\nari: {}\n', /is not YAML: .*line 2/],
    ['a tab', 'ari:\n\turl: x', /is not YAML: /],
    ['an alias without its anchor', 'ari: *nothing', /is not YAML/],
    [
      'a secret that begins as a tag',
      'ari:\n  password: !hunter2 x',
      /is not YAML: tag resolve failed at line 2, column 13$/,
    ],
  ])('with %s is not YAML, and the line is named', async (_, text, message) => {
    await expect(loadConfig(await file(text), {})).rejects.toMatchObject({
      code: 'config_unreadable',
      message: expect.stringMatching(message) as string,
    });
  });

  test('that is empty lacks purposes and lines', async () => {
    await expect(loadConfig(await file('# nothing\n'), {})).rejects.toMatchObject({ code: 'config_invalid' });
  });
});
