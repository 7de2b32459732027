import { rm, writeFile } from 'node:fs/promises';
import { makeServeMetrics } from '../../../../src/services/metrics.ts';
import { reconcileJob, type Left } from '../../../../src/retention/reconcile/job.ts';
import { archiveStage, type ArchiveStage } from '../../../support/archive/archiving.ts';
import { catalogues } from '../../../support/catalogue/catalogues.ts';
import { archived } from '../../../support/retention/reconciling.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
let stages = 0;
const stage = (): Promise<ArchiveStage> => archiveStage(folder.path(`${(stages += 1)}`), open);
const never = new AbortController().signal;

async function run(set: ArchiveStage): Promise<Left> {
  let counts: Left = {};
  await reconcileJob({ ...set, repairs: set }, never, (left) => {
    counts = left;
  });

  return counts;
}

describe('the comparison that serve makes', () => {
  test('repairs what is proved, and says so', async () => {
    const set = await stage();
    const { id, file, wav } = await archived(set);
    await writeFile(file, wav);
    expect(await run(set)).toEqual({});
    expect(await set.spooled()).toEqual([]);
    expect(set.lines).toContainEqual(expect.objectContaining({ level: 'warn', recording: id, kind: 'localFileLeft' }));
    expect(set.lines.at(-1)).toMatchObject({
      level: 'info',
      repaired: 1,
      left: {},
      recordings: 1,
      msg: 'spool, catalogue and archive consistent',
    });
  });

  test('raises an alarm for what is left to people, without the name of a foreign object', async () => {
    const set = await stage();
    const { id, keys } = await archived(set);
    await rm(`${set.store.location}/${keys.wav}`);
    await writeFile(`${set.store.location}/recordings/janssens-0475123456.wav`, 'x');
    expect(await run(set)).toEqual({ objectMissing: 1, unknownObject: 1 });
    expect(set.lines.slice(-3)).toMatchObject([
      { level: 'error', recording: id, kind: 'objectMissing' },
      { level: 'error', recording: null, kind: 'unknownObject' },
      { level: 'error', repaired: 0, left: { objectMissing: 1, unknownObject: 1 } },
    ]);
    expect(JSON.stringify(set.lines)).not.toMatch(/janssens|0475/);
  });

  test('tells fifty findings one by one and counts the others', async () => {
    const set = await stage();
    await archived(set);
    for (let count = 0; count < 60; count += 1) {
      await writeFile(`${set.store.location}/recordings/${count}.wav`, 'x');
    }
    set.lines.splice(0);
    expect(await run(set)).toEqual({ unknownObject: 60 });
    expect(set.lines).toHaveLength(51);
  });

  test('counts for Prometheus what is left, and no longer what was mended', async () => {
    const metrics = makeServeMetrics([]);
    metrics.reconciled({ objectMissing: 2, unknownObject: 1 });
    metrics.reconciled({ unknownObject: 3 });
    const text = await metrics.text();
    expect(text).toContain('preavis_reconcile_left{kind="unknownObject"} 3');
    expect(text).toContain('preavis_reconcile_left{kind="objectMissing"} 0');
  });
});
