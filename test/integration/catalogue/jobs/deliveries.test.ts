import { spawn } from 'node:child_process';
import { webhookEvents } from '../../../../src/config/webhookSchema.ts';
import { openCatalogue, type Catalogue } from '../../../../src/catalogue/catalogue.ts';
import type { Subscriber } from '../../../../src/catalogue/jobs/deliveries.ts';
import { makeDeliveries } from '../../../../src/catalogue/jobs/deliveries.ts';
import { openSqlite } from '../../../../src/catalogue/sqlite.ts';
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
  const clock = clockAt(callStart + 200_000);
  const catalogue = openCatalogue(file, clock, { webhooks });
  opened.push(catalogue);

  return { catalogue, clock, file };
}

afterEach(() => {
  for (const catalogue of opened.splice(0)) catalogue.close();
});

const bodies = async (catalogue: Catalogue): Promise<unknown[]> =>
  (await catalogue.deliveries.list(100)).toReversed().map(({ body }) => JSON.parse(body) as unknown);

describe('what is to be told', () => {
  test('is written with the step that it tells of, to each that asked for it', async () => {
    const erasures: Subscriber = { name: 'auditors', events: ['recording.erased'] };
    const { catalogue } = open([crm, erasures]);
    const { id, facts } = await saveCall(catalogue);
    await catalogue.recordings.move(id, 'recording', 'recorded', { keepUntil: callStart + 1_000_000 }, note);
    expect(await catalogue.deliveries.list(10)).toEqual([]);
    await catalogue.recordings.move(id, 'recorded', 'archived', {}, note);
    await catalogue.recordings.move(id, 'archived', 'erased', {}, note);
    const data = {
      recording: id,
      call: facts.id,
      line: 'default',
      purposes: ['training'],
      keepUntil: new Date(callStart + 1_000_000).toISOString(),
      failure: null,
    };
    const timestamp = new Date(callStart + 200_000).toISOString();
    expect(await bodies(catalogue)).toEqual([
      { type: 'recording.archived', timestamp, data: { ...data, status: 'archived' } },
      { type: 'recording.erased', timestamp, data: { ...data, status: 'erased' } },
      { type: 'recording.erased', timestamp, data: { ...data, status: 'erased' } },
    ]);
    const rows = (await catalogue.deliveries.list(10)).toReversed();
    expect(rows.map(({ endpoint }) => endpoint)).toEqual(['crm', 'crm', 'auditors']);
    expect(new Set(rows.map((row) => row.id)).size).toBe(3);
  });

  test.each(['failed', 'lost'] as const)('says that a recording is %s, and why', async (to) => {
    const { catalogue } = open([crm]);
    const { id } = await saveCall(catalogue);
    await catalogue.recordings.move(id, 'recording', to, { failure: 'wav_invalid' }, note);
    expect(await bodies(catalogue)).toMatchObject([
      { type: 'recording.failed', data: { recording: id, status: to, failure: 'wav_invalid' } },
    ]);
  });

  test('is nothing where nobody asked, and nothing piles up', async () => {
    const { catalogue } = open([{ name: 'crm', events: ['hold.set'] }]);
    const { id } = await saveCall(catalogue);
    await catalogue.recordings.move(id, 'recording', 'recorded', {}, note);
    await catalogue.recordings.move(id, 'recorded', 'archived', {}, note);
    expect(await catalogue.deliveries.list(10)).toEqual([]);
  });

  test('is nothing where the step was refused', async () => {
    const { catalogue } = open([crm]);
    const { id } = await saveCall(catalogue);
    await expect(catalogue.recordings.move(id, 'archived', 'erased', {}, note)).rejects.toMatchObject({
      code: 'status_conflict',
    });
    expect(await catalogue.deliveries.list(10)).toEqual([]);
  });

  test('is nothing where another part of the same transaction fails', async () => {
    const { catalogue, file } = open([crm]);
    const { id } = await saveCall(catalogue);
    await catalogue.recordings.move(id, 'recording', 'recorded', {}, note);
    const database = openSqlite(file);
    const deliveries = makeDeliveries(database, () => callStart, [crm]);
    const hold = database.transaction((breaks: boolean) => {
      deliveries.append({ event: 'hold.set', recording: id, hold: 'A-HOLD' });
      if (breaks) throw new Error('broken');
    });
    expect(() => {
      hold.immediate(true);
    }).toThrow('broken');
    expect(await catalogue.deliveries.list(10)).toEqual([]);
    hold.immediate(false);
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

  test('has no number, name or dial string in it', async () => {
    const { catalogue } = open([crm]);
    const { id } = await saveCall(catalogue);
    await catalogue.recordings.move(id, 'recording', 'recorded', {}, note);
    await catalogue.recordings.move(id, 'recorded', 'archived', { objectKey: 'recordings/x.wav' }, note);
    const [body] = (await bodies(catalogue)) as { data: object }[];
    // What may be in it, and nothing else: each of these is an id, a code, a time or a name of the configuration.
    expect(Object.keys(body ?? {})).toEqual(['type', 'timestamp', 'data']);
    const keys = ['recording', 'call', 'status', 'line', 'purposes', 'keepUntil', 'failure'];
    expect(Object.keys(body?.data ?? {})).toEqual(keys);
    expect(JSON.stringify(body)).not.toMatch(/\+?\d{9,12}[^\d:.]|PJSIP|SIP\/|sip:/);
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
  async function archived(count: number) {
    const stage = open([crm]);
    for (let index = 0; index < count; index += 1) {
      const { id } = await saveCall(stage.catalogue);
      await stage.catalogue.recordings.move(id, 'recording', 'recorded', {}, note);
      await stage.catalogue.recordings.move(id, 'recorded', 'archived', {}, note);
    }

    return stage;
  }
  const failure = { code: 'webhook_refused', answer: 500 } as const;

  test('gives of one recording only the first that is due', async () => {
    const { catalogue, clock } = await archived(1);
    const [row] = await catalogue.deliveries.due('crm', clock.at, 10);
    if (row === undefined) throw new Error('nothing is due');
    await catalogue.recordings.move(row.recording as never, 'archived', 'erased', {}, note);
    expect((await catalogue.deliveries.due('crm', clock.at, 10)).map(({ event }) => event)).toEqual([
      'recording.archived',
    ]);
    await catalogue.deliveries.postpone(row.id, clock.at + 1_000, failure);
    expect((await catalogue.deliveries.due('crm', clock.at, 10)).map(({ event }) => event)).toEqual([
      'recording.erased',
    ]);
    // Due again together: in their order again.
    clock.at += 2_000;
    expect((await catalogue.deliveries.due('crm', clock.at, 10)).map(({ event }) => event)).toEqual([
      'recording.archived',
    ]);
  });

  test('gives what was postponed before the clock was put back', async () => {
    const { catalogue, clock } = await archived(1);
    const [row] = await catalogue.deliveries.due('crm', clock.at, 10);
    await catalogue.deliveries.postpone(row?.id ?? '', clock.at + 3_600_000, failure);
    expect(await catalogue.deliveries.endpointsDue(['crm'], clock.at)).toEqual([]);
    clock.at -= 30 * 86_400_000;
    expect(await catalogue.deliveries.endpointsDue(['crm'], clock.at)).toEqual(['crm']);
    expect(await catalogue.deliveries.due('crm', clock.at, 10)).toHaveLength(1);
  });

  test('gives nothing of another endpoint', async () => {
    const { catalogue, clock } = await archived(1);
    expect(await catalogue.deliveries.endpointsDue(['auditors'], clock.at)).toEqual([]);
    expect(await catalogue.deliveries.due('auditors', clock.at, 10)).toEqual([]);
  });

  test('is answered from its indices, however much there is in it', async () => {
    const { file } = await archived(0);
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
