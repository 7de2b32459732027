import { appendFile, copyFile, cp, readFile, rm, writeFile } from 'node:fs/promises';
import { openSqlite } from '../../../../src/catalogue/sqlite/sqlite.ts';
import { makeIds } from '../../../../src/core/ids.ts';
import { openSigner, typeOfSigned } from '../../../../src/core/crypto/signing.ts';
import { isoTime } from '../../../../src/core/clock.ts';
import { PreavisError } from '../../../../src/core/errors.ts';
import {
  certificateKey,
  issueCertificate,
  readCertificate,
  type Certificate,
} from '../../../../src/retention/certificates/certificate.ts';
import { headPrefix, headType } from '../../../../src/retention/heads/chainHead.ts';
import { copyMissingCertificates, replayArchive, replayLedger } from '../../../../src/retention/certificates/copies.ts';
import { eraseRecording } from '../../../../src/retention/erasure.ts';
import { replayHeads } from '../../../../src/retention/heads/replayHeads.ts';
import { verifyCertificates } from '../../../../src/retention/certificates/verify.ts';
import { archiveStage, type ArchiveStage } from '../../../support/archive/archiving.ts';
import { catalogues, dayMs } from '../../../support/catalogue/catalogues.ts';
import { archivedCall, due, erasePass } from '../../../support/retention/erasing.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
const never = new AbortController().signal;
let stages = 0;

type Stage = ArchiveStage & { folder: string };

async function stage(): Promise<Stage> {
  const own = folder.path(`${(stages += 1)}`);

  return { ...(await archiveStage(own, open)), folder: own };
}

/** As many recordings, archived and then erased. */
async function erased(set: Stage, count: number) {
  const calls = [];
  for (let index = 0; index < count; index += 1) calls.push(await archivedCall(set));
  set.clock.at = due;
  expect(await erasePass(set)).toMatchObject({ due: count, erased: count });

  return calls;
}

const all = (set: ArchiveStage) => set.catalogue.certificates.listBeyond({ number: 0, sha256: '' }, 100);
/** But for heads of the audit trail. */
const ledgerLines = async (set: ArchiveStage) =>
  (await readFile(set.ledger.file, 'utf8').catch(() => ''))
    .split('\n')
    .filter((line) => line !== '' && typeOfSigned(line) !== headType);

function verified(set: ArchiveStage, store: ArchiveStage['store'] | undefined = set.store) {
  const { catalogue, ledger, trusts } = set;

  return verifyCertificates({ catalogue, store, ledger, since: 0, trusts }, { signal: never });
}

/** Of certificates: what heads of the audit trail say is in heads.test.ts. */
const ofCertificates = ({ faults }: Awaited<ReturnType<typeof verified>>) =>
  faults.filter(({ recording }) => recording !== '');

/** Somebody says that the older catalogue was put back on purpose. */
async function acknowledge(set: ArchiveStage): Promise<void> {
  const ports = { ...set, since: 0 };
  expect(await replayHeads(ports, { dryRun: false, by: 'user tester' })).toBe('acknowledged');
}

/** Changes a row behind everybody's back. */
function meddle(set: Stage, sql: string): void {
  const database = openSqlite(`${set.folder}/catalogue.db`);
  database.exec(`DROP TRIGGER IF EXISTS audit_is_append_only_1; DROP TRIGGER IF EXISTS audit_is_append_only_2; ${sql}`);
  database.close();
}

