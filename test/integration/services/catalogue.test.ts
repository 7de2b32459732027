import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { stringify } from 'yaml';
import { firstDue } from '../../../src/catalogue/calls/recordings.ts';
import { thisProcess } from '../../../src/core/processes.ts';
import { serveNameOf } from '../../../src/services/serveName.ts';
import { saveCall } from '../../support/catalogue/catalogues.ts';
import { catalogueIn } from '../../../lab/postgres/postgres.ts';
import { parseConfig } from '../../../src/config/load.ts';
import type { Config } from '../../../src/config/schema.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { countAside, hasCatalogue, openConfiguredCatalogue } from '../../../src/services/catalogue.ts';
import { configTree } from '../../support/call/calls.ts';
import { usePostgres } from '../../support/catalogue/postgres.ts';
import { runCommand } from '../../support/command.ts';
import { eventually } from '../../support/poll.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const server = usePostgres();
const folder = temporaryFolder();

type Changes = { catalogue?: Record<string, unknown>; postgres?: Record<string, unknown> };

/** The configuration of a database, which may be changed. */
function configured(url: string, { catalogue = {}, postgres = {} }: Changes = {}): Config {
  const { catalogue: own, password } = catalogueIn(url);
  const part = { ...(own['postgres'] as object), password, ...postgres };

  return parseConfig({ ...configTree(), ari: { pbx: 'north' }, catalogue: { ...own, ...catalogue, postgres: part } });
}

const opened = (config: Config) => openConfiguredCatalogue(config, systemClock);
const failure = async (config: Config): Promise<unknown> =>
  opened(config).then(
    (catalogue) => {
      catalogue.close();
    },
    (error: unknown) => error,
  );

