import { copyFile, utimes, writeFile } from 'node:fs/promises';
import { finishRecordings } from '../../../src/archive/finish/finish.ts';
import { spoolFile } from '../../../src/archive/finish/spool.ts';
import { uploadPass } from '../../../src/archive/uploadPass.ts';
import { decide } from '../../../src/call/decide/decide.ts';
import { openSqlite } from '../../../src/catalogue/sqlite/sqlite.ts';
import { makeWitnessPass } from '../../../src/receipt/witnessPass.ts';
import { PreavisError } from '../../../src/core/errors.ts';
import { archiveStage } from '../../support/archive/archiving.ts';
import { eventsTo } from '../../support/call/calls.ts';
import { catalogues, recorderEnd, saveCall } from '../../support/catalogue/catalogues.ts';
import { toneWav } from '../../support/policy/promptFolder.ts';
import { lines, reconciled } from '../../support/retention/reconciling.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

/** A recording that only the archive knows the end of may be an hour long, and have to be fetched from far away. */

const folder = temporaryFolder();
const open = catalogues();
let stages = 0;

/** Its catalogue is that of during the call again; `read` has the key of each object that is read from then on. */
async function restored() {
  const path = folder.path(`${(stages += 1)}`);
  const set = await archiveStage(path, open);
  const call = await saveCall(set.catalogue, { until: 'talking' });
  const file = spoolFile(set.spoolFolder, call.id);
  await writeFile(file, toneWav(440));
  await utimes(file, recorderEnd / 1_000, recorderEnd / 1_000);
  const database = openSqlite(`${path}/catalogue.db`);
  database.exec(`VACUUM INTO '${path}/restored.db'`);
  database.close();
  const hangUp = async ({ catalogue } = set): Promise<void> => {
    let { state } = call;
    for (const event of eventsTo('ended', call.facts).slice(-2)) {
      ({ state } = decide(state, event));
      await catalogue.journal.save(state);
    }
  };
  await hangUp();
  await finishRecordings(set);
  await makeWitnessPass({ ...set, celFile: undefined, waitMs: 0, compared: () => undefined })();
  await uploadPass(set, { waitMs: 0, signal: new AbortController().signal });
  await copyFile(`${path}/restored.db`, `${path}/again.db`);
  const read: string[] = [];
  const store: typeof set.store = {
    ...set.store,
    location: set.store.location,
    digest: (key, ...rest) => {
      read.push(key);
      return set.store.digest(key, ...rest);
    },
  };
  const now = { ...set, store, catalogue: open(`${path}/again.db`, set.clock) };
  await hangUp(now);
  const row = await now.catalogue.recordings.find(call.id);
  expect(row?.status).toBe('recording');

  return { set: now, id: call.id, read };
}

test('is read once to be archived again', async () => {
  const { set, id, read } = await restored();
  expect(lines((await reconciled(set)).findings)).toEqual([expect.stringMatching(/^lostObjectFound .* repaired$/)]);
  expect((await set.catalogue.recordings.find(id))?.status).toBe('archived');
  expect(read).toHaveLength(1);
});

test('is read once where it cannot be', async () => {
  const { set, read } = await restored();
  const move = () => Promise.reject(new PreavisError('status_conflict', 'another process was faster'));
  const { findings } = await reconciled({
    ...set,
    catalogue: { ...set.catalogue, recordings: { ...set.catalogue.recordings, move } },
  });
  expect(lines(findings)).toEqual([expect.stringMatching(/^lostObjectFound .* nothing$/)]);
  expect(read).toHaveLength(1);
});
