import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { leaseMs, serveLease } from '../../../src/catalogue/jobs/leases.ts';
import { endStuckWriter } from '../../../src/serve/stuckWriter.ts';
import { callStart } from '../../support/call/calls.ts';
import { catalogues, clockAt } from '../../support/catalogue/catalogues.ts';
import { beside, onlyServe } from '../../support/catalogue/holders.ts';
import { collectingLog } from '../../support/logLines.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
const spawned: ChildProcess[] = [];
let files = 0;

afterEach(async () => {
  for (const each of spawned.splice(0)) {
    if (each.exitCode !== null || each.signalCode !== null) continue;
    each.kill('SIGKILL');
    await once(each, 'exit');
  }
});

/** A process that begins to write into this file once it is told to, and then is stopped. */
async function aProcess(file: string) {
  const script = `
    const database = new (require('better-sqlite3'))(process.argv[1]);
    process.once('SIGUSR2', () => setInterval(() => { for (const until = Date.now() + 30; Date.now() < until; ); }, 40));
    process.stdin.once('data', () => { database.exec('BEGIN IMMEDIATE'); process.stdout.write('writing'); });
    process.stdout.write('there');`;
  const made = spawn(process.execPath, ['-e', script, file], {
    stdio: 'pipe',
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  spawned.push(made);
  await once(made.stdout, 'data');
  const pid = made.pid ?? 0;
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [, , , , , , , , , , , , , , , , , , , started = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');

  return {
    process: made,
    holder: { ...beside(pid), started },
    write: async () => {
      made.stdin.write('write');
      await once(made.stdout, 'data');
      made.kill('SIGSTOP');
    },
    goOn: () => {
      made.kill('SIGUSR2');
      made.kill('SIGCONT');
    },
  };
}

async function stage() {
  const file = folder.path(`${(files += 1)}.db`);
  const clock = clockAt(callStart);
  const catalogue = open(file, clock);
  const other = await aProcess(file);
  await catalogue.leases.take(serveLease(onlyServe), other.holder);
  const { log, text } = collectingLog();
  const look = () => endStuckWriter({ catalogue, serve: onlyServe, file, log });

  return { catalogue, clock, other, look, text };
}

it('a worker that stands still in a write is ended once its lease is over, and not before: then its lease can be had', async () => {
  const { catalogue, clock, other, look, text } = await stage();
  await other.write();
  await look();
  clock.at += leaseMs + 1;
  expect(other.process.signalCode).toBeNull();
  await look();
  if (other.process.signalCode === null) await once(other.process, 'exit');
  expect(other.process.signalCode).toBe('SIGKILL');
  expect(text()).toContain('other worker stood still in a write; ended');
  expect(await catalogue.leases.take(serveLease(onlyServe), beside(process.pid))).toMatchObject({ kind: 'taken' });
});

it('one that lets its lease run out and writes nothing is left alone, as is who writes and never had it', async () => {
  const { clock, other, look } = await stage();
  clock.at += leaseMs + 1;
  await look();
  const third = await aProcess(folder.path(`${files}.db`));
  await third.write();
  await look();
  expect([other.process.signalCode, third.process.signalCode]).toEqual([null, null]);
});

it('one that goes on is left alone, although it writes at both looks', async () => {
  const { clock, other, look } = await stage();
  await other.write();
  other.goOn();
  clock.at += leaseMs + 1;
  await look();
  expect(other.process.signalCode).toBeNull();
});