describe('the catalogue of a configuration with store: postgres', () => {
  test('is made in the database at the first opening, and not by asking for it', async () => {
    const config = configured(await server.newDatabase());
    expect(await hasCatalogue(config)).toBe(false);
    await expect(openConfiguredCatalogue(config, systemClock, { mustExist: true })).rejects.toMatchObject({
      code: 'catalogue_unusable',
      message: 'the database has no catalogue',
    });
    const made = await opened(config);
    const identity = await made.file.identity();
    made.close();
    expect(await hasCatalogue(config)).toBe(true);
    const again = await opened(config);
    expect(await again.file.identity()).toBe(identity);
    again.close();
  });

  test('is refused to another installation, which is not told whose it is', async () => {
    const url = await server.newDatabase();
    (await opened(configured(url))).close();
    const other = configured(url, { catalogue: { installation: 'globex' } });
    const refusal = { code: 'catalogue_foreign', message: 'the database has the catalogue of another installation' };
    expect(await failure(other)).toMatchObject(refusal);
    await expect(hasCatalogue(other)).rejects.toMatchObject(refusal);
  });

  test('is asked for in vain in an empty database where its user may make nothing, as the first serve would find', async () => {
    const url = await server.newDatabase();
    const [database, role] = [new URL(url).pathname.slice(1), 'tenant'];
    await server.lab().shell(`psql --quiet --command="CREATE ROLE ${role} LOGIN PASSWORD '${role}'" postgres`);
    const config = configured(url, { postgres: { user: role, password: role } });
    const refusal = {
      code: 'catalogue_unusable',
      message: 'the user of the catalogue may make no schema in the database',
      hint: expect.stringContaining('ALTER DATABASE') as unknown,
    };
    await expect(hasCatalogue(config)).rejects.toMatchObject(refusal);
    expect(await failure(config)).toMatchObject({
      code: 'catalogue_unusable',
      message: expect.stringContaining('42501') as unknown,
    });
    await server.lab().shell(`psql --quiet --command='ALTER DATABASE ${database} OWNER TO ${role}' postgres`);
    expect(await hasCatalogue(config)).toBe(false);
    (await opened(config)).close();
  });

  test('says in words why it cannot be opened, and never the password', async () => {
    const url = await server.newDatabase();
    const none = configured(url, { postgres: { database: 'none' } });
    const failures = await Promise.all([
      failure(configured(url, { postgres: { password: 'sesame' } })),
      failure(none),
      failure(configured(url, { postgres: { port: 1 } })),
      failure(configured(url, { postgres: { useTls: true } })),
      failure(configured(url, { postgres: { host: folder.path('none') } })),
    ]);
    expect(failures).toMatchObject([
      { code: 'catalogue_unusable', message: 'PostgreSQL refuses the user or the password of the catalogue (28P01)' },
      { code: 'catalogue_unusable', message: 'the database of the catalogue does not exist (3D000)' },
      { code: 'catalogue_unusable', message: 'PostgreSQL cannot be reached, or does not answer (ECONNREFUSED)' },
      { code: 'catalogue_unusable', message: 'PostgreSQL cannot be reached, or does not answer' },
      { code: 'catalogue_unusable', message: 'PostgreSQL cannot be reached, or does not answer (ENOENT)' },
    ]);
    const { password } = catalogueIn(url);
    const told = JSON.stringify(failures.map((error) => [error, String(error), (error as Error).cause]));
    expect([told.includes('sesame'), told.includes(password)]).toEqual([false, false]);
    await writeFile(folder.path('text.pem'), 'certificate');
    const authority = (name: string) => configured(url, { postgres: { useTls: true, caFile: folder.path(name) } });
    expect([await failure(authority('none.pem')), await failure(authority('text.pem'))]).toMatchObject([
      { code: 'config_invalid', message: 'catalogue.postgres.caFile: the file cannot be read (ENOENT)' },
      { code: 'config_invalid', message: 'catalogue.postgres.caFile: the file has no certificate in the form PEM' },
    ]);
  });

  test('is reached by TLS where the certificate is of that name and trusted, and not otherwise', async () => {
    const url = await server.newDatabase();
    const certificate = await server.lab().shell(`
      umask 077; cd "$(psql -At --command='SHOW data_directory' postgres)"
      openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \\
        -keyout server.key -out server.crt 2> server.log
      psql --quiet --command='ALTER SYSTEM SET ssl = on' postgres
      psql --quiet --output=server.log --command='SELECT pg_reload_conf()' postgres
      cat server.crt`);
    const caFile = folder.path('ca.pem');
    await writeFile(caFile, certificate);
    const postgres = { host: 'localhost', useTls: true, caFile };
    const catalogue = await eventually(() => opened(configured(url, { postgres })));
    await catalogue.passes.note('upload', 1);
    catalogue.close();
    const untrusted = (why: string) => ({
      code: 'catalogue_unusable',
      message: `the certificate of PostgreSQL is not trusted (${why})`,
    });
    expect(await failure(configured(url, { postgres: { ...postgres, caFile: undefined } }))).toMatchObject(
      untrusted('DEPTH_ZERO_SELF_SIGNED_CERT'),
    );
    expect(await failure(configured(url, { postgres: { ...postgres, host: '127.0.0.1' } }))).toMatchObject(
      untrusted('ERR_TLS_CERT_ALTNAME_INVALID'),
    );
  });

  test('needs no password by a socket, for the user of the machine whose name the owner of the database has', async () => {
    const { username } = userInfo();
    // As docs/operations/postgresql.md says, with the name of whoever runs this test.
    const place = await server.lab().shell(`
      createuser ${username}
      createdb --owner=${username} --encoding=UTF8 --locale=C --template=template0 by_socket
      cd "$(psql -At --command='SHOW data_directory' postgres)"
      sed -i '1i local all ${username} peer' pg_hba.conf
      psql --quiet --command="ALTER SYSTEM SET unix_socket_directories = '$PWD'" postgres
      pwd`);
    await server.lab().stopServer();
    await server.lab().startServer();
    const socket = { host: place.trim(), user: username, database: 'by_socket', password: undefined };
    const config = configured(await server.newDatabase(), { postgres: socket });
    expect(await hasCatalogue(config)).toBe(false);
    (await opened(config)).close();
    expect(await hasCatalogue(config)).toBe(true);
  });

  test('is counted by a connection of its own, which the one who asks need not wait for', async () => {
    const config = configured(await server.newDatabase());
    (await opened(config)).close();
    const now = Date.now();
    const times = { from: now - 1_000, to: now, at: now, overdueBefore: now };
    const order = { times, erasureFailed: 'erasure_failed', controller: undefined };
    const ports = { config, clock: systemClock };
    expect(await countAside(ports, order, new AbortController().signal)).toMatchObject({ calls: [] });
    const stopped = countAside(ports, order, AbortSignal.abort(new Error('enough')));
    await expect(stopped).rejects.toThrow('enough');
    const meanwhile = new AbortController();
    setImmediate(() => {
      meanwhile.abort(new Error('enough by now'));
    });
    await expect(countAside(ports, order, meanwhile.signal)).rejects.toThrow('enough by now');
  });

  test('is that of the commands, which keep the signing key in the folder that the configuration names', async () => {
    const url = await server.newDatabase();
    const config = configured(url);
    (await opened(config)).close();
    const { catalogue, password } = catalogueIn(url);
    const beside = folder.path('beside');
    await mkdir(beside);
    const file = folder.path('preavis.yaml');
    const archive = { store: 'directory', directory: { folder: folder.path('archive') } };
    await writeFile(
      file,
      stringify({ ...configTree(), ari: { pbx: 'north' }, archive, catalogue: { ...catalogue, folder: beside } }),
    );
    const run = (given: string, ...args: string[]) =>
      runCommand(args, { PREAVIS_CONFIG: file, PREAVIS_CATALOGUE_POSTGRES_PASSWORD: given });
    const listed = await run(password, 'calls', 'list', '--json');
    expect([listed.code, JSON.parse(listed.stdout)]).toEqual([0, { calls: [] }]);
    expect((await run(password, 'evidence', 'key')).code).toBe(0);
    expect(await readdir(beside)).toEqual(['signing-key.pem']);
    const refused = await run('sesame', 'calls', 'list');
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('catalogue_unusable: PostgreSQL refuses the user or the password');
    expect(refused.stderr).not.toContain('sesame');
    expect(refused.stderr).not.toMatch(/^ +at /m);
  });
});

