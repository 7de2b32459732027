import { uploadPass } from '../../../src/archive/uploadPass.ts';
import { openCatalogue } from '../../../src/catalogue/catalogue.ts';
import { openSqlite } from '../../../src/catalogue/sqlite/sqlite.ts';
import { retentionPass } from '../../../src/retention/pass.ts';
import { archiveStage } from '../../support/archive/archiving.ts';
import { catalogues, dayMs, recorderEnd } from '../../support/catalogue/catalogues.ts';
import { reconciled } from '../../support/retention/reconciling.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
const never = new AbortController().signal;

test('a recording whose row cannot be read holds up no other, in any pass, and is told once', async () => {
  const at = folder.path('1');
  const set = await archiveStage(at, open);
  const calls = [];
  for (let count = 0; count < 4; count += 1) calls.push(await set.finished());
  const [first, , , last] = calls;
  const handle = openSqlite(`${at}/catalogue.db`);
  // The first and the last: neither the first step of a pass nor its end may depend on them.
  for (const id of [first?.id, last?.id]) handle.prepare(`UPDATE recordings SET flags = 'x' WHERE id = ?`).run(id);
  handle.close();
  const told: string[] = [];
  const catalogue = openCatalogue(`${at}/catalogue.db`, set.clock, {
    unreadable: (id, error) => {
      told.push(id);
      expect(error).toMatchObject({
        code: 'row_unreadable',
        hint: expect.stringContaining('integrity_check') as string,
      });
    },
  });
  try {
    const ports = { ...set, catalogue };
    expect(await uploadPass(ports, { waitMs: 0, signal: never })).toMatchObject({ sent: 2 });
    const { findings } = await reconciled(ports);
    expect(findings.map(({ kind, recording, done }) => [kind, recording, done])).toEqual([
      ['notComparable', first?.id, 'row_unreadable'],
      ['notComparable', last?.id, 'row_unreadable'],
    ]);
    set.clock.at = recorderEnd + 28 * dayMs;
    expect(await retentionPass(ports, { dryRun: false, waitMs: 0, signal: never })).toMatchObject({
      due: 2,
      erased: 2,
    });
    expect(told.toSorted()).toEqual([first?.id, last?.id]);
    expect(await catalogue.recordings.listBeyond('', 1)).toHaveLength(1);
    await expect(catalogue.recordings.list({ limit: 10 })).rejects.toMatchObject({ code: 'row_unreadable' });
  } finally {
    catalogue.close();
  }
});
