import { openSqlite } from '../../../../src/catalogue/sqlite/sqlite.ts';
import { defineChain } from '../../../../src/catalogue/sqlite/chain.ts';
import { idOf, insertPolicy, insertRecording, oldCatalogue } from '../../../support/catalogue/catalogueRows.ts';
import { faultsOf } from '../../../support/catalogue/auditTrailContract.ts';
import { catalogues, clockAt } from '../../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import { callStart } from '../../../support/call/calls.ts';
import type { RecordingId } from '../../../../src/core/ids.ts';

/** The schema in which each step of the audit trail had to name a recording. */
const schemaBefore = 29;
const folder = temporaryFolder();
const open = catalogues();
let files = 0;
const newFile = (): string => folder.path(`${(files += 1)}.db`);

const search = { event: 'searched by number', actor: 'user:anna', detail: { found: 2 } };

describe('a step of the audit trail that is of no recording', () => {
  test('cannot be changed unseen', async () => {
    const file = newFile();
    const catalogue = open(file, clockAt(callStart));
    await catalogue.auditTrail.append(null, search);
    const database = openSqlite(file);
    expect(() => database.exec(`UPDATE audit SET actor = 'user:ben'`)).toThrow('append only');
    expect(() => database.exec(`DELETE FROM audit`)).toThrow('append only');
    database.exec(`DROP TRIGGER audit_is_append_only_1; UPDATE audit SET actor = 'user:ben'`);
    database.close();
    expect(await faultsOf(catalogue)).toEqual([': line 1 of the audit trail was changed']);
  });
});

/** A catalogue of that schema, whose audit trail has this many chained lines. */
function before(lines: number): { file: string; id: RecordingId } {
  const file = newFile();
  const old = oldCatalogue(file, schemaBefore);
  defineChain(old);
  insertPolicy(old, 'one', { training: 28 });
  const id = insertRecording(old, { number: 1, status: 'archived', keepUntil: callStart });
  const insert = old.prepare(`
    INSERT INTO audit (at, recording_id, event, actor, detail, chain) VALUES (@at, @id, 'fetched', 'user é', '{"a":1}',
      preavis_link((SELECT chain FROM audit ORDER BY id DESC LIMIT 1), @at, @id, 'fetched', NULL, NULL, 'user é', '{"a":1}'))`);
  old.exec('BEGIN');
  for (let line = 0; line < lines; line += 1) insert.run({ at: callStart + line, id });
  old.exec('COMMIT');
  old.close();

  return { file, id };
}

describe('the audit trail of an older catalogue', () => {
  test('is what it was, link by link, and goes on from its last one', async () => {
    const { file, id } = before(3);
    const old = openSqlite(file, { readonly: true });
    const rows = old.prepare('SELECT * FROM audit ORDER BY id').all();
    old.close();
    const catalogue = open(file);
    const now = openSqlite(file, { readonly: true });
    expect(now.prepare('SELECT * FROM audit ORDER BY id').all()).toEqual(rows);
    now.close();
    await catalogue.auditTrail.append(null, search);
    expect((await catalogue.auditTrail.lines(1, 9, 9)).map(({ id: line, recording }) => [line, recording])).toEqual([
      [1, id],
      [2, id],
      [3, id],
      [4, null],
    ]);
    expect(await faultsOf(catalogue)).toEqual([]);
  });

  test('is taken over with lines that name a recording which is not there, and they are still told', async () => {
    const { file } = before(1);
    const old = openSqlite(file);
    old.exec(`PRAGMA foreign_keys = OFF;
      INSERT INTO audit (at, recording_id, event, actor) VALUES (1, '${idOf(7)}', 'forged', 'nobody')`);
    old.close();
    const catalogue = open(file);
    expect(await catalogue.auditTrail.withoutRow(10)).toEqual([idOf(7)]);
    expect(await faultsOf(catalogue)).toEqual([
      `${idOf(7)}: line 2 of the audit trail has no link: it was put in by hand`,
    ]);
  });
});
