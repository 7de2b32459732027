import { makeCallerHash } from '../../../src/call/plan/preferences.ts';
import { openSqlite } from '../../../src/catalogue/sqlite/sqlite.ts';
import { actorOf, webStage, type WebStage } from '../../support/web/webStage.ts';
import { catalogues, dayMs, recorderEnd } from '../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
let stages = 0;
const running: WebStage[] = [];

async function stage(): Promise<WebStage> {
  const made = await webStage(folder.path(`${(stages += 1)}`), open);
  running.push(made);
  for (const role of ['coach', 'legal', 'officer', 'operator', 'auditor', 'admin'] as const) {
    made.door.tokens.set(role, actorOf(role));
  }

  return made;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map(({ server }) => server.stop()));
});

const idsOf = (page: Record<string, unknown>): string[] => (page['calls'] as { id: string }[]).map(({ id }) => id);

test('a list has the calls that somebody may see, the newest first, and goes on where its cursor says', async () => {
  const here = await stage();
  const calls = [await here.archived(), await here.archived(), await here.archived(['agreement'])];
  const newest = calls.map(({ call }) => call).toReversed();
  expect(idsOf(await here.json('/calls', 'officer'))).toEqual(newest);
  // Evidence of an agreement is not for who teaches.
  expect(idsOf(await here.json('/calls', 'coach'))).toEqual(newest.slice(1));
  expect(idsOf(await here.json('/calls', 'legal'))).toEqual(newest.slice(0, 1));
  const first = await here.json('/calls?limit=2', 'officer');
  expect(idsOf(first)).toEqual(newest.slice(0, 2));
  expect(idsOf(await here.json(`/calls?limit=2&cursor=${String(first['next'])}`, 'officer'))).toEqual(newest.slice(2));
  expect(idsOf(await here.json('/calls?purpose=agreement&line=orders', 'officer'))).toEqual(newest.slice(0, 1));
});

test('a list of one PBX has of its calls those that somebody may see, and a cursor of it is of no other list', async () => {
  const here = await stage();
  here.door.tokens.set('acme', actorOf('officer', { controllers: ['acme'] }));
  const calls = [await here.archived(), await here.archived(), await here.archived(), await here.archived()];
  const [first = '', second = '', third = '', fourth = ''] = calls.map(({ call }) => call);
  const database = openSqlite(folder.path(`${stages}/catalogue.db`));
  const came = database.prepare(`UPDATE calls SET pbx = ?, controller = ? WHERE id = ?`);
  came.run('north', 'acme', first);
  came.run('north', null, second);
  came.run('south', 'acme', third);
  came.run('north', 'acme', fourth);
  database.close();
  expect(idsOf(await here.json('/calls?pbx=north', 'officer'))).toEqual([fourth, second, first]);
  const { calls: shown, next } = await here.json('/calls?pbx=north&limit=1', 'acme');
  expect(shown).toMatchObject([{ id: fourth, pbx: 'north', controller: 'acme' }]);
  expect(idsOf(await here.json(`/calls?pbx=north&limit=1&cursor=${String(next)}`, 'acme'))).toEqual([first]);
  expect((await here.ask(`/calls?pbx=south&limit=1&cursor=${String(next)}`, 'acme')).status).toBe(400);
  expect(idsOf(await here.json('/calls?pbx=north&controller=own', 'acme'))).toEqual([]);
  expect(idsOf(await here.json('/calls?pbx=centre', 'officer'))).toEqual([]);
});

test('a call shows who was told when in which words, and what is kept of it', async () => {
  const here = await stage();
  const { call, id } = await here.archived();
  const shown = await here.json(`/calls/${call}`, 'coach');
  expect(shown).toMatchObject({
    call: { id: call, line: 'default', result: 'recorded', recording: { id, status: 'archived', held: false } },
    receipt: {
      receipt: 6,
      told: { party: 'caller', how: 'onArrival' },
      notice: [
        { language: 'fr', verified: true },
        { language: 'fr', verified: true },
      ],
    },
    holds: [],
    certificates: [],
  });
});

test('a call says whether whoever opens it may hear it, and on which grounds they may hold it; to open it is no try to listen', async () => {
  const here = await stage();
  const [training, agreement] = [await here.archived(), await here.archived(['agreement'])];
  const shown = async (call: string, who: string): Promise<unknown> => {
    const { unheard, holdGrounds } = await here.json(`/calls/${call}`, who);

    return { unheard, holdGrounds };
  };
  expect(await shown(training.call, 'coach')).toEqual({ unheard: null, holdGrounds: [] });
  // Its purpose allows no holds, but what the law wants.
  expect(await shown(training.call, 'officer')).toEqual({ unheard: null, holdGrounds: ['authority', 'restriction'] });
  expect(await shown(agreement.call, 'legal')).toEqual({
    unheard: null,
    holdGrounds: ['dispute', 'authority', 'restriction'],
  });
  // No purpose of it names them.
  expect(await shown(agreement.call, 'operator')).toEqual({ unheard: 'access_refused', holdGrounds: [] });
  const events = (await here.set.catalogue.auditTrail.of(agreement.id)).map(({ event }) => event);
  expect(events.filter((event) => event.includes('refused'))).toEqual([]);
  expect((await here.ask(`/recordings/${agreement.id}/audio`, 'operator')).status).toBe(403);
  expect((await here.set.catalogue.auditTrail.of(agreement.id)).at(-1)).toMatchObject({ event: 'listening refused' });
  here.set.clock.at = recorderEnd + 28 * dayMs + 1;
  expect(await shown(training.call, 'officer')).toMatchObject({ unheard: 'purpose_over' });
});

