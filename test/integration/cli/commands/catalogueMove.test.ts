import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { catalogueIn } from '../../../../lab/postgres/postgres.ts';
import { openCatalogue } from '../../../../src/catalogue/catalogue.ts';
import { serveLease } from '../../../../src/catalogue/jobs/leases.ts';
import { openSqlite } from '../../../../src/catalogue/sqlite/sqlite.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { archiveStage } from '../../../support/archive/archiving.ts';
import { configTree } from '../../../support/call/calls.ts';
import { catalogues } from '../../../support/catalogue/catalogues.ts';
import { elsewhere, onlyServe } from '../../../support/catalogue/holders.ts';
import { usePostgres } from '../../../support/catalogue/postgres.ts';
import { runCommand } from '../../../support/command.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const server = usePostgres();
const open = catalogues();
let places = 0;

/** An installation with one recording, its SQLite catalogue and a database: an empty one, where none is given. */
async function place(given?: string) {
  const at = folder.path(`${(places += 1)}`);
  const set = await archiveStage(at, open);
  const { id } = await set.finished(undefined, { keepDays: 3_000 });
  const url = given ?? (await server.newDatabase());
  const { catalogue, password } = catalogueIn(url);
  const file = join(at, 'catalogue.db');
  const run = async (store: 'sqlite' | 'postgres', ...args: string[]) => {
    const config = join(at, `${store}.yaml`);
    const tree = {
      ...configTree(),
      ari: { url: 'http://127.0.0.1:9', password: 'zebra', requestTimeoutMs: 500, pbx: 'north' },
      recording: { spoolFolder: set.spoolFolder, minimumFreeMib: 0 },
      catalogue: { ...catalogue, store, file },
      archive: { directory: { folder: join(at, 'archive') } },
    };
    await writeFile(config, JSON.stringify(tree), { mode: 0o600 });

    return runCommand([...args, '--config', config], { PREAVIS_CATALOGUE_POSTGRES_PASSWORD: password });
  };

  return {
    at,
    url,
    id,
    file,
    run,
    close: () => {
      set.catalogue.close();
    },
  };
}

const marksIn = (at: string): string[] => readdirSync(join(at, 'archive', 'catalogues'));

test('the catalogue goes to PostgreSQL with its recordings, and is the one of its archive as before', async () => {
  const { at, id, run, close } = await place();
  close();
  expect((await run('sqlite', 'upload')).code).toBe(0);
  const [shown, verified, marks] = [
    await run('sqlite', 'recordings', 'show', id, '--json'),
    await run('sqlite', 'certificates', 'verify', '--json'),
    marksIn(at),
  ];
  const tried = await run('postgres', 'catalogue', 'move', '--dry-run');
  expect(tried).toMatchObject({ code: 0, stderr: '' });
  expect(tried.stdout).toContain('nothing was moved; ');
  expect((await run('postgres', 'calls', 'list')).stderr).toContain('the database has no catalogue');

  const moved = await run('postgres', 'catalogue', 'move');
  expect(moved).toMatchObject({ code: 0, stderr: '' });
  expect(moved.stdout).toMatch(/^recordings +1$/m);
  expect(moved.stdout).toMatch(
    /^Every row is the same in both\. The audit trail has \d+ lines; its last link is [0-9a-f]{64}\.$/m,
  );
  expect(moved.stdout).toMatch(
    /^The catalogue is in the database lab\d+ of 127\.0\.0\.1 now\. .*catalogue\.db is kept, and is not opened any more\.$/m,
  );

  expect(await run('postgres', 'recordings', 'show', id, '--json')).toEqual(shown);
  expect(await run('postgres', 'certificates', 'verify', '--json')).toEqual(verified);
  expect((await run('postgres', 'upload')).code).toBe(0);
  expect(marksIn(at)).toEqual(marks);
  const again = await run('postgres', 'catalogue', 'move', '--json');
  expect([again.code, JSON.parse(again.stdout)]).toMatchObject([0, { state: 'movedBefore' }]);
});

