import { writeFile } from 'node:fs/promises';
import { openSqlite } from '../../../src/catalogue/sqlite/sqlite.ts';
import { catalogues } from '../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { report as reportCommand } from '../../../src/cli/commands/report.ts';
import { actorOf, webStage, webTree, type WebStage } from '../../support/web/webStage.ts';

const folder = temporaryFolder();
const open = catalogues();
const stages: WebStage[] = [];

afterEach(async () => {
  await Promise.all(stages.splice(0).map(({ server }) => server.stop()));
});

const first = Date.UTC(2026, 7, 20, 23, 59, 59, 999);
const calls = [
  { at: first, line: 'default', result: 'unrecorded', reason: 'refused' },
  { at: first + 1, line: 'default', result: 'unrecorded', reason: 'refused' },
  { at: first + 2, line: 'default', result: 'unrecorded', reason: 'refused' },
  { at: first + 3, line: 'orders', result: 'unrecorded', reason: 'spool_full' },
  { at: first + 4, line: 'orders', result: 'recorded', reason: null },
  { at: first + 5, line: 'orders', result: 'notConnected', reason: null },
];

test('calls that were not recorded are counted by the day of UTC, the line and the reason, of the time that is asked for', async () => {
  const here = await webStage(folder.path('counted'), open);
  stages.push(here);
  here.door.tokens.set('officer', actorOf('officer'));
  here.door.tokens.set('team', actorOf('officer', { lines: ['orders'] }));
  const database = openSqlite(folder.path('counted/catalogue.db'));
  const insert = database.prepare(
    `INSERT INTO calls (id, started_at, policy_version, asterisk_version, asterisk_node, line, phase, result, reason)
     VALUES (?, ?, 'policy-1', '22', 'node', ?, 'ended', ?, ?)`,
  );
  for (const [index, { at, line, result, reason }] of calls.entries()) {
    insert.run(`01K38DMAJ0000000000000000${index}`, at, line, result, reason);
  }
  database.close();
  const counts = (from: number, to: number): Promise<Record<string, unknown>> =>
    here.json(`/reports/unrecorded?from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}`, 'officer');
  expect(await counts(first, first + 10)).toEqual({
    from: '2026-08-20T23:59:59.999Z',
    to: '2026-08-21T00:00:00.009Z',
    calls: 6,
    unrecorded: [
      { day: '2026-08-20', line: 'default', reason: 'refused', calls: 1 },
      { day: '2026-08-21', line: 'default', reason: 'refused', calls: 2 },
      { day: '2026-08-21', line: 'orders', reason: 'spool_full', calls: 1 },
    ],
    pbxs: [],
  });
  expect(await counts(first + 1, first + 3)).toMatchObject({ calls: 2, unrecorded: [{ calls: 2 }] });
  const refused = [
    await here.ask('/reports/unrecorded', 'team'),
    await here.ask('/reports/unrecorded?from=2026-01-01T00:00:00Z&to=2026-08-01T00:00:00Z', 'officer'),
  ];
  expect(refused.map(({ status }) => status)).toEqual([403, 400]);
});

test('where calls came to several PBXs those not recorded are counted by these, and for each by itself, of the companies that one counts', async () => {
  const here = await webStage(folder.path('pbxs'), open);
  stages.push(here);
  here.door.tokens.set('officer', actorOf('officer'));
  here.door.tokens.set('acme', actorOf('officer', { controllers: ['acme'] }));
  const database = openSqlite(folder.path('pbxs/catalogue.db'));
  const insert = database.prepare(
    `INSERT INTO calls (id, started_at, policy_version, asterisk_version, asterisk_node, line, phase, result, reason, pbx, controller)
     VALUES (?, ?, 'policy-1', '22', 'node', ?, 'ended', ?, ?, ?, ?)`,
  );
  const came = [
    ['north', 'acme'],
    ['north', null],
    ['south', null],
    ['south', null],
    ['south', null],
    [null, null],
  ] as const;
  for (const [index, { at, line, result, reason }] of calls.entries()) {
    insert.run(`01K38DMAJ0000000000000000${index}`, at, line, result, reason, ...(came[index] ?? []));
  }
  database.close();
  const counts = (query: string, who = 'officer'): Promise<Record<string, unknown>> =>
    here.json(
      `/reports/unrecorded?from=${new Date(first).toISOString()}&to=${new Date(first + 10).toISOString()}&${query}`,
      who,
    );
  expect(await counts('')).toMatchObject({
    calls: 6,
    pbxs: [
      { pbx: 'north', calls: 2 },
      { pbx: 'south', calls: 2 },
    ],
  });
  expect(await counts('pbx=south')).toMatchObject({
    calls: 3,
    unrecorded: [
      { day: '2026-08-21', line: 'default', reason: 'refused', calls: 1 },
      { day: '2026-08-21', line: 'orders', reason: 'spool_full', calls: 1 },
    ],
    pbxs: [],
  });
  // A PBX without a call of theirs may be that of others.
  expect(await counts('controller=acme', 'acme')).toMatchObject({
    calls: 1,
    pbxs: [{ pbx: 'north', calls: 1 }],
  });
  expect(await counts('controller=acme&pbx=north', 'acme')).toMatchObject({ calls: 1, unrecorded: [{ calls: 1 }] });
  expect(await counts('controller=own&pbx=north')).toMatchObject({ calls: 1, unrecorded: [{ calls: 1 }] });
  for (const pbx of ['south', 'nowhere']) {
    expect(await counts(`controller=acme&pbx=${pbx}`, 'acme')).toMatchObject({ calls: 0, unrecorded: [], pbxs: [] });
  }
  expect((await here.ask('/reports/unrecorded?pbx=North', 'officer')).status).toBe(400);
});

test('the report of a month is that of the command, and each company has its own', async () => {
  const here = await webStage(folder.path('month'), open);
  stages.push(here);
  here.door.tokens.set('officer', actorOf('officer'));
  here.door.tokens.set('acme', actorOf('officer', { controllers: ['acme'] }));
  here.door.tokens.set('team', actorOf('officer', { lines: ['orders'] }));
  await here.archived();
  const { clock, config } = here.ports;
  const configFile = folder.path('month/preavis.yaml');
  await writeFile(configFile, JSON.stringify({ ...webTree(), catalogue: config.catalogue }), { mode: 0o600 });
  const printed: string[] = [];
  const context = { configFile, environment: {}, clock, print: (text: string) => void printed.push(text) };
  await reportCommand(context, { month: '2026-08', json: true });
  const told = await here.json('/report?month=2026-08', 'officer');
  expect(told).toEqual(JSON.parse(printed.join('\n')));
  expect(told).toMatchObject({ period: { month: '2026-08' }, company: null, statuses: { archived: 1 } });
  expect(await here.json('/report?month=2026-08&controller=own', 'officer')).toMatchObject({ company: 'own' });
  const status = async (query: string, who: string): Promise<number> =>
    (await here.ask(`/report?${query}`, who)).status;
  expect(await status('month=2026-08', 'team')).toBe(403);
  expect(await status('month=2026-08', 'acme')).toBe(403);
  expect(await status('month=2026-08&controller=own', 'acme')).toBe(403);
  for (const query of ['month=2026-13', 'month=august', 'month=2099-01', 'controller=acme', 'day=2026-08-01']) {
    expect([query, await status(query, 'officer')]).toEqual([query, 400]);
  }
});
