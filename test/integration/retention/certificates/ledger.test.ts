import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { openPostgresCatalogue, type Catalogue } from '../../../../src/catalogue/catalogue.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { makeLedger, type Ledger } from '../../../../src/retention/certificates/ledger.ts';
import { withLedgerLock } from '../../../../src/retention/certificates/ledgerLock.ts';
import { built } from '../../../support/built.ts';
import { usePostgres } from '../../../support/catalogue/postgres.ts';
import { eventually } from '../../../support/poll.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
let ledgers = 0;
const newLedger = (): Ledger => makeLedger(folder.path(`${(ledgers += 1)}/erasures.jsonl`));

const linesOf = async (ledger: Ledger): Promise<string[]> => {
  const lines: string[] = [];
  for await (const { line } of ledger.lines(0)) lines.push(line);

  return lines;
};

/** A process of its own with the built ledger; `program` is its last step. */
const other = (ledger: Ledger, program: string) =>
  spawn(process.execPath, ['--input-type=module', '-e', programOf(ledger, program)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });

function programOf(ledger: Ledger, program: string): string {
  return `
    const { makeLedger } = await import('${built('retention/certificates/ledger.ts')}');
    const { withLedgerLock } = await import('${built('retention/certificates/ledgerLock.ts')}');
    const ledger = makeLedger(${JSON.stringify(ledger.file)});
    const say = (word) => process.stdout.write(word + '\\n');
    ${program}`;
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

describe('on a folder that machines share, whose locks of files each has for itself,', () => {
  const server = usePostgres();
  let catalogues: Catalogue[] = [];
  afterEach(() => {
    for (const catalogue of catalogues) catalogue.close();
    catalogues = [];
  });

  /** A ledger of a machine, in this process, and how another machine changes it. */
  async function shared() {
    const url = await server.newCatalogue();
    const file = folder.path(`${(ledgers += 1)}/erasures.jsonl`);
    const catalogue = await openPostgresCatalogue({ url, connections: 3 }, systemClock);
    catalogues.push(catalogue);
    const ledger = makeLedger(file, catalogue.ledgerLock);
    for (const line of ['old', 'kept']) await ledger.append(line);
    const another = (program: string) =>
      other(
        ledger,
        `const { openPostgresCatalogue } = await import('${built('catalogue/catalogue.ts')}');
         const catalogue = await openPostgresCatalogue({ url: ${JSON.stringify(url)} }, { now: () => Date.now() });
         const shared = makeLedger(ledger.file, catalogue.ledgerLock);
         ${program}
         catalogue.close();`,
      );
    /** Another machine has a lock of its own in the place of ours. */
    const parted = () => rm(`${file}.lock`, { force: true });
    const pool = await server.open(url);
    const isWaitedFor = async (): Promise<boolean> => {
      const { rowCount } = await pool.query(
        `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 5 AND NOT granted`,
      );

      return rowCount === 1;
    };

    return { pool, catalogue, ledger, another, parted, isWaitedFor };
  }

  test('what another machine adds while old lines are removed stays in it', async () => {
    const { ledger, another, parted, isWaitedFor } = await shared();
    const { size } = await stat(ledger.file);
    let added: Promise<unknown> | undefined;
    await ledger.prune(async (line) => {
      if (added === undefined) {
        await parted();
        added = once(another(`await shared.append('new');`), 'exit');
        // It waits for its turn, or has not done so.
        await eventually(async () => {
          expect((await isWaitedFor()) || (await stat(ledger.file)).size > size).toBe(true);
        });
      }

      return line !== 'old';
    });
    expect(await added).toEqual([0, null]);
    expect(await linesOf(ledger)).toEqual(['kept', 'new']);
  });

  test('nobody waits for a machine whose process was killed while it removed lines', async () => {
    const { ledger, another, parted } = await shared();
    const holder = another(
      `await shared.prune(() => { say('held'); return new Promise(() => setInterval(() => 0, 1e6)); });`,
    );
    await once(holder.stdout, 'data');
    await parted();
    const appending = ledger.append('new');
    holder.kill('SIGKILL');
    await appending;
    expect(await linesOf(ledger)).toEqual(['old', 'kept', 'new']);
  });

  test('a machine whose turn has ended with its connection changes nothing, and tells so', async () => {
    const { pool, ledger } = await shared();
    const end = `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 5 AND granted`;
    const pruned = ledger.prune(async () => {
      await pool.query(end);

      return false;
    });
    await expect(pruned).rejects.toMatchObject({ code: 'catalogue_unusable' });
    expect(await linesOf(ledger)).toEqual(['old', 'kept']);
    await ledger.append('new');
    expect(await linesOf(ledger)).toEqual(['old', 'kept', 'new']);
  });

  test('steps of one process take turns with one connection, and leave the others to what they ask', async () => {
    const { catalogue, ledger } = await shared();
    const lines = Array.from({ length: 12 }, (_, index) => `line ${index}`);
    const asked = ledger.prune(async () => (await catalogue.passes.last('retention')) === undefined);
    await Promise.all([asked, ...lines.map((line) => ledger.append(line))]);
    expect((await linesOf(ledger)).toSorted()).toEqual(['old', 'kept', ...lines].toSorted());
  });
});

test('a copy of lines that a killed process has left is removed by whoever changes the ledger next', async () => {
  const ledger = newLedger();
  await ledger.append('line');
  const names = async (): Promise<string[]> => (await readdir(dirname(ledger.file))).sort();
  const pruning = other(
    ledger,
    `await ledger.prune(() => { say('half-way'); return new Promise(() => setInterval(() => 0, 1e6)); });`,
  );
  await once(pruning.stdout, 'data');
  expect(await names()).toContain(`erasures.jsonl.${pruning.pid ?? 0}.tmp`);
  pruning.kill('SIGKILL');
  await ledger.append('more');
  expect(await names()).toEqual(['erasures.jsonl', 'erasures.jsonl.lock']);
  expect(await linesOf(ledger)).toEqual(['line', 'more']);
});

test('is read in one file to its end, and from its begin where no line begins at the place that was read to', async () => {
  const ledger = newLedger();
  for (const line of ['first', 'second', 'third']) await ledger.append(line);
  const read: string[] = [];
  for await (const { line, end } of ledger.lines(0)) {
    read.push(line);
    if (line === 'first') await ledger.prune((each) => Promise.resolve(each !== 'first'));
    if (line !== 'third') continue;
    // Of the file that is there now it is the place in a line, or none.
    await ledger.append('a fourth line that is long');
    for (const from of [end, 9_999]) {
      const again: string[] = [];
      for await (const each of ledger.lines(from)) again.push(each.line);
      expect(again).toEqual(['second', 'third', 'a fourth line that is long']);
    }
  }
  expect(read).toEqual(['first', 'second', 'third']);
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

test('a lock that cannot be made is told as a ledger that cannot be used, before anything is added as well', async () => {
  const ledger = newLedger();
  await ledger.append('line');
  await writeFile(`${ledger.file}.lock`, 'no database, and long enough to be looked at as one'.repeat(40));
  const told = {
    code: 'ledger_unusable',
    message: `${ledger.file}.lock cannot be used (SQLITE_NOTADB)`,
    hint: `It is empty where it is a lock. Remove it: rm ${ledger.file}.lock`,
  };
  await expect(ledger.append('more')).rejects.toMatchObject(told);
  await expect(ledger.check()).rejects.toMatchObject(told);
  expect(await linesOf(ledger)).toEqual(['line']);
});

test('the check neither waits for a step that has the lock, nor takes it from it, nor makes one', async () => {
  const ledger = newLedger();
  await ledger.check();
  await ledger.append('line');
  let isTaken = false;
  let exited: Promise<unknown> | undefined;
  await withLedgerLock(ledger.file, async () => {
    await ledger.check();
    const trying = other(
      ledger,
      `await ledger.check(); say('checked'); await withLedgerLock(ledger.file, async () => say('taken'));`,
    );
    exited = once(trying, 'exit');
    let said = '';
    trying.stdout.on('data', (data: Buffer) => {
      said += data.toString();
      isTaken = said.includes('taken');
    });
    await eventually(() => {
      expect(said).toContain('checked');
    });
    expect(isTaken).toBe(false);
  });
  await exited;
  expect(isTaken).toBe(true);
  await mkdir(folder.path(`${ledgers + 1}`));
  await newLedger().check();
  expect(await readdir(folder.path(`${ledgers}`))).toEqual([]);
});

(process.getuid?.() === 0 ? describe : describe.skip)('another account than root', () => {
  const nobody = 65_534;
  const asNobody = (ledger: Ledger, step: string): string => {
    const tell = `console.log(await ${step}.then(() => 'done', ({ code, message, hint }) => [code, message, hint].join('\\n')));`;
    const account = { uid: nobody, gid: nobody, encoding: 'utf8' } as const;

    return spawnSync(process.execPath, ['--input-type=module', '-e', programOf(ledger, tell)], account).stdout.trim();
  };
  const ownLedger = async (): Promise<Ledger> => {
    const ledger = newLedger();
    await mkdir(dirname(ledger.file));
    await chmod(folder.path('.'), 0o755);
    await chown(dirname(ledger.file), nobody, nobody);

    return ledger;
  };

  test('can use the ledger of its folder that root has made, added to and shortened', async () => {
    const ledger = await ownLedger();
    for (const line of ['a', 'b']) await ledger.append(line);
    await ledger.prune((line) => Promise.resolve(line === 'b'));
    expect(asNobody(ledger, 'ledger.check()')).toBe('done');
    expect(asNobody(ledger, `ledger.append('c')`)).toBe('done');
    expect(await linesOf(ledger)).toEqual(['b', 'c']);
    for (const file of [ledger.file, `${ledger.file}.lock`]) {
      const { uid, gid, mode } = await stat(file);
      expect({ uid, gid, mode: mode & 0o777 }).toEqual({ uid: nobody, gid: nobody, mode: 0o600 });
    }
    expect(asNobody(ledger, `ledger.prune((line) => Promise.resolve(line === 'c'))`)).toBe('done');
  });

  test('is given nothing that lies elsewhere by a link that it has put there', async () => {
    for (const name of ['erasures.jsonl', `erasures.jsonl.${process.pid}.tmp`]) {
      const ledger = await ownLedger();
      const elsewhere = folder.path(`elsewhere-${ledgers}`);
      if (name !== 'erasures.jsonl') await ledger.append('a');
      await symlink(elsewhere, `${dirname(ledger.file)}/${name}`);
      await ledger.append('b');
      await ledger.prune(() => Promise.resolve(true));
      const { uid } = await stat(elsewhere).catch(() => ({ uid: 0 }));
      expect(uid).toBe(0);
    }
  });

  test('is told beforehand, with the command, that a lock is of root', async () => {
    const ledger = await ownLedger();
    expect(asNobody(ledger, `ledger.append('a')`)).toBe('done');
    const lock = `${ledger.file}.lock`;
    await chown(lock, 0, 0);
    const told = asNobody(ledger, 'ledger.check()').split('\n');
    expect(told).toEqual([
      'ledger_unusable',
      `${lock} cannot be used (SQLITE_CANTOPEN)`,
      expect.stringContaining(`As root: chown --reference=${ledger.file} ${lock}; chmod 600 ${lock}`),
    ]);
    spawnSync('sh', ['-c', (told[2] ?? '').replace(/^.*As root: /, '')]);
    expect(asNobody(ledger, 'ledger.check()')).toBe('done');
    expect(asNobody(ledger, `ledger.append('b')`)).toBe('done');
  });

  test('is told beforehand that it may write the ledger and make nothing beside it', async () => {
    const ledger = await ownLedger();
    expect(asNobody(ledger, `ledger.append('a')`)).toBe('done');
    spawnSync('rm', [`${ledger.file}.lock`]);
    await chown(dirname(ledger.file), 0, 0);
    await chmod(dirname(ledger.file), 0o755);
    expect(asNobody(ledger, 'ledger.check()').split('\n')).toEqual([
      'ledger_unusable',
      `${ledger.file}.lock cannot be made (EACCES)`,
      expect.stringContaining(`chown nobody ${dirname(ledger.file)} ;`),
    ]);
  });
});