test.each([[['serve']], [['calls', 'list']], [['retention', 'run']]])(
  'preavis %s with the configuration of before says that the catalogue was moved, and what to do',
  async (args) => {
    const { run, close } = await place();
    close();
    expect((await run('postgres', 'catalogue', 'move', '--json')).code).toBe(0);
    const refused = await run('sqlite', ...args);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(
      /^preavis: catalogue_moved: the catalogue .*catalogue\.db was moved to PostgreSQL\n {2}Set catalogue\.store to postgres/m,
    );
    expect(refused.stderr).not.toMatch(/^ +at /m);
  },
);

test('a service that is started before the move begins no empty catalogue, and says what to do', async () => {
  const { run, close } = await place();
  close();
  const refused = await run('postgres', 'serve');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(/^preavis: catalogue_unmoved: .*\n {2}Run `preavis catalogue move`/m);
  expect((await run('postgres', 'catalogue', 'move', '--json')).code).toBe(0);
});

test('a service that is started before the move says so, and not that the catalogue is new, where the archive has recordings of it', async () => {
  const { run, close } = await place();
  close();
  expect((await run('sqlite', 'upload')).code).toBe(0);
  for (const args of [['serve'], ['evidence', 'key']]) {
    const refused = await run('postgres', ...args);
    expect([args, refused.code, refused.stderr]).toEqual([
      args,
      2,
      expect.stringMatching(/^preavis: catalogue_unmoved: the database is empty/m),
    ]);
  }
});

test('a second PBX does not leave the catalogue of its own behind: what only that knows of would never be erased', async () => {
  const first = await place();
  const second = await place(first.url);
  for (const { close } of [first, second]) close();
  expect((await first.run('postgres', 'catalogue', 'move', '--json')).code).toBe(0);
  const refused = await second.run('postgres', 'serve');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(
    /^preavis: catalogue_unmoved: the database has another catalogue.*\n {2}Two catalogues are not made one/m,
  );
  // Whose catalogue was moved has gone on to the PBX.
  expect((await first.run('postgres', 'serve')).stderr).toContain('preavis: ari_unreachable');
});

test('a catalogue in use is not moved, and who uses it is named', async () => {
  const { file, run, close } = await place();
  const refused = await run('postgres', 'catalogue', 'move');
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toMatch(
    /^preavis: catalogue_in_use: another process has .*catalogue\.db open\n {2}Stop `preavis serve`/,
  );
  close();
  const catalogue = openCatalogue(file, systemClock);
  await catalogue.leases.take(serveLease(onlyServe), elsewhere('pbx-2', 7));
  catalogue.close();
  const tried = await run('postgres', 'catalogue', 'move', '--dry-run', '--json');
  expect([tried.code, JSON.parse(tried.stdout)]).toMatchObject([
    3,
    { state: 'dryRun', usedBy: ['serve, by process 7 on pbx-2'] },
  ]);
  expect((await run('postgres', 'catalogue', 'move')).stderr).toContain('in use: serve, by process 7 on pbx-2');
  expect((await run('sqlite', 'calls', 'list')).code).toBe(0);
});

test('an audit trail that was changed before the move is told, and moved', async () => {
  const { file, run, close } = await place();
  close();
  const database = openSqlite(file);
  database.exec(`DROP TRIGGER audit_is_append_only_1; UPDATE audit SET actor = 'nobody' WHERE id = 1`);
  database.close();
  const moved = await run('postgres', 'catalogue', 'move');
  expect([moved.code, moved.stderr]).toEqual([3, '']);
  expect(moved.stdout).toContain(
    '1 line of it was changed before the move, and moved as they are: preavis certificates verify names them.',
  );
  expect((await run('postgres', 'certificates', 'verify')).stdout).toContain('line 1 of the audit trail was changed');
});

test('without a database in the configuration it says what to configure', async () => {
  const { run, close } = await place();
  close();
  const refused = await run('sqlite', 'catalogue', 'move');
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  expect(refused.stderr).toMatch(
    /^preavis: config_invalid: catalogue\.store is sqlite.*\n {2}Set catalogue\.store to postgres/,
  );
});