describe('a certificate of erasure', () => {
  test('says what was removed, by which rule, when, and that nothing is left; it names nobody', async () => {
    const set = await stage();
    const call = await archivedCall(set);
    const row = await set.catalogue.recordings.find(call.id);
    set.clock.at = due;
    await erasePass(set);
    const [certificate] = await set.catalogue.certificates.of(call.id);
    const { content, kid } = await readCertificate(certificate?.jws ?? '');
    const at = isoTime(due);
    expect(content).toMatchObject({
      certificate: 1,
      number: 1,
      recording: call.id,
      objects: [
        { key: row?.objectKey, versions: [expect.any(String)] },
        { key: row?.receiptKey, versions: [expect.any(String)] },
      ],
      bytes: call.wav.length,
      sha256: row?.sha256,
      archive: 'directory',
      rule: { kind: 'due', keepUntil: at, purposes: [{ id: 'training', keepUntil: at }] },
      actor: 'test',
      begunAt: at,
      verifiedAt: at,
      verification: { versionsLeft: 0, localFile: 'not there' },
      previous: null,
    });
    expect(kid).toBe((await set.signer()).kid);
    const step = (await set.catalogue.auditTrail.of(call.id)).at(-1);
    expect(step?.detail).toMatchObject({ certificate: { number: 1, sha256: certificate?.sha256 } });
  });

  test('follows the one before it, and is kept in the catalogue, in the ledger and in the archive', async () => {
    const set = await stage();
    await erased(set, 3);
    const rows = await all(set);
    expect(rows.map(({ number }) => number)).toEqual([1, 2, 3]);
    const contents = await Promise.all(rows.map(async ({ jws }) => (await readCertificate(jws)).content));
    expect(contents.map(({ previous }) => previous)).toEqual([null, rows[0]?.sha256, rows[1]?.sha256]);
    expect(await ledgerLines(set)).toEqual(rows.map(({ jws }) => jws));
    for (const row of rows) {
      expect(await readFile(`${set.folder}/archive/${certificateKey(row)}`, 'utf8')).toBe(row.jws);
    }
    expect(rows.every(({ inLedger, inArchive }) => inLedger && inArchive)).toBe(true);
    expect(await verified(set)).toMatchObject({ checked: 3, kids: [(await set.signer()).kid], faults: [] });
  });

  test('is not issued, and nothing is erased, when there is no key to sign it with', async () => {
    const set = await stage();
    const { id } = await archivedCall(set);
    await writeFile(`${set.folder}/signing-key.pem`, 'not a key', { mode: 0o600 });
    set.clock.at = due;
    expect((await erasePass(set)).recordings).toMatchObject([{ id, outcome: 'signing_key_unusable' }]);
    expect((await set.objects()).size).toBe(2);
    expect((await set.catalogue.auditTrail.of(id)).map(({ event }) => event)).not.toContain('erasure begun');
  });

  test('finds its number taken by another process, and takes the next', async () => {
    const set = await stage();
    const [one, two] = [await archivedCall(set), await archivedCall(set)];
    set.clock.at = due;
    let overtaken = false;
    const rowOf = async (id: typeof one.id) => {
      const row = await set.catalogue.recordings.find(id);
      if (row === undefined) throw new Error('no row');
      return row;
    };
    const catalogue: ArchiveStage['catalogue'] = {
      ...set.catalogue,
      certificates: {
        ...set.catalogue.certificates,
        finishErasure: async (...given) => {
          if (!overtaken) {
            overtaken = true;
            const note = { event: 'erased and checked', actor: 'other' };
            const other = { ...given[1], recording: two.id, sha256: 'f'.repeat(64) };
            expect(await set.catalogue.certificates.finishErasure('archived', other, null, note)).toBe(true);
          }
          return set.catalogue.certificates.finishErasure(...given);
        },
      },
    };
    const { number } = await eraseRecording(await rowOf(one.id), { rule: 'due' }, { ...set, catalogue });
    expect(number).toBe(2);
    expect((await set.catalogue.recordings.find(one.id))?.status).toBe('erased');
  });

  test('is removed everywhere when its own time is over, but for the last one', async () => {
    const set = await stage();
    await erased(set, 2);
    set.clock.at = due + dayMs;
    const later = await archivedCall(set, { keepDays: 1 });
    expect(await erasePass(set)).toMatchObject({ erased: 1 });
    set.clock.at = due + 2 * dayMs;
    await erasePass({ ...set, certificatesKeptMs: 1.5 * dayMs });
    const left = await all(set);
    expect(left.map(({ recording }) => recording)).toEqual([later.id]);
    expect(await ledgerLines(set)).toEqual(left.map(({ jws }) => jws));
    const keys: string[] = [];
    for await (const { key } of set.store.list('certificates/')) if (!key.startsWith(headPrefix)) keys.push(key);
    expect(keys).toEqual(left.map(certificateKey));
    const { catalogue, store, ledger, trusts } = set;
    const since = due + dayMs / 2;
    expect(await verifyCertificates({ catalogue, store, ledger, since, trusts }, { signal: never })).toMatchObject({
      checked: 1,
      faults: [],
    });
    await erasePass({ ...set, certificatesKeptMs: 0 });
    expect(await all(set)).toHaveLength(1);
  });
});

