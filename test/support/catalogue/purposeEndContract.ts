import { utimes, writeFile } from 'node:fs/promises';
import { finishRecordings } from '../../../src/archive/finish/finish.ts';
import { spoolFile } from '../../../src/archive/finish/spool.ts';
import { purposesInForce } from '../../../src/archive/purposes.ts';
import { isoTime } from '../../../src/core/clock.ts';
import { retentionPass } from '../../../src/retention/pass.ts';
import { archiveStage } from '../archive/archiving.ts';
import { toneWav } from '../policy/promptFolder.ts';
import { temporaryFolder } from '../temporaryFolder.ts';
import { callEnd, dayMs, idOf, policySql, recordingSql, type RowOptions } from './catalogueRows.ts';
import { withClockOfTest } from './catalogues.ts';
import type { TestDatabase } from './databases.ts';

/** The ends of purposes, of recordings as calls leave them, whatever database keeps them. */
export function purposeEndContract(newDatabase: () => TestDatabase): void {
  const folder = temporaryFolder();
  const signal = new AbortController().signal;
  const keep = { training: 28, agreement: 395 };
  const ends = [
    { purpose: 'training', keepUntil: callEnd + 28 * dayMs },
    { purpose: 'agreement', keepUntil: callEnd + 395 * dayMs },
  ];
  let stages = 0;

  /** A catalogue with these recordings; each is for both purposes unless it says otherwise. */
  async function stage(...rows: RowOptions[]) {
    const database = newDatabase();
    const set = await archiveStage(folder.path(`ends-${(stages += 1)}`), (_file, clock) => database.connect(clock));
    await database.execute([policySql('one', keep), ...rows.map(recordingSql)].join('\n'));
    const { catalogue, clock, spoolFolder } = set;
    clock.at = callEnd;

    return {
      ...set,
      database,
      finish: async (wav = toneWav(440)): Promise<void> => {
        const file = spoolFile(spoolFolder, idOf(1));
        await writeFile(file, wav);
        await utimes(file, callEnd / 1_000, callEnd / 1_000);
        await finishRecordings(set);
      },
      /** The clock of these tests jumps by months: the first pass after that only sees it. */
      retention: async () => {
        await catalogue.passes.note('retention', clock.at);

        return retentionPass({ ...set, catalogue: withClockOfTest(catalogue) }, { dryRun: false, waitMs: 0, signal });
      },
    };
  }

  test('gets an end for each when it is finished, and its own from the last; its receipt has both', async () => {
    const { catalogue, finish, receiptOf } = await stage({ number: 1 });
    await finish();
    expect(await catalogue.recordings.purposeEnds(idOf(1))).toEqual(ends);
    expect(await catalogue.recordings.find(idOf(1))).toMatchObject({
      status: 'recorded',
      keepUntil: callEnd + 395 * dayMs,
    });
    const stated = (id: string, keepDays: number) => ({
      id,
      justification: `why ${id}`,
      legalBasis: 'law',
      keepDays,
      keepUntil: isoTime(callEnd + keepDays * dayMs),
    });
    expect(JSON.parse(await receiptOf(idOf(1)))).toMatchObject({
      purposes: [stated('training', 28), stated('agreement', 395)],
      recording: { keepUntil: isoTime(callEnd + 395 * dayMs) },
    });
  });

  test('gets them also when its file is of no use', async () => {
    const { catalogue, finish } = await stage({ number: 1 });
    await finish(Buffer.from('no WAV'));
    expect(await catalogue.recordings.find(idOf(1))).toMatchObject({
      status: 'failed',
      keepUntil: callEnd + 395 * dayMs,
    });
    expect(await catalogue.recordings.purposeEnds(idOf(1))).toEqual(ends);
  });

  test('is used for each until its end, and erased at the last one', async () => {
    const { catalogue, clock, finish, retention } = await stage({ number: 1 });
    await finish();
    const state = async () => {
      const { erased } = await retention();
      const row = await catalogue.recordings.find(idOf(1));
      const listed = async (purpose: string): Promise<boolean> =>
        (await catalogue.recordings.list({ inForce: { purpose, at: clock.at }, limit: 10 })).length === 1;
      const known = await catalogue.recordings.purposeEnds(idOf(1));

      return {
        erased,
        inForce: purposesInForce(row?.status ?? 'lost', Object.keys(keep), known, clock.at),
        training: await listed('training'),
        agreement: await listed('agreement'),
      };
    };
    const both = { erased: 0, inForce: ['training', 'agreement'], training: true, agreement: true };
    const one = { erased: 0, inForce: ['agreement'], training: false, agreement: true };
    expect(await state()).toEqual(both);
    clock.at = callEnd + 28 * dayMs - 1;
    expect(await state()).toEqual(both);
    clock.at = callEnd + 28 * dayMs;
    expect(await state()).toEqual(one);
    clock.at = callEnd + 395 * dayMs - 1;
    expect(await state()).toEqual(one);
    clock.at = callEnd + 395 * dayMs;
    expect(await state()).toEqual({ erased: 1, inForce: [], training: false, agreement: false });
    expect((await catalogue.recordings.find(idOf(1)))?.status).toBe('erased');
    expect(await catalogue.recordings.purposeEnds(idOf(1))).toEqual(ends);
  });

  test('is not erased while one of its purposes lasts, whatever its own row says', async () => {
    const { clock, database, retention } = await stage({ number: 1, status: 'recorded', keepUntil: callEnd });
    await database.execute(
      `INSERT INTO recording_purposes (recording_id, purpose, keep_until) VALUES ('${idOf(1)}', 'agreement', ${callEnd + dayMs})`,
    );
    expect((await retention()).due).toBe(0);
    clock.at = callEnd + dayMs;
    expect((await retention()).erased).toBe(1);
  });

  test('is listed for none once it was erased before its ends', async () => {
    const { catalogue, finish } = await stage({ number: 1 });
    await finish();
    await catalogue.recordings.move(idOf(1), 'recorded', 'erased', {}, { event: 'erased on request', actor: 'test' });
    const inForce = { purpose: 'agreement', at: callEnd };
    expect(await catalogue.recordings.list({ inForce, limit: 10 })).toEqual([]);
  });

  test('is none where its call was for one, and under way it is listed for that one alone', async () => {
    const purposes = ['training'];
    const { catalogue } = await stage({ number: 1, purposes }, { number: 2, purposes, status: 'discarded' });
    const listed = async (purpose: string): Promise<string[]> =>
      (await catalogue.recordings.list({ inForce: { purpose, at: callEnd }, limit: 10 })).map(({ id }) => id);
    expect(await listed('training')).toEqual([idOf(1)]);
    expect(await listed('agreement')).toEqual([]);
  });
}
