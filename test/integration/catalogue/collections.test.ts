import { openSqlite } from '../../../src/catalogue/sqlite/sqlite.ts';
import { ulid } from 'ulid';
import { callStart } from '../../support/call/calls.ts';
import { catalogues } from '../../support/catalogue/catalogues.ts';
import { number, subjectStage } from '../../support/evidence/subjects.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();

test('one company can fill a collection for itself alone, and finds its own recordings there', async () => {
  const set = await subjectStage(folder.path('two'), open, undefined, ['acme', 'bolt']);
  const { collections } = set.catalogue;
  const [acme, bolt, own] = [
    await set.called(number, { line: 'acme' }),
    await set.called(number, { line: 'bolt' }),
    await set.called(number),
  ];
  const database = openSqlite(`${set.at}/catalogue.db`);
  database.pragma('foreign_keys = OFF');
  const fill = database.prepare(`
    INSERT INTO collected (recording_id, collection, call_id, controller, position, added_by, added_at)
    VALUES (?, 'exemplary', ?, 'acme', ?, 'user:anna', 0)`);
  database.transaction(() => {
    for (let count = 1; count <= 5_000; count += 1) fill.run(ulid(callStart), ulid(callStart), count * 1_024);
  })();
  database.close();
  const place = (recording: typeof acme.id) =>
    collections.place(
      { recording, collection: 'exemplary', after: undefined, by: 'user:anna', at: 0 },
      { event: 'annotated', actor: 'user:anna' },
    );
  await expect(place(acme.id)).rejects.toMatchObject({ code: 'request_too_large' });
  await place(bolt.id);
  await place(own.id);
  const listed = async (companies: string[] | undefined) =>
    (await collections.list('exemplary', companies, 0, 6_000)).map(({ call }) => call);
  expect(await listed(['bolt'])).toEqual([bolt.call]);
  expect(await listed(['', 'bolt'])).toEqual([bolt.call, own.call]);
  expect(await listed(undefined)).toHaveLength(5_002);
});