describe('a configuration with store: postgres', () => {
  const problems = (catalogue: Record<string, unknown>, ari: Record<string, unknown> = { pbx: 'north' }): string => {
    try {
      parseConfig({ ...configTree(), ari, catalogue: { store: 'postgres', installation: 'acme', ...catalogue } });
    } catch (error) {
      return (error as Error).message;
    }

    return '';
  };

  test('is refused without a name of its PBX, and with SQLite taken', () => {
    expect(problems({}, {})).toBe(
      'ari.pbx: is missing: with catalogue.store: postgres each PBX has a name, which tells its calls from those of others',
    );
    expect(problems({ store: 'sqlite' }, {})).toBe('');
  });

  test.each([
    [{ installation: undefined }, 'catalogue.installation: is missing: choose a name for all that share the database'],
    [{ installation: 'A B' }, /^catalogue\.installation: is not a name/],
    [
      { store: 'postgresql' },
      'catalogue.store: must be one of sqlite, postgres (got "postgresql"; did you mean postgres?)',
    ],
    [{ postgres: { host: 'postgres://db' } }, /^catalogue\.postgres\.host: is neither a host name or an address, nor/],
    [{ postgres: { host: './sockets' } }, /^catalogue\.postgres\.host: is neither/],
    [{ postgres: { port: 0 } }, /^catalogue\.postgres\.port: /],
    [{ postgres: { database: 'a'.repeat(64) } }, /^catalogue\.postgres\.database: is longer than 63 bytes/],
    [{ postgres: { user: 'a\u0000b' } }, /^catalogue\.postgres\.user: has characters that no name has/],
    [{ postgres: { useTls: true } }, 'catalogue.postgres.useTls: is not possible by a socket (got true)'],
    [
      { postgres: { caFile: '/etc/ca.pem' } },
      'catalogue.postgres.caFile: is of no use without catalogue.postgres.useTls: true (got "/etc/ca.pem")',
    ],
    [{ url: 'postgres://u:sesame@db/x' }, 'catalogue.url: no such key'],
    [{ postgres: { host: 'db.example', caFile: '/etc/ca.pem' } }, ''],
    [{ postgres: { host: '::1' } }, ''],
  ])('%j is refused in words, or taken', (catalogue, message) => {
    const found = problems(catalogue);
    if (typeof message === 'string') expect(found).toBe(message);
    else expect(found).toMatch(message);
  });
});

describe('a SQLite catalogue whose PBX gets another name, or has none any more', () => {
  const note = { event: 'test', actor: 'test' };
  const named = (file: string, pbx: string | undefined): Config =>
    parseConfig({ ...configTree(), ...(pbx === undefined ? {} : { ari: { pbx } }), catalogue: { file } });

  test('has all that was unfinished: calls, recordings that wait, and those that are due', async () => {
    const file = folder.path('renamed.db');
    const before = await opened(named(file, 'north'));
    const shape = { asterisk: { version: '22.0.0', node: 'node', pbx: 'north' } };
    const on = await saveCall(before, { until: 'talking', shape });
    const ended = await saveCall(before, { shape });
    const waiting = await saveCall(before, { shape });
    const failed = await saveCall(before, { shape });
    const ends = { keepUntil: 1, keptFrom: 1, purposeEnds: [{ purpose: 'training', keepUntil: 1 }] };
    await before.recordings.move(waiting.id, 'recording', 'recorded', {}, note);
    await before.recordings.move(failed.id, 'recording', 'failed', { ...ends, failure: 'spool_empty' }, note);
    await before.leases.noteServing(serveNameOf(named(file, 'north')), thisProcess());
    before.close();
    for (const pbx of ['south', undefined]) {
      const now = await opened(named(file, pbx));
      expect((await now.journal.open()).map((state) => 'facts' in state && state.facts.id)).toEqual([on.facts.id]);
      expect((await now.recordings.finishable()).map(({ id }) => id)).toEqual([ended.id]);
      expect((await now.calls.unwitnessed()).map(({ id }) => id)).toEqual([waiting.facts.id, failed.facts.id]);
      expect((await now.recordings.waitingHere()).map(({ count }) => count)).toEqual([1]);
      expect(await now.recordings.isHere(waiting.id)).toBe(true);
      const { rows } = await now.recordings.due(2, firstDue, 10);
      expect(rows.map(({ id }) => id)).toEqual([failed.id]);
      // Nobody is told that the PBX of before is away.
      const serve = { pbx: undefined, application: 'preavis' };
      expect(serveNameOf(named(file, pbx))).toEqual(serve);
      expect((await now.leases.served()).map((served) => served.serve)).toEqual([serve]);
      now.close();
    }
  });
});
