import { uploadPass } from '../../../src/archive/uploadPass.ts';
import { retentionPass } from '../../../src/retention/pass.ts';
import { archiveStage } from '../archive/archiving.ts';
import { reconciled } from '../retention/reconciling.ts';
import { temporaryFolder } from '../temporaryFolder.ts';
import { dayMs, recorderEnd, withClockOfTest } from './catalogues.ts';
import type { TestDatabase } from './databases.ts';

/** A row that is damaged, in whatever database, and those beside it. */
export function unreadableRowContract(newDatabase: () => TestDatabase): void {
  const folder = temporaryFolder();
  const never = new AbortController().signal;

  test('a recording whose row cannot be read holds up no other, in any pass, and is told once', async () => {
    const database = newDatabase();
    const set = await archiveStage(folder.path('unreadable'), (_file, clock) => database.connect(clock));
    const calls = [];
    for (let count = 0; count < 4; count += 1) calls.push(await set.finished());
    const [first, , , last] = calls;
    // The first and the last: neither the first step of a pass nor its end may depend on them.
    for (const id of [first?.id, last?.id])
      await database.execute(`UPDATE recordings SET flags = 'x' WHERE id = '${id ?? ''}'`);
    const told: string[] = [];
    const catalogue = await database.connect(set.clock, [], undefined, (id, error) => {
      told.push(id);
      expect(error).toMatchObject({
        code: 'row_unreadable',
        hint: expect.stringContaining('integrity_check') as string,
      });
    });
    const ports = { ...set, catalogue: withClockOfTest(catalogue) };
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
  });
}
