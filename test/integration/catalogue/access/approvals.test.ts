import { openSqlite } from '../../../../src/catalogue/sqlite/sqlite.ts';
import { makeIds } from '../../../../src/core/ids.ts';
import { askedApproval } from '../../../support/catalogue/approvalContract.ts';
import { catalogues, saveCall } from '../../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
const ids = makeIds();

// What does not depend on SQLite stands in approvalContract.ts.
test('its reason goes when the recording is lost, and from the write-ahead log, as that of a removed question does', async () => {
  const file = folder.path('lost.db');
  const catalogue = open(file);
  const { recording, approval } = await askedApproval(catalogue);
  const debts = (): number => {
    const database = openSqlite(file);
    const erased = database.prepare('SELECT erased FROM log_debt').pluck().get() as number;
    database.close();

    return erased;
  };
  const { id: lost } = await saveCall(catalogue);
  const of = await catalogue.approvals.ask({ ...approval, id: ids.approval(), recording: lost });
  const before = debts();
  await catalogue.recordings.move(lost, 'recording', 'lost', {}, { event: 'file not found', actor: 'test' });
  expect(await catalogue.approvals.find(of.id)).toMatchObject({ reason: '' });
  const emptied = debts();
  expect(emptied).toBeGreaterThan(before);
  await catalogue.approvals.sweep(300, 300, 'test');
  expect(await catalogue.approvals.of(recording, 'user:anna')).toEqual([]);
  expect(debts()).toBeGreaterThan(emptied);
});