describe('the check of certificates', () => {
  test.each<[string, (set: Stage) => void | Promise<void>, RegExp]>([
    [
      'one was changed',
      (set) => {
        meddle(set, `UPDATE certificates SET jws = replace(jws, '.', '.A') WHERE number = 2`);
      },
      /^its signature does not fit it$/,
    ],
    [
      'one was taken out',
      (set) => {
        meddle(set, `DELETE FROM certificates WHERE number = 2`);
      },
      /^it does not follow number 1/,
    ],
    [
      'the last one was taken out',
      (set) => {
        meddle(set, `DELETE FROM certificates WHERE number = 3`);
      },
      /^the audit trail names it, and it is not there$/,
    ],
    ['the ledger was lost', (set) => rm(set.ledger.file), /^it is not in the ledger any more$/],
    [
      'two were exchanged',
      (set) => {
        meddle(set, `UPDATE certificates SET jws = (SELECT jws FROM certificates WHERE number = 1) WHERE number = 2`);
      },
      /^it was exchanged for another one$/,
    ],
    [
      'the audit trail was changed',
      (set) => {
        meddle(set, `UPDATE audit SET chain = '${'0'.repeat(64)}' WHERE event = 'erasure begun'`);
      },
      /^the audit trail is not the one/,
    ],
    [
      'a line of the audit trail says something else',
      (set) => {
        meddle(set, `UPDATE audit SET detail = '{}' WHERE event = 'erasure begun'`);
      },
      /^line \d+ of the audit trail was changed$/,
    ],
    ['a line of the ledger is none', (set) => appendFile(set.ledger.file, 'x\n'), /^line 5 of the ledger is no valid/],
    [
      'an object is back',
      async (set) => {
        const [row] = await all(set);
        const { content } = await readCertificate(row?.jws ?? '');
        await set.store.putText(content.objects[0]?.key ?? '', 'back', 'audio/wav', never);
      },
      /^1 version of recordings\/.* is in the archive again$/,
    ],
  ])('finds that %s', async (_, spoil, fault) => {
    const set = await stage();
    await erased(set, 3);
    expect((await verified(set)).faults).toEqual([]);
    await spoil(set);
    const { faults } = await verified(set);
    expect(faults.map((each) => each.fault)).toContainEqual(expect.stringMatching(fault));
  });

  test('finds those of a key that is not trusted', async () => {
    const set = await stage();
    await erased(set, 1);
    const { kid } = await set.signer();
    const { faults } = await verifyCertificates(
      { ...set, since: 0, trusts: () => Promise.resolve(false) },
      { signal: never },
    );
    expect(faults.map(({ fault }) => fault)).toEqual([
      `1 head of the audit trail was signed by the key ${kid}, which is not trusted`,
      `it was signed by the key ${kid}, which is not trusted`,
    ]);
  });
});

test('lines of a ledger that are none are told one by one up to a limit, and the rest are counted', async () => {
  const set = await stage();
  await erased(set, 1);
  await appendFile(set.ledger.file, 'x\n'.repeat(1_500));
  const { faults } = await verified(set);
  expect(faults).toHaveLength(1_001);
  expect(faults.at(-1)?.fault).toBe('500 more lines of the ledger are not in the catalogue (invalid)');
});

