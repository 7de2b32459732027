import { spawn } from 'node:child_process';
import { webhookEvents } from '../../../../src/config/webhookSchema.ts';
import { openCatalogue, type Catalogue } from '../../../../src/catalogue/catalogue.ts';
import type { Subscriber } from '../../../../src/catalogue/jobs/deliveries.ts';
import { makeDeliveries } from '../../../../src/catalogue/jobs/deliveries.ts';
import { writing, type Step } from '../../../../src/catalogue/sql/step.ts';
import { makeSqliteRunner } from '../../../../src/catalogue/sqlite/runner.ts';
import { openSqlite } from '../../../../src/catalogue/sqlite/sqlite.ts';
import { built } from '../../../support/built.ts';
import { callStart } from '../../../support/call/calls.ts';
import { clockAt, saveCall } from '../../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const note = { event: 'test', actor: 'test' };
const crm: Subscriber = { name: 'crm', events: webhookEvents };
const opened: Catalogue[] = [];
let files = 0;

function open(webhooks: readonly Subscriber[], file = folder.path(`${(files += 1)}.db`)) {
  const catalogue = openCatalogue(file, clockAt(callStart + 200_000), { webhooks });
  opened.push(catalogue);

  return { catalogue, file };
}

afterEach(() => {
  for (const catalogue of opened.splice(0)) catalogue.close();
});

const bodies = async (catalogue: Catalogue): Promise<unknown[]> =>
  (await catalogue.deliveries.list(100)).toReversed().map(({ body }) => JSON.parse(body) as unknown);

// What does not depend on SQLite stands in deliveryContract.ts.
describe('what is to be told', () => {
  test('names the PBX that a call came to, where it has a name', async () => {
    const { catalogue } = open([crm]);
    const named = await saveCall(catalogue, {
      shape: { asterisk: { version: '22.5.2', node: 'one', pbx: 'north' } },
    });
    const other = await saveCall(catalogue, { idsAt: callStart + 1 });
    for (const { id } of [named, other]) {
      await catalogue.recordings.move(id, 'recording', 'failed', { failure: 'wav_broken' }, note);
    }
    const [first, second] = (await bodies(catalogue)) as { data: object }[];
    expect(first).toMatchObject({ type: 'recording.failed', data: { recording: named.id, pbx: 'north' } });
    expect(second?.data).not.toHaveProperty('pbx');
  });

  test('is nothing where another part of the same transaction fails', async () => {
    const { catalogue, file } = open([crm]);
    const { id } = await saveCall(catalogue);
    await catalogue.recordings.move(id, 'recording', 'recorded', {}, note);
    const database = openSqlite(file);
    const run = makeSqliteRunner(database);
    const deliveries = makeDeliveries(() => callStart, [crm]);
    const hold = writing(function* (breaks: boolean): Step<void> {
      yield* deliveries.append({ event: 'hold.set', recording: id, hold: 'A-HOLD' });
      if (breaks) throw new Error('broken');
    });
    expect(() => {
      run(hold(true));
    }).toThrow('broken');
    expect(await catalogue.deliveries.list(10)).toEqual([]);
    run(hold(false));
    database.close();
    expect(await bodies(catalogue)).toMatchObject([
      { type: 'hold.set', data: { recording: id, status: 'recorded', hold: 'A-HOLD' } },
    ]);
  });

  test('or the step is not done: what nobody could be told of has not happened', async () => {
    const { catalogue, file } = open([crm]);
    const { id } = await saveCall(catalogue);
    await catalogue.recordings.move(id, 'recording', 'recorded', {}, note);
    const database = openSqlite(file);
    database.exec(`CREATE TRIGGER full BEFORE INSERT ON deliveries BEGIN SELECT RAISE(ABORT, 'full'); END`);
    database.close();
    await expect(catalogue.recordings.move(id, 'recorded', 'archived', {}, note)).rejects.toMatchObject({
      code: 'catalogue_unusable',
    });
    expect(await catalogue.recordings.find(id)).toMatchObject({ status: 'recorded' });
    expect(await catalogue.auditTrail.of(id)).toHaveLength(2);
  });

  test('survives the killing of the process at once after the step, and only the step', async () => {
    const { catalogue, file } = open([]);
    const { id } = await saveCall(catalogue);
    await catalogue.recordings.move(id, 'recording', 'recorded', {}, note);
    const script = `
      import { openCatalogue } from '${built('catalogue/catalogue.ts')}';
      const webhooks = [{ name: 'crm', events: ['recording.archived', 'recording.erased'] }];
      const catalogue = openCatalogue(${JSON.stringify(file)}, { now: () => 1 }, { webhooks });
      await catalogue.recordings.move(${JSON.stringify(id)}, 'recorded', 'archived', {}, { event: 'test', actor: 'test' });
      process.kill(process.pid, 'SIGKILL');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const signal = await new Promise((resolve) => {
      child.on('exit', (_, by) => {
        resolve(by);
      });
    });
    expect(signal).toBe('SIGKILL');
    expect(await catalogue.recordings.find(id)).toMatchObject({ status: 'archived' });
    expect(await bodies(catalogue)).toMatchObject([{ type: 'recording.archived', data: { recording: id } }]);
  });
});

describe('the table of deliveries', () => {
  test('is answered from its indices, however much there is in it', () => {
    const { file } = open([]);
    const database = openSqlite(file);
    const plan = (sql: string): string =>
      database
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map((row) => (row as { detail: string }).detail)
        .join('\n');
    const due =
      plan(`SELECT * FROM deliveries AS each WHERE endpoint = 'x' AND status = 'waiting' AND (next_attempt_at <= 1
      OR next_attempt_at > 2) AND NOT EXISTS (SELECT 1 FROM deliveries WHERE recording_id = each.recording_id
      AND endpoint = 'x' AND number < each.number AND status = 'waiting') ORDER BY attempts, number LIMIT 50`);
    expect(due).not.toMatch(/SCAN|TEMP B-TREE/);
    expect(
      plan(`SELECT 1 FROM deliveries WHERE endpoint = 'x' AND status = 'waiting' AND next_attempt_at <= 1`),
    ).toMatch(/COVERING INDEX deliveries_by_time \(endpoint=\? AND next_attempt_at<\?\)/);
    database.close();
  });
});
