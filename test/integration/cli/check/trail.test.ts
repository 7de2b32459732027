/** What `check` says of the audit trail. */
import { rm } from 'node:fs/promises';
import { openSqlite } from '../../../../src/catalogue/sqlite/sqlite.ts';
import { trailFindings } from '../../../../src/cli/check/trail.ts';
import { parseConfig } from '../../../../src/config/load.ts';
import { replayHeads } from '../../../../src/retention/heads/replayHeads.ts';
import { makeServices } from '../../../../src/services/services.ts';
import { addArchives } from '../../../../src/services/store.ts';
import { archiveStage, type ArchiveStage } from '../../../support/archive/archiving.ts';
import { configTree } from '../../../support/call/calls.ts';
import { catalogues, dayMs } from '../../../support/catalogue/catalogues.ts';
import { archivedCall, erasePass } from '../../../support/retention/erasing.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
let stages = 0;

type Stage = ArchiveStage & { folder: string };

async function stage(): Promise<Stage> {
  const own = folder.path(`${(stages += 1)}`);
  const set = { ...(await archiveStage(own, open)), folder: own };
  await archivedCall(set);
  expect(await erasePass(set)).toMatchObject({ head: 'kept' });

  return set;
}

async function found({ folder: own, catalogue, clock, log }: Stage) {
  const config = parseConfig({
    ...configTree(),
    catalogue: { file: `${own}/catalogue.db` },
    archive: { directory: { folder: `${own}/archive` } },
  });

  return trailFindings(await addArchives(makeServices({ config, catalogue, clock, log, actor: 'check' })));
}

function meddle({ folder: own }: Stage, sql: string): void {
  const database = openSqlite(`${own}/catalogue.db`);
  database.exec(`DROP TRIGGER IF EXISTS audit_is_append_only_2; ${sql}`);
  database.close();
}

const check = 'audit trail';
const well = [{ check, ok: true, notes: [] }];

test('a trail that is what was signed is well; one whose end is gone is wrong until somebody says that it was put back', async () => {
  const set = await stage();
  expect(await found(set)).toEqual(well);
  meddle(set, 'DELETE FROM audit WHERE id = (SELECT max(id) FROM audit)');
  expect(await found(set)).toEqual([
    {
      check,
      ok: false,
      code: 'audit_trail_differs',
      problem: expect.stringMatching(/^the audit trail ends at line \d+, before what was signed/) as string,
      hint: expect.stringContaining('preavis certificates replay --restored') as string,
    },
  ]);
  const ports = { ...set, since: 0 };
  await replayHeads(ports, { dryRun: false, by: 'user alice' });
  expect(await found(set)).toEqual([
    {
      check,
      ok: true,
      notes: [expect.stringMatching(/^an older catalogue was put back, says user alice .*; 1 head /)],
    },
  ]);
});

test('a recording that counts as erased without a certificate is wrong', async () => {
  const set = await stage();
  meddle(set, `UPDATE recordings SET status = 'erased'`);
  expect(await found(set)).toMatchObject([
    { ok: false, problem: expect.stringMatching(/^1 recording counts as erased, and no certificate/) as string },
  ]);
});

test('an archive that is away does not keep the ledger from being looked at', async () => {
  const set = await stage();
  await rm(`${set.folder}/archive`, { recursive: true });
  expect(await found(set)).toEqual(well);
  meddle(set, 'DELETE FROM audit WHERE id = (SELECT max(id) FROM audit)');
  expect(await found(set)).toMatchObject([{ ok: false, code: 'audit_trail_differs' }]);
});

test('lines that no head vouches for after two days, and heads that wait, are for people to judge', async () => {
  const set = await stage();
  const [head] = await set.catalogue.chainHeads.list();
  const [row] = await set.catalogue.recordings.listBeyond('', 1);
  if (head === undefined || row === undefined) throw new Error('no head');
  await set.catalogue.auditTrail.append(row.id, { event: 'something', actor: 'test' });
  set.clock.at += 2 * dayMs - 1;
  expect(await found(set)).toEqual(well);
  set.clock.at += 1;
  await set.catalogue.chainHeads.noteCopy(head.sha256, 'archive', false);
  expect(await found(set)).toMatchObject([
    {
      ok: true,
      warning: expect.stringMatching(
        /^no head of it was signed since 2026-.*; 1 signed heads are not yet in the archive; it is tried again/,
      ) as string,
    },
  ]);
});
