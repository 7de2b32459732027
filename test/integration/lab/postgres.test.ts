import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { isPortFree } from '../../../lab/machine/ports.ts';
import { liveCount } from '../../../lab/machine/processes.ts';
import { isAlive, type LabRecord } from '../../../lab/machine/records.mjs';
import { startPostgres, type LabPostgres } from '../../../lab/postgres/postgres.ts';
import { eventually } from '../../support/poll.ts';
import { recordsOf } from '../../support/records.ts';

const project = join(import.meta.dirname, '..', '..', '..');

/** What it has of the machine, as the lab has written it down. */
function belongings(records: readonly LabRecord[]) {
  return {
    processes: records.flatMap((record) => (record.kind === 'process' ? [record] : [])),
    folders: records.flatMap((record) => (record.kind === 'path' ? [record.path] : [])),
    segments: records.flatMap((record) => (record.kind === 'sharedMemory' ? [record.id] : [])),
  };
}

/** Those of shared memory that the machine has. */
const segments = (): number[] =>
  readFileSync('/proc/sysvipc/shm', 'latin1')
    .split('\n')
    .map((line) => Number(line.trim().split(/\s+/)[1]));

async function ask(address: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: address });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function expectNothingLeft({ processes, folders, segments: made }: ReturnType<typeof belongings>, port: number) {
  await eventually(async () => {
    expect(processes.filter(isAlive)).toEqual([]);
    expect(folders.filter((path) => existsSync(path))).toEqual([]);
    expect(segments().filter((id) => made.includes(id))).toEqual([]);
    expect(await isPortFree(port)).toBe(true);
  });
}

describe('a PostgreSQL of the lab', () => {
  let server: LabPostgres | undefined;
  afterEach(async () => {
    await server?.stop();
    server = undefined;
    expect(liveCount()).toBe(0);
  });

  it('answers on loopback to who has the password, keeps its data over an outage, and leaves nothing', async () => {
    const started = await startPostgres();
    server = started;
    const has = belongings(recordsOf(process));
    expect(has).toMatchObject({ processes: [{ kind: 'process' }], folders: [{}], segments: [{}] });
    const [one, other] = [await started.makeDatabase(), await started.makeDatabase()];
    const isThisRelease = `SELECT current_setting('server_version') LIKE '${started.release}.%' AS yes`;
    expect(await ask(one, isThisRelease)).toEqual([{ yes: true }]);
    await ask(one, `CREATE TABLE kept AS SELECT 1 AS here`);
    await expect(ask(other, `SELECT * FROM kept`)).rejects.toMatchObject({ code: '42P01' });
    await expect(ask(one.replace(/:[0-9a-f]+@/, ':other@'), 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });

    for (const how of [undefined, 'kill'] as const) {
      await started.stopServer(how);
      await expect(ask(one, 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
      await started.startServer();
      expect(await ask(one, `SELECT * FROM kept`)).toEqual([{ here: 1 }]);
    }

    const now = belongings(recordsOf(process));
    await started.stop();
    await expectNothingLeft(has, started.port);
    await expectNothingLeft(now, started.port);
  });

  it('leaves nothing when who has started it is killed', async () => {
    const owner = spawn(process.execPath, ['--import', 'tsx', 'test/support/postgresOwner.ts'], {
      cwd: project,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '', TSX_DISABLE_CACHE: '1' },
    });
    try {
      const [said] = (await once(owner.stdout, 'data')) as [Buffer];
      const { port } = JSON.parse(said.toString()) as { port: number };
      const has = belongings(recordsOf({ pid: owner.pid ?? 0 }));
      expect(has.processes.filter(isAlive)).toHaveLength(1);
      owner.kill('SIGKILL');
      await expectNothingLeft(has, port);
    } finally {
      owner.kill('SIGKILL');
    }
  });
});
