/** A catalogue in PostgreSQL that comes back as it was before an erasure, by the commands and files of docs/operations/backup-postgresql.md. */
import { existsSync, readdirSync, readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startPostgres, type LabPostgres } from '../../../lab/postgres/postgres.ts';
import { openPostgresCatalogue, type Catalogue } from '../../../src/catalogue/catalogue.ts';
import type { Clock } from '../../../src/core/clock.ts';
import { replayLedger } from '../../../src/retention/certificates/copies.ts';
import { verifyCertificates, type VerifyPorts } from '../../../src/retention/certificates/verify.ts';
import { replayHeads } from '../../../src/retention/heads/replayHeads.ts';
import { dayMs } from '../../support/catalogue/catalogues.ts';
import { archiveStage } from '../../support/archive/archiving.ts';
import { eventually } from '../../support/poll.ts';
import { archivedCall, due, erasePass } from '../../support/retention/erasing.ts';
import { reconciled } from '../../support/retention/reconciling.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const project = join(import.meta.dirname, '../../..');
const shipped = (name: string): string => join(project, 'config/postgresql', name);
const page = readFileSync(join(project, 'docs/operations/backup-postgresql.md'), 'utf8');
const backups = '/var/backups/preavis';
const never = new AbortController().signal;

const folder = temporaryFolder();
const opened: Catalogue[] = [];
let postgres: LabPostgres | undefined;
let kept = '';
const server = (): LabPostgres => {
  if (postgres === undefined) throw new Error('PostgreSQL has not started');
  return postgres;
};

