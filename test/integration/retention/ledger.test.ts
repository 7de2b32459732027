import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import { makeLedger, type Ledger } from '../../../src/retention/ledger.ts';
import { withLedgerLock } from '../../../src/retention/ledgerLock.ts';
import { built } from '../../support/built.ts';
import { eventually } from '../../support/poll.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
let ledgers = 0;
const newLedger = (): Ledger => makeLedger(folder.path(`${(ledgers += 1)}/erasures.jsonl`));

const linesOf = async (ledger: Ledger): Promise<string[]> => {
  const lines: string[] = [];
  for await (const { line } of ledger.lines(0)) lines.push(line);

  return lines;
};

/** A process of its own with the built ledger; `program` is its last step. */
function other(ledger: Ledger, program: string) {
  const start = `
    const { makeLedger } = await import('${built('retention/ledger.js')}');
    const { withLedgerLock } = await import('${built('retention/ledgerLock.js')}');
    const ledger = makeLedger(${JSON.stringify(ledger.file)});
    const say = (word) => process.stdout.write(word + '\\n');
    ${program}`;

  return spawn(process.execPath, ['--input-type=module', '-e', start], { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function openFiles(pid: number | undefined): Promise<string[]> {
  const folderOf = `/proc/${pid ?? 0}/fd`;
  const links = await Promise.all((await readdir(folderOf)).map((fd) => readlink(`${folderOf}/${fd}`).catch(() => '')));

  return links;
}

describe('what is added to the ledger while its old lines are removed', () => {
  test('by the same process stays in it', async () => {
    const ledger = newLedger();
    for (const line of ['old', 'kept']) await ledger.append(line);
    let added: Promise<void> | undefined;
    await ledger.prune((line) => {
      added ??= ledger.append('new');
      return Promise.resolve(line !== 'old');
    });
    await added;
    expect(await linesOf(ledger)).toEqual(['kept', 'new']);
  });

  test('by another process stays in it', async () => {
    const ledger = newLedger();
    for (const line of ['old', 'kept']) await ledger.append(line);
    const { size } = await stat(ledger.file);
    let added: Promise<unknown> | undefined;
    await ledger.prune(async (line) => {
      if (added === undefined) {
        const appending = other(ledger, `await ledger.append('new');`);
        added = once(appending, 'exit');
        // It has come to where it waits, or past it.
        await eventually(async () => {
          const isWaiting = (await openFiles(appending.pid)).includes(`${ledger.file}.lock`);
          expect(isWaiting || (await stat(ledger.file)).size > size).toBe(true);
        });
      }
      return line !== 'old';
    });
    expect(await added).toEqual([0, null]);
    expect(await linesOf(ledger)).toEqual(['kept', 'new']);
  });

  test('waits for no process that was killed while it held the lock', async () => {
    const ledger = newLedger();
    await ledger.append('first');
    const holder = other(
      ledger,
      `await withLedgerLock(ledger.file, () => { say('held'); return new Promise(() => setInterval(() => 0, 1e6)); });`,
    );
    await once(holder.stdout, 'data');
    const appending = ledger.append('second');
    holder.kill('SIGKILL');
    await appending;
    expect(await linesOf(ledger)).toEqual(['first', 'second']);
  });
});

test('the lock is an empty file beside it, for its owner only, and is none of the lines', async () => {
  const ledger = newLedger();
  await ledger.append('line');
  const lock = `${ledger.file}.lock`;
  expect(await readFile(lock, 'utf8')).toBe('');
  expect((await stat(lock)).mode & 0o777).toBe(0o600);
  expect((await readdir(folder.path(`${ledgers}`))).sort()).toEqual(['erasures.jsonl', 'erasures.jsonl.lock']);
});

test('another process does not get the lock for as long as this one holds it, whatever else this one tries', async () => {
  const ledger = newLedger();
  await ledger.append('line');
  const tries = `await withLedgerLock(ledger.file, async () => say('taken'));`;
  let said = '';
  let exited: Promise<unknown> | undefined;
  let own: Promise<void> | undefined;
  await withLedgerLock(ledger.file, async () => {
    own = ledger.append('more');
    const trying = other(ledger, tries);
    trying.stdout.on('data', (data: Buffer) => (said += data.toString()));
    exited = once(trying, 'exit');
    await eventually(async () => {
      expect(await openFiles(trying.pid)).toContain(`${ledger.file}.lock`);
    });
    expect(said).toBe('');
  });
  await Promise.all([exited, own]);
  expect(said).toBe('taken\n');
});

test('steps are done one after another, and one that fails gives the lock back', async () => {
  const ledger = newLedger();
  await ledger.append('line');
  const steps: string[] = [];
  const step = (name: string) =>
    withLedgerLock(ledger.file, async () => {
      steps.push(`${name} begun`);
      await new Promise(setImmediate);
      steps.push(`${name} ended`);
      if (name === 'b') throw new Error('b');
    });
  await Promise.allSettled(['a', 'b', 'c'].map(step));
  expect(steps.filter((_, index) => index % 2 === 1)).toEqual(
    steps.filter((_, index) => index % 2 === 0).map((each) => each.replace('begun', 'ended')),
  );
  expect(steps).toHaveLength(6);
});

test('a lock that cannot be made is told as a ledger that cannot be used', async () => {
  const ledger = newLedger();
  await ledger.append('line');
  await writeFile(`${ledger.file}.lock`, 'no database, and long enough to be looked at as one'.repeat(40));
  await expect(ledger.append('more')).rejects.toMatchObject({ code: 'ledger_unusable' });
  expect(await linesOf(ledger)).toEqual(['line']);
});
