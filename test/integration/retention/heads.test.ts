/** Signed heads of the audit trail: when they are signed, where they are kept, and what they show. */
import { appendFile, copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { makeEncryptedStore } from '../../../src/store/encryption/store.ts';
import { makeDirectoryStore } from '../../../src/store/directory/store.ts';
import { openSqlite } from '../../../src/catalogue/sqlite/sqlite.ts';
import { PreavisError } from '../../../src/core/errors.ts';
import { openSigner, typeOfSigned } from '../../../src/core/crypto/signing.ts';
import { headKey, headType, issueHead, readHead } from '../../../src/retention/heads/chainHead.ts';
import { replayArchive, replayLedger } from '../../../src/retention/certificates/copies.ts';
import { copyHeads, makeHeadCopier, signHead } from '../../../src/retention/heads/keepHeads.ts';
import { makeLedger } from '../../../src/retention/certificates/ledger.ts';
import { replayHeads } from '../../../src/retention/heads/replayHeads.ts';
import { lineFaults, verifyHeads } from '../../../src/retention/certificates/verifyTrail.ts';
import { archiveStage, type ArchiveStage } from '../../support/archive/archiving.ts';
import { catalogues, dayMs } from '../../support/catalogue/catalogues.ts';
import { keyringOf, newKey } from '../../support/archive/encryption.ts';
import { archivedCall, erasePass } from '../../support/retention/erasing.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
const never = new AbortController().signal;
let stages = 0;

type Stage = ArchiveStage & { folder: string };

async function stage(): Promise<Stage> {
  const own = folder.path(`${(stages += 1)}`);

  return { ...(await archiveStage(own, open)), folder: own };
}

const portsOf = (set: ArchiveStage) => ({ ...set, since: 0 });
const seen = (set: ArchiveStage, change: Partial<Parameters<typeof verifyHeads>[0]> = {}) =>
  verifyHeads({ ...portsOf(set), ...change }, never);
const faultsOf = async (set: ArchiveStage) => (await seen(set)).faults;
const inLedger = async (set: ArchiveStage) =>
  (await readFile(set.ledger.file, 'utf8').catch(() => ''))
    .split('\n')
    .filter((line) => typeOfSigned(line) === headType);
const contents = async (set: ArchiveStage) =>
  Promise.all((await set.catalogue.chainHeads.list()).map(async ({ jws }) => (await readHead(jws)).content));

/** A line in the audit trail of a recording, and a retention pass a day later. */
async function aDay(set: Stage, id: Awaited<ReturnType<typeof archivedCall>>['id']) {
  await set.catalogue.auditTrail.append(id, { event: 'something', actor: 'test' });
  set.clock.at += dayMs;

  return erasePass(set);
}

const copyOf = (set: Stage, name: string): string => {
  const file = `${set.folder}/${name}.db`;
  const database = openSqlite(`${set.folder}/catalogue.db`);
  database.exec(`VACUUM INTO '${file}'`);
  database.close();

  return file;
};

async function restored(set: Stage, from: string): Promise<Stage> {
  const file = `${set.folder}/restored-${(stages += 1)}.db`;
  await copyFile(from, file);

  return { ...set, catalogue: open(file, set.clock) };
}

function meddle(set: Stage, sql: string): void {
  const database = openSqlite(`${set.folder}/catalogue.db`);
  database.exec(`DROP TRIGGER IF EXISTS audit_is_append_only_1; DROP TRIGGER IF EXISTS audit_is_append_only_2; ${sql}`);
  database.close();
}

describe('the head of the audit trail', () => {
  test('is signed by each retention pass, unless it was, and put into ledger and archive; it names nobody', async () => {
    const set = await stage();
    expect(await erasePass(set)).toMatchObject({ head: 'kept' });
    expect(await set.catalogue.chainHeads.list()).toEqual([]);
    const { id } = await archivedCall(set);
    expect(await erasePass(set, { dryRun: true })).toMatchObject({ head: 'unsigned' });
    expect(await aDay(set, id)).toMatchObject({ head: 'kept' });
    expect(await aDay(set, id)).toMatchObject({ head: 'kept' });
    expect(await erasePass(set)).toMatchObject({ head: 'kept' });
    const [one, two] = await set.catalogue.chainHeads.list();
    const trail = await set.catalogue.auditTrail.of(id);
    expect(await contents(set)).toEqual(
      [trail.at(-2), trail.at(-1)].map((line, index) => ({
        head: 1,
        number: index + 1,
        catalogue: expect.any(String) as string,
        signedAt: expect.any(String) as string,
        line: line?.id,
        chain: line?.chain,
        previous: index === 0 ? null : one?.sha256,
        restored: null,
      })),
    );
    expect(await inLedger(set)).toEqual([one?.jws, two?.jws]);
    for (const row of [one, two]) {
      if (row === undefined) throw new Error('no head');
      expect(await readFile(`${set.folder}/archive/${headKey(row)}`, 'utf8')).toBe(row.jws);
    }
    expect(await seen(set)).toMatchObject({ faults: [], newest: { number: 2 }, waiting: { ledger: 0, archive: 0 } });
  });

  test('is signed though nothing may be erased that day, and erasures go on though it cannot be signed', async () => {
    const set = await stage();
    const { id } = await archivedCall(set);
    await set.catalogue.passes.note('restoration', set.clock.now());
    await expect(erasePass(set)).rejects.toMatchObject({ code: 'catalogue_restored' });
    expect(await set.catalogue.chainHeads.list()).toHaveLength(1);
    set.clock.at += 2 * dayMs;
    await set.catalogue.auditTrail.append(id, { event: 'something', actor: 'test' });
    await writeFile(`${set.folder}/signing-key.pem`, 'not a key', { mode: 0o600 });
    expect(await erasePass(set)).toMatchObject({ head: 'signing_key_unusable' });
    expect(set.lines).toContainEqual(
      expect.objectContaining({ level: 'error', code: 'signing_key_unusable' }) as Record<string, unknown>,
    );
    expect(await set.catalogue.chainHeads.list()).toHaveLength(1);
  });

  test('that the archive does not take that day is in the ledger, is told once, and is put there later', async () => {
    const set = await stage();
    const { id } = await archivedCall(set);
    const away = {
      ...set.store,
      putText: () => Promise.reject(new PreavisError('archive_unreachable', 'it does not answer')),
    };
    await set.catalogue.auditTrail.append(id, { event: 'something', actor: 'test' });
    expect(await erasePass({ ...set, store: away })).toMatchObject({ head: 'archive_unreachable' });
    expect(await inLedger(set)).toHaveLength(1);
    expect(await seen(set)).toMatchObject({ faults: [], waiting: { ledger: 0, archive: 1 } });
    const before = set.lines.length;
    const copier = makeHeadCopier(portsOf({ ...set, store: away }));
    for (let passes = 0; passes < 3; passes += 1) await copier();
    expect(set.lines.slice(before)).toMatchObject([{ level: 'error', code: 'archive_unreachable' }]);
    await makeHeadCopier(portsOf(set))();
    expect(await seen(set)).toMatchObject({ faults: [], waiting: { ledger: 0, archive: 0 } });
    expect(await inLedger(set)).toHaveLength(1);
  });

  test('finds its number taken by another process, and takes the next', async () => {
    const set = await stage();
    await archivedCall(set);
    let overtaken = false;
    const catalogue: ArchiveStage['catalogue'] = {
      ...set.catalogue,
      chainHeads: {
        ...set.catalogue.chainHeads,
        keep: async (...given) => {
          if (!overtaken) {
            overtaken = true;
            await signHead(portsOf(set), { by: 'another' });
          }
          return set.catalogue.chainHeads.keep(...given);
        },
      },
    };
    await signHead(portsOf({ ...set, catalogue }), { by: 'this one' });
    await copyHeads(portsOf(set));
    expect((await contents(set)).map(({ restored: said }) => said?.by)).toEqual(['another', 'this one']);
    expect(await faultsOf(set)).toEqual([]);
  });

  test('fits what two processes write at once', async () => {
    const set = await stage();
    const { id } = await archivedCall(set);
    const other = { ...set, catalogue: open(`${set.folder}/catalogue.db`, set.clock) };
    for (let round = 0; round < 20; round += 1) {
      await Promise.all([
        ...[set, other].map(({ catalogue }) =>
          catalogue.auditTrail.append(id, { event: `note ${round}`, actor: 'test' }),
        ),
        signHead(portsOf(round % 2 === 0 ? set : other)),
      ]);
    }
    await copyHeads(portsOf(set));
    expect(await faultsOf(set)).toEqual([]);
    for await (const fault of lineFaults(set.catalogue, never)) throw new Error(fault.fault);
  });

  test('is in clear in an archive that is encrypted', async () => {
    const own = folder.path(`${(stages += 1)}`);
    const plain = await archiveStage(own, open);
    const store = makeEncryptedStore(makeDirectoryStore({ folder: `${own}/archive` }), keyringOf(newKey()));
    const set: Stage = { ...plain, store, folder: own };
    await archivedCall(set);
    await erasePass(set);
    const [head] = await set.catalogue.chainHeads.list();
    if (head === undefined) throw new Error('no head');
    expect(await readFile(`${own}/archive/${headKey(head)}`, 'utf8')).toBe(head.jws);
    expect(await faultsOf(set)).toEqual([]);
  });

  test('of an earlier key counts while that is trusted, and one of nobody never', async () => {
    const set = await stage();
    const { id } = await archivedCall(set);
    await erasePass(set);
    const { kid } = await set.signer();
    await rm(`${set.folder}/signing-key.pem`);
    const trusts = async (named: string) => named === kid || named === (await set.signer()).kid;
    expect(await aDay(set, id)).toMatchObject({ head: 'kept' });
    expect(await seen(set, { trusts })).toMatchObject({ faults: [], newest: { number: 2 } });
    expect(await faultsOf(set)).toEqual([
      `1 head of the audit trail was signed by the key ${kid}, which is not trusted`,
    ]);
    const [last] = (await contents(set)).slice(-1);
    if (last === undefined) throw new Error('no head');
    const forger = await openSigner(`${set.folder}/forged.pem`);
    const forged = await issueHead({ ...last, number: 9, line: 1_000 }, forger);
    await appendFile(set.ledger.file, `${forged.jws}\n`);
    expect(await seen(set, { trusts })).toMatchObject({
      isUnfit: false,
      faults: [`1 head of the audit trail was signed by the key ${forger.kid}, which is not trusted`],
    });
    expect(await replayLedger({ ...portsOf(set), trusts }, { dryRun: false, fromStart: true })).toMatchObject({
      refused: 1,
    });
  });

  test('is removed everywhere when its own time is over, but for the newest, and for what a lock keeps', async () => {
    const set = await stage();
    const { id } = await archivedCall(set);
    for (let days = 0; days < 4; days += 1) await aDay(set, id);
    const [locked, second] = await set.catalogue.chainHeads.list();
    const store = {
      ...set.store,
      erase: (key: string) =>
        key === headKey(locked ?? { number: 0, sha256: '' })
          ? Promise.reject(new PreavisError('archive_locked', 'a lock keeps it'))
          : set.store.erase(key),
    };
    await erasePass({ ...set, store, certificatesKeptMs: 0 });
    const numbers = async () => (await set.catalogue.chainHeads.list()).map(({ number }) => number);
    expect(await numbers()).toEqual([1, 4]);
    expect(await inLedger(set)).not.toContain(second?.jws);
    await erasePass({ ...set, certificatesKeptMs: 0 });
    expect(await numbers()).toEqual([4]);
    expect(await inLedger(set)).toHaveLength(1);
    expect(await readdir(`${set.folder}/archive/certificates/heads`)).toHaveLength(1);
    expect(await faultsOf(set)).toEqual([]);
  });
});

describe('what heads show', () => {
  /** Three days of one recording. */
  async function threeDays(): Promise<Stage & { days: string[] }> {
    const set = await stage();
    const { id } = await archivedCall(set);
    const days: string[] = [];
    for (let day = 0; day < 3; day += 1) {
      await aDay(set, id);
      days.push(copyOf(set, `day-${day}`));
    }
    expect(await seen(set)).toMatchObject({ faults: [], newest: { number: 3 } });

    return { ...set, days };
  }

  test.each<[string, (set: Stage) => unknown, RegExp]>([
    [
      'the newest lines were cut off, with the heads that the catalogue has',
      (set) => {
        meddle(set, 'DELETE FROM audit WHERE id = (SELECT max(id) FROM audit); DELETE FROM chain_heads');
      },
      /^the audit trail ends at line \d+, before what was signed \(head 3, signed .* up to line \d+\)/,
    ],
    ['the ledger lost them', (set) => rm(set.ledger.file), /^head 3 of the audit trail is not in the ledger any more$/],
    [
      'the archive lost them',
      (set) => rm(`${set.folder}/archive/certificates/heads`, { recursive: true }),
      /^head 3 of the audit trail is not in the archive any more$/,
    ],
    [
      'one between two was removed from all places',
      async (set) => {
        const row = (await set.catalogue.chainHeads.list())[1];
        await set.store.erase(headKey(row ?? { number: 0, sha256: '' }));
        await set.ledger.prune((line) => Promise.resolve(line !== row?.jws));
        await set.catalogue.chainHeads.remove(row?.sha256 ?? '');
      },
      /^head 3 of the audit trail does not follow head 1$/,
    ],
    [
      'one in the catalogue was changed',
      (set) => {
        meddle(set, `UPDATE chain_heads SET jws = replace(jws, '.', '.A') WHERE number = 2`);
      },
      /^1 head of the audit trail in the catalogue is not what was signed$/,
    ],
    [
      'something else was written over one that only the archive has',
      async (set) => {
        const [row] = await set.catalogue.chainHeads.list();
        await set.catalogue.chainHeads.remove(row?.sha256 ?? '');
        await rm(set.ledger.file);
        await set.store.putText(headKey(row ?? { number: 0, sha256: '' }), 'x'.repeat(20_000), 'text/plain', never);
      },
      /^1 head of the audit trail in the archive is not what was signed$/,
    ],
  ])('finds that %s', async (_, spoil, fault) => {
    const set = await threeDays();
    await spoil(set);
    expect(await faultsOf(set)).toContainEqual(expect.stringMatching(fault));
  });

  test('a day on which the clock was far behind is no fault, and its head is not taken for an old one', async () => {
    const set = await stage();
    const { id } = await archivedCall(set);
    const kept = { certificatesKeptMs: 365 * dayMs };
    const since = () => set.clock.now() - kept.certificatesKeptMs;
    await aDay({ ...set, ...kept }, id);
    const right = set.clock.at;
    set.clock.at = 0;
    await set.catalogue.auditTrail.append(id, { event: 'something', actor: 'test' });
    await signHead(portsOf(set));
    set.clock.at = right;
    await aDay({ ...set, ...kept }, id);
    await aDay({ ...set, ...kept }, id);
    expect((await contents(set)).map(({ number }) => number)).toEqual([1, 2, 3, 4]);
    expect(await seen(set, { since: since() })).toMatchObject({ faults: [], newest: { number: 4 } });
  });

  test('those in an archive of before are there, until they were moved or removed', async () => {
    const set = await threeDays();
    const store = makeDirectoryStore({ folder: `${set.folder}/archive-2` });
    await mkdir(`${set.folder}/archive-2`);
    expect((await seen(set, { store, former: [set.store] })).faults).toEqual([]);
    expect((await seen(set, { store })).faults).toHaveLength(3);
    await erasePass({ ...set, store: { ...set.store, ...store }, former: [set.store], certificatesKeptMs: 0 });
    expect(await readdir(`${set.folder}/archive/certificates/heads`)).toHaveLength(1);
  });

  test('something else under the name of one shows where they are read, and not where they are only listed', async () => {
    const set = await threeDays();
    const [row] = await set.catalogue.chainHeads.list();
    await writeFile(`${set.folder}/archive/${headKey(row ?? { number: 0, sha256: '' })}`, 'something else');
    expect(await faultsOf(set)).toEqual([
      'head 1 of the audit trail is not in the archive any more',
      '1 head of the audit trail in the archive is not what was signed',
    ]);
    expect((await seen(set, { archiveCopies: 'listed' })).faults).toEqual([]);
    expect(await replayHeads(portsOf(set), { dryRun: false, by: undefined })).toBe('fits');
    expect(await faultsOf(set)).toEqual([]);
  });

  test('those that say that they are of a key of nobody are counted without a look at their signature, which takes long', async () => {
    const set = await threeDays();
    const [last] = (await contents(set)).slice(-1);
    if (last === undefined) throw new Error('no head');
    const forger = await openSigner(`${set.folder}/forged.pem`);
    const { jws } = await issueHead({ ...last, number: 9, line: 1_000 }, forger);
    const [head, content, signature] = jws.split('.');
    const line = (index: number) => `${head}.${content}${index.toString(36).padStart(4, '0')}.${signature}\n`;
    await appendFile(set.ledger.file, Array.from({ length: 100 }, (_, index) => line(index)).join(''));
    expect(await faultsOf(set)).toEqual([
      `100 heads of the audit trail were signed by the key ${forger.kid}, which is not trusted`,
    ]);
  });

  test('those that ledger or archive lost are put back by a replay', async () => {
    const set = await threeDays();
    const lines = await inLedger(set);
    await rm(set.ledger.file);
    await rm(`${set.folder}/archive/certificates/heads`, { recursive: true });
    expect(await replayHeads(portsOf(set), { dryRun: true, by: undefined })).toBe('fits');
    expect(await faultsOf(set)).toHaveLength(6);
    expect(await replayHeads(portsOf(set), { dryRun: false, by: undefined })).toBe('fits');
    expect(await inLedger(set)).toEqual(lines);
    expect(await faultsOf(set)).toEqual([]);
  });

  test('an older catalogue is a fault until somebody says that it was put back on purpose; then it is told for good', async () => {
    const set = await threeDays();
    const older = await restored(set, set.days[0] ?? '');
    expect(await faultsOf(older)).toEqual([
      expect.stringMatching(
        /^the audit trail ends at line \d+, before what was signed \(head 3, .*, and 1 before it\)/,
      ),
    ]);
    // Ledger and archive each show it alone.
    const noLedger = makeLedger(`${set.folder}/none.jsonl`);
    expect((await seen(older, { store: undefined })).faults).toHaveLength(1);
    expect((await seen(older, { ledger: noLedger })).faults.join()).toContain('before what was signed (head 3');
    // Taking them up is not saying why.
    const ports = portsOf(older);
    await replayLedger(ports, { dryRun: false });
    await replayArchive(ports, { dryRun: false });
    expect(await replayHeads(ports, { dryRun: false, by: undefined })).toBe('other');
    expect(await replayHeads(ports, { dryRun: true, by: 'user alice' })).toBe('other');
    expect(await faultsOf(older)).toHaveLength(1);
    expect(await replayHeads(ports, { dryRun: false, by: 'user alice' })).toBe('acknowledged');
    const told = { faults: [], restored: [{ number: 4, by: 'user alice', gone: 2 }], newest: { number: 4 } };
    expect(await seen(older)).toMatchObject(told);
    expect(await replayHeads(ports, { dryRun: false, by: 'user alice' })).toBe('fits');
    // It goes on from there, and what is cut off then shows as before.
    const [{ id } = { id: '' }] = await older.catalogue.recordings.listBeyond('', 1);
    await aDay(older, id as never);
    expect(await seen(older)).toMatchObject({ ...told, newest: { number: 5 } });
    const again = await restored(set, set.days[2] ?? '');
    expect((await faultsOf(again)).join()).toMatch(/the one that was signed \(head 5/);
  });

  test('a backup in which nothing is missing is none that shows', async () => {
    const set = await threeDays();
    expect(await seen(await restored(set, set.days[2] ?? ''))).toMatchObject({ faults: [], restored: [] });
  });

  test('a new catalogue in the place of one that is gone is another one', async () => {
    const set = await threeDays();
    const empty = { ...set, catalogue: open(`${set.folder}/new.db`, set.clock) };
    expect((await faultsOf(empty))[0]).toMatch(/^the audit trail is that of another catalogue than was signed/);
    await replayLedger(portsOf(empty), { dryRun: false });
    expect(await replayHeads(portsOf(empty), { dryRun: false, by: 'user alice' })).toBe('acknowledged');
    expect(await seen(empty)).toMatchObject({ faults: [], restored: [{ number: 4, gone: 3 }] });
  });

  test('says from when on nothing is signed', async () => {
    const set = await threeDays();
    expect((await seen(set)).unsignedSince).toBeUndefined();
    const [{ id } = { id: '' }] = await set.catalogue.recordings.listBeyond('', 1);
    const at = (set.clock.at += dayMs);
    await set.catalogue.auditTrail.append(id as never, { event: 'something', actor: 'test' });
    set.clock.at += dayMs;
    await set.catalogue.auditTrail.append(id as never, { event: 'something', actor: 'test' });
    expect((await seen(set)).unsignedSince).toBe(at);
  });
});