/** The shell commands of a section of the page. */
function commandsOf(section: string): string[] {
  const text = page.split(/^## /m).find((part) => part.startsWith(`${section}\n`)) ?? '';
  const [, commands] = /^```sh\n(.*?)^```$/ms.exec(text) ?? [];
  if (commands === undefined) throw new Error(`the page has no commands below ${section}`);

  return commands.trim().split('\n');
}

/** Follows the page: what is the lab's own instead of Debian's is where its services and folders are, and who may edit a file. */
async function follow(section: string, base: string, restoration: string): Promise<void> {
  for (const line of commandsOf(section)) {
    const [command = ''] = line.split(/ {2,}#/);
    const here = command
      .replaceAll(/base-2026-11-30T024700Z/g, base)
      .replaceAll(`${backups}/`, `${kept}/`)
      .replaceAll('/var/lib/postgresql/17/', `${join(server().dataFolder, '..')}/`);
    if (command === 'sudo systemctl stop postgresql@17-main') await server().stopServer('kill');
    else if (command === 'sudo systemctl start postgresql@17-main') await server().startServer();
    else if (command.startsWith('sudo cp config/postgresql/preavis-restore.conf ')) {
      const text = readFileSync(shipped('preavis-restore.conf'), 'utf8').replaceAll(backups, kept);
      writeFileSync(join(server().settingsFolder, 'preavis-restore.conf'), `${text}${restoration}`);
    } else if (/^sudo (editor|rm) /.test(command)) continue;
    else if (here.includes('pg_is_in_recovery')) {
      await eventually(async () => {
        expect(await server().shell(here.replace('sudo -u postgres ', ''))).toBe('f\n');
      });
    } else await server().shell(here.replace(/^sudo -u postgres /, ''));
  }
}

/** All that was committed by now is kept outside the database. Gives the name of the last file of it. */
async function untilKept(): Promise<string> {
  const last = (await server().shell('psql -Atc "SELECT pg_walfile_name(pg_switch_wal())"')).trim();
  await eventually(() => existsSync(join(kept, 'wal', last)));

  return last;
}

const basesKept = (): string[] => readdirSync(kept).filter((name) => name.startsWith('base-'));

async function backUp(): Promise<string> {
  const before = basesKept();
  // By its name there is one in a second.
  await eventually(() => server().shell(`sh ${shipped('preavis-base-backup')} ${kept} 7`));
  const [made] = basesKept().filter((name) => !before.includes(name));
  if (made === undefined) throw new Error('there is no new base backup');

  return made;
}

beforeAll(async () => {
  postgres = await startPostgres({ durable: true });
  kept = server().makeFolder('kept');
  await server().shell(`mkdir ${kept}/wal`);
  const text = readFileSync(shipped('preavis-archive.conf'), 'utf8').replaceAll(backups, kept);
  writeFileSync(join(server().settingsFolder, 'preavis-archive.conf'), text);
  await server().stopServer();
  await server().startServer();
});
afterAll(async () => {
  for (const catalogue of opened.splice(0)) catalogue.close();
  await postgres?.stop();
});

async function connect(url: string, clock: Clock): Promise<Catalogue> {
  const catalogue = await openPostgresCatalogue({ url, connections: 4 }, clock);
  opened.push(catalogue);

  // The time of this test is that of its database.
  return { ...catalogue, leases: { ...catalogue.leases, clockAheadMs: () => Promise.resolve(0) } };
}

async function faultsOf(ports: Omit<VerifyPorts, 'since'>): Promise<string[]> {
  const { faults } = await verifyCertificates({ ...ports, since: 0 }, { signal: never });

  return faults.map((fault) => JSON.stringify(fault));
}

test('comes back as it was before an erasure, which is then done again', async () => {
  const url = await server().makeDatabase();
  const own = folder.path('machine');
  await mkdir(own);
  const set = await archiveStage(own, (_file, clock) => connect(url, clock));
  const calls = [await archivedCall(set), await archivedCall(set)];
  const base = await backUp();
  calls.push(await archivedCall(set));
  const time = (await server().shell('psql -Atc "SELECT now()"')).trim();
  // After that time: a call, and the erasure of the others.
  const unknown = await archivedCall(set, { keepDays: 395 });
  set.clock.at = due;
  expect(await erasePass(set)).toMatchObject({ due: 3, erased: 3 });
  expect(await faultsOf(set)).toEqual([]);
  await untilKept();

  await follow('Restore', base, `recovery_target_time = '${time}'\n`);

  const now = { ...set, catalogue: await connect(url, set.clock) };
  const statuses = () => Promise.all(calls.map(async ({ id }) => (await now.catalogue.recordings.find(id))?.status));
  expect(await statuses()).toEqual(['archived', 'archived', 'archived']);
  expect(await now.catalogue.recordings.find(unknown.id)).toBeUndefined();
  // It says where it was cut.
  expect((await faultsOf(now)).join('\n')).toMatch(/the audit trail ends at line \d+, before what was signed/);
  expect(await replayLedger(now, { dryRun: false })).toMatchObject({ certificates: 3 });
  expect(await statuses()).toEqual(['erased', 'erased', 'erased']);
  expect(await replayHeads({ ...now, since: 0 }, { dryRun: false, by: 'user tester' })).toBe('acknowledged');
  expect(await faultsOf(now)).toEqual([]);
  // After the day in which nothing is erased behind a restoration.
  await archivedCall(now);
  set.clock.at += dayMs;
  expect(await erasePass(now)).toMatchObject({ due: 1, erased: 1 });
  expect(await faultsOf(now)).toEqual([]);
  const { findings } = await reconciled({ ...now, clock: set.clock }, { dryRun: true });
  expect(new Set(findings.map(({ kind, recording }) => `${kind} ${recording ?? ''}`))).toEqual(
    new Set([`unknownObject ${unknown.id}`]),
  );
});

test('keeps base backups for as long as was said, and no change from before the oldest of them', async () => {
  await backUp();
  const old = basesKept();
  const changes = (): string[] => readdirSync(join(kept, 'wal')).filter((name) => /^[0-9A-F]{24}$/.test(name));
  const [earliest = ''] = changes().toSorted();
  const days = 8 * 86_400;
  for (const name of old) utimesSync(join(kept, name), Date.now() / 1_000 - days, Date.now() / 1_000 - days);
  const base = await backUp();
  expect(basesKept()).toEqual([base]);
  expect(changes()).not.toContain(earliest);
});

test('goes on with the changes after a crash between a file that is kept and its note in PostgreSQL', async () => {
  await server().makeDatabase();
  const last = await untilKept();
  const note = join(server().dataFolder, 'pg_wal/archive_status', last);
  await eventually(() => existsSync(`${note}.done`));
  renameSync(`${note}.done`, `${note}.ready`);
  const before = readFileSync(join(kept, 'wal', last));
  await server().makeDatabase();
  expect(await untilKept()).not.toBe(last);
  expect(readFileSync(join(kept, 'wal', last)).equals(before)).toBe(true);
});

test('never writes a file of other changes over one that is kept', async () => {
  const command = (await server().shell('psql -Atc "SHOW archive_command"')).trim();
  const [file, held] = [join(server().makeFolder('changes'), 'file'), join(kept, 'wal', 'held')];
  const archive = () => server().shell(command.replaceAll('%p', file).replaceAll('%f', 'held'));
  writeFileSync(file, 'one');
  await archive();
  writeFileSync(file, 'two');
  await expect(archive()).rejects.toThrow();
  expect(readFileSync(held, 'utf8')).toBe('one');
});