test('what is out of scope, not theirs any more, or made up is not there, and nobody learns which', async () => {
  const here = await stage();
  const { call, id } = await here.archived(['agreement']);
  const answers = [
    await here.ask(`/calls/${call}`, 'coach'),
    await here.ask('/calls/01ARZ3NDEKTSV4RRFFQ69G5FAV', 'coach'),
    await here.ask(`/recordings/${id}`, 'coach'),
  ];
  const bodies = await Promise.all(answers.map((each) => each.text()));
  expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
  expect(new Set(bodies).size).toBe(1);
  const { call: theirs } = await here.archived();
  expect((await here.ask(`/calls/${theirs}`, 'coach')).status).toBe(200);
  here.set.clock.at = recorderEnd + 28 * dayMs + 1;
  expect((await here.ask(`/calls/${theirs}`, 'coach')).status).toBe(404);
});

test.each([
  ['a filter that is not known', '/calls?lane=default'],
  ['a line that is no name', `/calls?line=${encodeURIComponent("x' OR 1=1")}`],
  ['a cursor that was made up', '/calls?cursor=bm9uZQ'],
  ['a number that is none', `/calls?dialled=${encodeURIComponent("x' OR 1=1")}`],
  ['a number that no country has', '/calls?dialled=%2B9999999999'],
  ['a page of too many', '/calls?limit=100000'],
  ['a time without a zone', '/calls?from=2026-08-24T10:00:00'],
  ['an id that is a path', `/calls/${encodeURIComponent('../../etc/passwd')}`],
])('%s is refused, with where it is wrong and without what was sent', async (_, path) => {
  const here = await stage();
  const answer = await here.ask(path, 'officer');
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  const body = (await answer.json()) as { code: string; faults: unknown[] };
  expect({ status: answer.status, code: body.code }).toEqual({ status: 400, code: 'request_invalid' });
  expect(body.faults).toHaveLength(1);
  expect(JSON.stringify(body)).not.toMatch(/lane|OR 1|bm9u|100000|passwd|9999/);
});

test('the calls of a number of the company are found by it in any form, by who may see them', async () => {
  const here = await stage();
  const [main, direct] = [await here.archived(), await here.archived(['agreement'])];
  await here.archived();
  await here.set.catalogue.dialled.keep(main.call, '+3225550100');
  await here.set.catalogue.dialled.keep(direct.call, '101');
  for (const form of ['+3225550100', '02 555 01 00', '0032 2/555.01.00', '(02) 555-01-00']) {
    const page = await here.json(`/calls?dialled=${encodeURIComponent(form)}`, 'coach');
    expect(page['calls']).toMatchObject([{ id: main.call, dialled: '+3225550100' }]);
  }
  // Before `+` was written as it must be in an address, it was a space.
  expect(idsOf(await here.json('/calls?dialled=+3225550100', 'officer'))).toEqual([main.call]);
  expect(idsOf(await here.json('/calls?dialled=101', 'officer'))).toEqual([direct.call]);
  expect(idsOf(await here.json('/calls?dialled=101', 'coach'))).toEqual([]);
  expect(idsOf(await here.json('/calls?dialled=025550101', 'officer'))).toEqual([]);
  const { recordings } = await here.json('/recordings?dialled=101', 'officer');
  expect(recordings).toMatchObject([{ id: direct.id, call: { dialled: '101' } }]);
  expect(await here.json(`/calls/${direct.call}`, 'officer')).toMatchObject({ call: { dialled: '101' } });
});

test('the calls of a number are found by its keyed hash, and the trail of each has who has looked', async () => {
  const here = await stage();
  const { call } = await here.archived();
  const number = '+32 475 12 34 56';
  const hash = makeCallerHash('k'.repeat(32), 'BE')(number) ?? '';
  await here.set.catalogue.callers.keep({ call, hash, sealed: null });
  const search = (token: string, wanted: string): Promise<Response> =>
    here.ask('/calls/search', token, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ number: wanted, ground: 'person', reference: 'T-17' }),
    });
  const found = (await (await search('officer', '0475123456')).json()) as Record<string, unknown>;
  expect(idsOf(found)).toEqual([call]);
  expect(idsOf((await (await search('officer', '0475123457')).json()) as Record<string, unknown>)).toEqual([]);
  expect((await search('coach', number)).status).toBe(403);
  const bad = await search('officer', 'nonsense');
  expect(bad.status).toBe(400);
  expect(await bad.text()).not.toContain('nonsense');
  const database = openSqlite(folder.path(`${stages}/catalogue.db`), { readonly: true });
  const steps = database
    .prepare(`SELECT actor, detail FROM audit WHERE event = 'searched by number' ORDER BY id`)
    .all();
  database.close();
  const detail = (found: number): string =>
    JSON.stringify({ role: 'officer', ground: 'person', reference: 'T-17', found });
  expect(steps).toEqual([1, 0].map((found) => ({ actor: 'user:officer', detail: detail(found) })));
});