describe('a backup that was restored', () => {
  /** As it was before the erasure. */
  async function backup(set: Stage): Promise<{ catalogue: string; archive: string }> {
    const catalogue = `${set.folder}/backup.db`;
    const database = openSqlite(`${set.folder}/catalogue.db`);
    database.exec(`VACUUM INTO '${catalogue}'`);
    database.close();
    await cp(`${set.folder}/archive`, `${set.folder}/archive-backup`, { recursive: true });

    return { catalogue, archive: `${set.folder}/archive-backup` };
  }

  async function restoredCatalogue(set: Stage, from: string): Promise<Stage> {
    const file = `${set.folder}/restored-${(stages += 1)}.db`;
    await copyFile(from, file);

    return { ...set, catalogue: open(file, set.clock) };
  }

  async function restoreArchive(set: Stage, from: string): Promise<void> {
    await rm(`${set.folder}/archive`, { recursive: true });
    await cp(from, `${set.folder}/archive`, { recursive: true });
  }

  test('of the catalogue does not bring an erased recording back: the next pass reads the ledger', async () => {
    const set = await stage();
    const [call, other] = [await archivedCall(set), await archivedCall(set)];
    const old = await backup(set);
    await set.catalogue.legalHolds.set({
      id: makeIds().hold(),
      recording: other.id,
      ground: 'dispute',
      reason: 'a case',
      author: 'user lawyer',
      reviewAt: due + dayMs,
      expiresAt: due + 300 * dayMs,
    });
    set.clock.at = due;
    expect(await erasePass(set)).toMatchObject({ erased: 1 });
    const [certificate] = await set.catalogue.certificates.of(call.id);
    const restored = await restoredCatalogue(set, old.catalogue);
    expect((await restored.catalogue.recordings.find(call.id))?.status).toBe('archived');
    await expect(erasePass(restored)).rejects.toMatchObject({ code: 'catalogue_restored' });
    expect((await restored.catalogue.recordings.find(call.id))?.status).toBe('erased');
    // The hold is gone: there is a day to set it again.
    expect((await restored.catalogue.recordings.find(other.id))?.status).toBe('archived');
    set.clock.at += dayMs - 1;
    await expect(erasePass(restored)).rejects.toMatchObject({ code: 'catalogue_restored' });
    set.clock.at += 1;
    expect(await erasePass(restored)).toMatchObject({ erased: 1 });
    expect((await all(restored)).map(({ sha256 }) => sha256)).toContain(certificate?.sha256);
    expect((await restored.catalogue.auditTrail.of(call.id)).at(-1)).toMatchObject({
      event: 'erased again by the ledger',
    });
    expect(await ledgerLines(restored)).toHaveLength(2);
    await acknowledge(restored);
    expect((await verified(restored)).faults).toEqual([]);
  });

  test('of the catalogue is a fault for the check of certificates, until they are taken up again', async () => {
    const set = await stage();
    const early = await archivedCall(set, { keepDays: 1 });
    const later = await archivedCall(set, { keepDays: 60 });
    const old = await backup(set);
    set.clock.at = due - 27 * dayMs;
    expect(await erasePass(set)).toMatchObject({ erased: 1 });
    const late = await archivedCall(set);
    set.clock.at = due;
    expect(await erasePass(set, { clockIsRight: true })).toMatchObject({ erased: 1 });
    const restored = await restoredCatalogue(set, old.catalogue);
    const { catalogue, store, ledger, trusts } = restored;
    const faultsSince = async (since: number, more: Partial<typeof restored> = {}) => {
      const ports = { catalogue, store, ledger, trusts, since, ...more };

      return ofCertificates(await verifyCertificates(ports, { signal: never }));
    };
    const fault = 'only the ledger has it: preavis certificates replay mends it';
    expect(await faultsSince(0)).toEqual([
      { number: 1, recording: early.id, fault },
      { number: 2, recording: late.id, fault },
    ]);
    // What is older than certificates are kept may be gone from the catalogue.
    expect(await faultsSince(due - dayMs)).toEqual([{ number: 2, recording: late.id, fault }]);
    const { kid } = await set.signer();
    expect(await faultsSince(due - dayMs, { trusts: () => Promise.resolve(false) })).toEqual([
      {
        number: 2,
        recording: late.id,
        fault: `only the ledger has it, signed by the key ${kid}, which is not trusted`,
      },
    ]);
    await replayLedger(restored, { dryRun: false });
    // What was erased after the backup, and recorded after it, has left no line in this audit trail.
    const otherTrail = 'the audit trail is not the one that it was signed with';
    expect(await faultsSince(0)).toEqual([{ number: 2, recording: late.id, fault: otherTrail }]);
    await acknowledge(restored);
    expect(await faultsSince(0)).toEqual([]);
    // It excuses nothing that was erased after it.
    set.clock.at += 60 * dayMs;
    expect(await erasePass(restored)).toMatchObject({ erased: 1 });
    const database = openSqlite(`${set.folder}/restored-${stages}.db`);
    database.exec('DROP TRIGGER audit_is_append_only_2');
    database.prepare('DELETE FROM audit WHERE recording_id = ?').run(later.id);
    database.close();
    expect(await faultsSince(0)).toContainEqual({
      number: 3,
      recording: later.id,
      fault: otherTrail,
    });
  });

  test('of the catalogue and of the archive at once neither: what lies there is erased again', async () => {
    const set = await stage();
    const call = await archivedCall(set);
    const old = await backup(set);
    set.clock.at = due;
    expect(await erasePass(set)).toMatchObject({ erased: 1 });
    await restoreArchive(set, old.archive);
    const restored = await restoredCatalogue(set, old.catalogue);
    expect((await set.objects()).size).toBe(2);
    expect(await replayLedger(restored, { dryRun: true })).toMatchObject({ certificates: 1 });
    expect((await set.objects()).size).toBe(2);
    const { erasedAgain } = await replayLedger(restored, { dryRun: false });
    expect(erasedAgain).toEqual([call.id]);
    expect((await set.objects()).size).toBe(0);
    expect((await restored.catalogue.recordings.find(call.id))?.status).toBe('erased');
    expect(await replayLedger(restored, { dryRun: false })).toMatchObject({
      certificates: 0,
      erasedAgain: [],
      refused: 0,
    });
  });

  test('of the catalogue with the ledger neither: the archive has the certificates too', async () => {
    const set = await stage();
    const call = await archivedCall(set);
    const old = await backup(set);
    set.clock.at = due;
    expect(await erasePass(set)).toMatchObject({ erased: 1 });
    await rm(set.ledger.file);
    const restored = await restoredCatalogue(set, old.catalogue);
    expect(await replayLedger(restored, { dryRun: false })).toMatchObject({ certificates: 0 });
    expect(ofCertificates(await verified(restored))).toEqual([
      { number: 1, recording: call.id, fault: 'only the archive has it: preavis certificates replay mends it' },
    ]);
    expect((await replayArchive(restored, { dryRun: false })).erasedAgain).toEqual([call.id]);
    expect((await verified(restored)).faults.map(({ fault }) => fault)).not.toContainEqual(
      expect.stringContaining('only the archive'),
    );
    expect((await restored.catalogue.recordings.find(call.id))?.status).toBe('erased');
    await copyMissingCertificates(restored);
    expect(await ledgerLines(restored)).toHaveLength(1);
  });

  test('or a copy that somebody has forged erases nothing: it is of another key, or names objects of others', async () => {
    const set = await stage();
    const [mine, other] = [await archivedCall(set), await archivedCall(set)];
    const forger = await openSigner(`${set.folder}/forged.pem`);
    const content = (objects: string[]): Certificate => ({
      certificate: 1,
      number: 1,
      recording: mine.id,
      objects: objects.map((key) => ({ key, versions: [] })),
      bytes: null,
      sha256: null,
      archive: 'directory',
      rule: { kind: 'subject', article: 'GDPR art. 17' },
      actor: 'serve',
      begunAt: isoTime(due),
      verifiedAt: isoTime(due),
      verification: { versionsLeft: 0, localFile: 'not there' },
      previous: null,
      audit: null,
    });
    const keysOf = async (id: typeof mine.id) => (await set.catalogue.recordings.find(id))?.objectKey ?? '';
    const forged = await issueCertificate(content([await keysOf(mine.id)]), forger);
    const strayed = await issueCertificate(content([await keysOf(other.id)]), await set.signer());
    for (const { jws } of [forged, strayed]) await set.ledger.append(jws);
    await set.store.putText(certificateKey(forged), forged.jws, 'application/jose', never);
    expect(await replayLedger(set, { dryRun: false })).toMatchObject({ certificates: 0, refused: 2 });
    expect(await replayArchive(set, { dryRun: false })).toMatchObject({ certificates: 0, refused: 1 });
    expect((await set.objects()).size).toBe(4);
    expect((await set.catalogue.recordings.find(mine.id))?.status).toBe('archived');
  });

  test.each(['recording', 'lost', 'discarded'] as const)(
    'of the catalogue in which the recording was %s keeps nothing else from being done',
    async (status) => {
      const set = await stage();
      const [early, call] = [await archivedCall(set), await archivedCall(set)];
      const old = await backup(set);
      set.clock.at = due;
      expect(await erasePass(set)).toMatchObject({ erased: 2 });
      const restored = await restoredCatalogue(set, old.catalogue);
      const database = openSqlite(`${set.folder}/restored-${stages}.db`);
      database.prepare(`UPDATE recordings SET status = ? WHERE id = ?`).run(status, early.id);
      database.close();
      const { erasedAgain } = await replayLedger(restored, { dryRun: false });
      expect(erasedAgain.toSorted()).toEqual([early.id, call.id].toSorted());
      const { status: now } = (await restored.catalogue.recordings.find(early.id)) ?? {};
      expect(now).toBe(status === 'discarded' ? 'discarded' : 'erased');
      expect((await restored.catalogue.recordings.find(call.id))?.status).toBe('erased');
    },
  );

  test('of the catalogue in which a hold was not yet released holds nothing of what was erased', async () => {
    const set = await stage();
    const { id } = await archivedCall(set);
    const [expired, lasting] = [makeIds().hold(), makeIds().hold()];
    for (const [hold, expiresAt] of [
      [expired, due - dayMs],
      [lasting, due + 300 * dayMs],
    ] as const) {
      const [ground, reason, author] = ['dispute', 'a case', 'user lawyer'] as const;
      await set.catalogue.legalHolds.set({
        id: hold,
        recording: id,
        ground,
        reason,
        author,
        reviewAt: due - dayMs,
        expiresAt,
      });
    }
    const old = await backup(set);
    set.clock.at = due;
    expect(await erasePass(set)).toMatchObject({ erased: 0, held: 1 });
    await set.catalogue.legalHolds.release(lasting, 'user lawyer');
    expect(await erasePass(set)).toMatchObject({ erased: 1 });
    const restored = await restoredCatalogue(set, old.catalogue);
    const { catalogue } = restored;
    expect(await catalogue.legalHolds.active(due, '', 10)).toMatchObject([{ id: lasting, recording: id }]);
    expect((await replayLedger(restored, { dryRun: false })).erasedAgain).toEqual([id]);
    expect(await catalogue.legalHolds.active(due, '', 10)).toEqual([]);
    expect(await catalogue.certificates.countHeld(due)).toBe(0);
    const month = { from: due - dayMs, to: due + dayMs, at: due, overdueBefore: due };
    expect((await catalogue.figures.read(month, 'erasure failed')).holds.active).toBe(0);
    const released = (await catalogue.legalHolds.of(id)).filter(({ releasedAt }) => releasedAt !== null);
    expect(released).toMatchObject([{ id: lasting, releasedAt: due, releasedBy: 'test' }]);
    expect((await catalogue.auditTrail.of(id)).slice(-2)).toMatchObject([
      { event: 'hold released', actor: 'test', detail: { hold: lasting } },
      { event: 'erased again by the ledger', to: 'erased' },
    ]);
    await acknowledge(restored);
    expect((await verified(restored)).faults).toEqual([]);
  });

  test('with an object that a lock keeps is tried again, and keeps the others from nothing', async () => {
    const set = await stage();
    const [locked, free] = [await archivedCall(set), await archivedCall(set)];
    const old = await backup(set);
    set.clock.at = due;
    expect(await erasePass(set)).toMatchObject({ erased: 2 });
    await restoreArchive(set, old.archive);
    const restored = await restoredCatalogue(set, old.catalogue);
    const store = {
      ...set.store,
      erase: (key: string) =>
        key.includes(locked.id)
          ? Promise.reject(new PreavisError('archive_locked', 'a lock keeps it'))
          : set.store.erase(key),
    };
    const ports = { ...restored, store };
    expect(await replayLedger(ports, { dryRun: false })).toMatchObject({ refused: 1 });
    expect((await restored.catalogue.recordings.find(free.id))?.status).toBe('erased');
    expect((await restored.catalogue.recordings.find(locked.id))?.status).toBe('archived');
    expect((await replayLedger(restored, { dryRun: false })).erasedAgain).toEqual([locked.id]);
    expect((await restored.catalogue.recordings.find(locked.id))?.status).toBe('erased');
  });

  test('with another key counts its certificates once that is trusted again', async () => {
    const set = await stage();
    const call = await archivedCall(set);
    const old = await backup(set);
    set.clock.at = due;
    expect(await erasePass(set)).toMatchObject({ erased: 1 });
    const restored = await restoredCatalogue(set, old.catalogue);
    const distrusting = { ...restored, trusts: () => Promise.resolve(false) };
    expect(await replayLedger(distrusting, { dryRun: false })).toMatchObject({ certificates: 0, refused: 2 });
    expect((await replayLedger(restored, { dryRun: false })).erasedAgain).toEqual([call.id]);
  });

  test('with what is no certificate beside those in the archive counts them all the same', async () => {
    const set = await stage();
    const call = await archivedCall(set);
    const old = await backup(set);
    set.clock.at = due;
    expect(await erasePass(set)).toMatchObject({ erased: 1 });
    for (const key of ['certificates/0', 'certificates/2026/x.jws']) {
      await set.store.putText(key, 'x', 'text/plain', never);
    }
    const restored = await restoredCatalogue(set, old.catalogue);
    expect(await replayArchive(restored, { dryRun: false })).toMatchObject({
      erasedAgain: [call.id],
      refused: 2,
    });
  });

  test('of the ledger, or what a power cut left of its last line, is no certificate; the others count', async () => {
    const set = await stage();
    await erased(set, 2);
    const lines = await ledgerLines(set);
    await writeFile(set.ledger.file, `${lines[0] ?? ''}\nnot a certificate\n${(lines[1] ?? '').slice(0, 40)}`);
    const empty = { ...set, catalogue: open(`${set.folder}/empty.db`, set.clock) };
    expect(await replayLedger(empty, { dryRun: true })).toMatchObject({ certificates: 1, refused: 1 });
    await set.ledger.append('next');
    expect((await ledgerLines(set)).at(-1)).toBe('next');
    await appendFile(set.ledger.file, '\n\n');
    expect(await replayLedger(empty, { dryRun: true })).toMatchObject({ certificates: 1 });
  });
});
