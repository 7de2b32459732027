import { writeFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { jest } from '@jest/globals';
import { openPromise } from 'yauzl';
import { makeCallerHash } from '../../../src/call/plan/preferences.ts';
import { openSqlite } from '../../../src/catalogue/sqlite/sqlite.ts';
import { erasureBegun } from '../../../src/catalogue/retention/auditTrail.ts';
import { PreavisError } from '../../../src/core/errors.ts';
import { makeCursors } from '../../../src/web/cursor.ts';
import { personRoutes } from '../../../src/web/routes/persons.ts';
import { catalogues, dayMs } from '../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { actorOf, webStage, type WebStage } from '../../support/web/webStage.ts';

const folder = temporaryFolder();
const open = catalogues();
const stages: WebStage[] = [];
const number = '0475 12 34 56';

afterEach(async () => {
  await Promise.all(stages.splice(0).map(({ server }) => server.stop()));
});

async function stage(): Promise<WebStage> {
  const here = await webStage(folder.path(`${Math.random()}`), open);
  stages.push(here);
  here.door.tokens.set('olga', actorOf('officer', { name: 'user:olga' }));
  here.door.tokens.set('lea', actorOf('legal', { name: 'user:lea' }));

  return here;
}

const ask = (here: WebStage, path: string, body: unknown, who = 'olga'): Promise<Response> =>
  here.ask(path, who, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
const post = async (here: WebStage, path: string, body: unknown, who = 'olga') => {
  const answer = await ask(here, path, body, who);

  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
};

async function filesIn(answer: Response): Promise<Map<string, Buffer>> {
  const file = folder.path(`${Math.random()}.zip`);
  await writeFile(file, Buffer.from(await answer.arrayBuffer()));
  const opened = await openPromise(file);
  const found = new Map<string, Buffer>();
  for await (const entry of opened.eachEntry()) {
    found.set(entry.fileName, await buffer(await opened.openReadStreamPromise(entry)));
  }

  return found;
}

test('an officer erases a recording with a reason of the law, and has its certificate', async () => {
  const here = await stage();
  const { id } = await here.archived();
  expect(await here.json(`/recordings/${id}/erasure`, 'olga')).toEqual({ outcome: 'erase', exceptions: [] });
  const erased = await post(here, `/recordings/${id}/erasure`, { ground: 'unlawful', reference: 'T-17' });
  expect(erased).toMatchObject({
    status: 200,
    body: {
      copied: true,
      logEmptied: true,
      certificate: {
        trusted: true,
        // As its trail has it: the certificate itself names no person.
        by: 'user:olga',
        content: {
          actor: 'web',
          recording: id,
          rule: { kind: 'decided', article: 'GDPR art. 17(1)(d)', reference: 'T-17' },
          verification: { versionsLeft: 0 },
        },
      },
    },
  });
  expect([...(await here.set.objects()).keys()]).toEqual([]);
  const begun = (await here.set.catalogue.auditTrail.of(id)).find(({ event }) => event === erasureBegun);
  expect(begun).toMatchObject({ actor: 'user:olga', detail: { rule: 'decided', ground: 'unlawful' } });
  expect((await here.ask(`/recordings/${id}/audio`, 'olga')).status).toBe(410);
  expect(await post(here, `/recordings/${id}/erasure`, { ground: 'unlawful' })).toMatchObject({ status: 410 });
  const certificates = [erased.body['certificate']];
  expect(await here.json(`/recordings/${id}/certificates`, 'olga')).toEqual({ certificates });
  expect(await here.json('/certificates', 'olga')).toEqual({ certificates, next: null });
});

test('of two who erase a recording at the same time one does, and the other is told that it is gone', async () => {
  const here = await stage();
  const { id } = await here.archived();
  const both = await Promise.all([1, 2].map(() => post(here, `/recordings/${id}/erasure`, { ground: 'unlawful' })));
  expect(both.map(({ status }) => status).toSorted()).toEqual([200, 410]);
  const events = (await here.set.catalogue.auditTrail.of(id)).map(({ event }) => event);
  expect(events.filter((event) => event === erasureBegun)).toHaveLength(1);
});

test('what a hold or evidence keeps is not erased, and stays as it is', async () => {
  const here = await stage();
  const { id } = await here.archived(['agreement']);
  expect(await here.json(`/recordings/${id}/erasure`, 'olga')).toMatchObject({
    outcome: 'keep',
    exceptions: [{ ground: 'evidence', purpose: 'agreement', article: 'GDPR art. 17(3)(e)' }],
  });
  expect(await post(here, `/recordings/${id}/erasure`, { ground: 'objection' })).toMatchObject({
    status: 409,
    body: { code: 'erasure_refused', detail: 'it is kept by: evidence (agreement), GDPR art. 17(3)(e)' },
  });
  const until = new Date(here.set.clock.at + 30 * dayMs).toISOString().slice(0, 10);
  await post(here, `/recordings/${id}/holds`, { ground: 'dispute', reason: 'A court asks', until });
  expect(await post(here, `/recordings/${id}/erasure`, { ground: 'objection', includeEvidence: true })).toMatchObject({
    status: 409,
    body: { code: 'erasure_refused' },
  });
  expect((await here.ask(`/recordings/${id}/audio`, 'olga')).status).toBe(200);
  expect(await post(here, `/recordings/${id}/erasure`, { ground: 'because' })).toMatchObject({ status: 400 });
});

test('a bundle of evidence is downloaded whole, and nothing of it is left on the disk', async () => {
  const here = await stage();
  const { id, wav } = await here.archived(['agreement']);
  const answer = await ask(here, `/recordings/${id}/evidence`, {}, 'lea');
  expect(answer.status).toBe(200);
  const files = await filesIn(answer);
  expect(files.get('recording.wav')?.equals(wav)).toBe(true);
  expect([...files.keys()]).toEqual(expect.arrayContaining(['manifest.json', 'receipt.json']));
  const events = (await here.set.catalogue.auditTrail.of(id)).map(({ event, actor }) => [event, actor]);
  expect(events).toContainEqual(['evidence bundled', 'user:lea']);
  expect(await here.leftFiles()).toEqual([]);
  expect((await ask(here, `/recordings/${id}/evidence`, { purpose: 'training' }, 'lea')).status).toBe(400);
});

test('a bundle of evidence tells who may not read the audit trail nothing of who else heard the recording', async () => {
  const here = await stage();
  const { id } = await here.archived(['agreement']);
  await (await here.ask(`/recordings/${id}/audio`, 'olga')).arrayBuffer();
  await ask(here, `/recordings/${id}/evidence`, {}, 'olga');
  const bundleOf = async (who: string) => {
    const answer = await ask(here, `/recordings/${id}/evidence`, {}, who);
    const files = await filesIn(answer);

    return { all: [...files.values()].map(String).join('\n'), page: String(files.get('explanation.en.html')), files };
  };
  const [lawyers, officers] = [await bundleOf('lea'), await bundleOf('olga')];
  expect(officers.all).toContain('user:olga');
  expect(officers.all).toContain('listening begun');
  expect(lawyers.all).not.toContain('user:olga');
  expect(lawyers.all).not.toContain('listening begun');
  const audit = JSON.parse(String(lawyers.files.get('audit.json'))) as { rows: { to: string | null }[] };
  expect(audit.rows.map(({ to }) => to)).toEqual(['recording', 'recorded', 'archived']);
  // It is verified as it is made: the chain is whole, with the digests of what is left out.
  expect(lawyers.page).toContain('may not read');
  expect(officers.page).not.toContain('may not read');
});

const noCredentials = { token: undefined, session: undefined, address: '127.0.0.1' };
const gone = (): AbortSignal => AbortSignal.abort();

const hashOfCaller = makeCallerHash('k'.repeat(32), 'BE')(number) ?? '';

/** Says whose call it was. */
async function called(here: WebStage, call: Awaited<ReturnType<WebStage['archived']>>['call']): Promise<void> {
  await here.set.catalogue.callers.keep({ call, hash: hashOfCaller, sealed: null });
}

test('a person is found, given what is kept of them, and erased with an answer', async () => {
  const here = await stage();
  const [one, other, agreed] = [await here.archived(), await here.archived(), await here.archived(['agreement'])];
  for (const { call } of [one, agreed]) await called(here, call);
  const found = await post(here, '/persons/find', { number, reference: 'DSR-9' });
  const outcomes = (body: Record<string, unknown>) =>
    (body['recordings'] as { id: string; outcome: { kind: string } }[]).map(({ id, outcome }) => [id, outcome.kind]);
  expect(found).toMatchObject({ status: 200, body: { applied: false, calls: 2, keysNotSearched: [] } });
  expect(outcomes(found.body)).toEqual([
    [one.id, 'erase'],
    [agreed.id, 'kept'],
  ]);
  const exported = await ask(here, '/persons/export', { number, language: 'fr' });
  expect([exported.status, exported.headers.get('preavis-calls'), exported.headers.get('preavis-missing')]).toEqual([
    200,
    '2',
    '0',
  ]);
  const files = await filesIn(exported);
  expect([...files.keys()].filter((name) => name.endsWith('.wav'))).toHaveLength(2);
  expect(await here.leftFiles()).toEqual([]);
  const erased = await post(here, '/persons/erase', { number, language: 'nl' });
  expect(erased).toMatchObject({ status: 200, body: { applied: true, logEmptied: true, answer: { language: 'nl' } } });
  expect(outcomes(erased.body)).toEqual([
    [one.id, 'erased'],
    [agreed.id, 'kept'],
  ]);
  expect((erased.body['answer'] as { html: string }).html).toContain('<html lang="nl">');
  expect((await here.json(`/recordings/${other.id}`, 'olga'))['recording']).toMatchObject({ status: 'archived' });
  const { lines } = here.set;
  expect(JSON.stringify(lines)).not.toMatch(/475|12 ?34/);
});

test('what became of a person’s erasure can be read again for 30 days, by officers of that company, with the same answer', async () => {
  const here = await stage();
  const { catalogue } = here.ports;
  here.door.tokens.set('own', actorOf('officer', { name: 'user:own', controllers: ['own'] }));
  here.door.tokens.set('acme', actorOf('officer', { name: 'user:acme', controllers: ['acme'] }));
  const [one, agreed] = [await here.archived(), await here.archived(['agreement'])];
  for (const { call } of [one, agreed]) await called(here, call);
  const { body: erased } = await post(here, '/persons/erase', { number, language: 'nl', reference: 'DSR-9' });
  const path = `/persons/erasures/${String(erased['id'])}`;
  const { logEmptied, ...again } = erased;
  expect(logEmptied).toBe(true);
  expect(await here.json(path, 'olga')).toEqual(again);
  expect(await here.json(path, 'own')).toEqual(again);
  const about = { id: erased['id'], askedBy: 'user:olga', reference: 'DSR-9', controller: 'own' };
  expect(await here.json('/persons/erasures', 'own')).toMatchObject({ erasures: [about] });
  expect(await here.json('/persons/erasures', 'acme')).toEqual({ erasures: [] });
  expect((await here.ask(path, 'acme')).status).toBe(404);
  expect((await here.ask(path, 'lea')).status).toBe(403);
  const database = openSqlite(here.ports.config.catalogue.file);
  const kept = JSON.stringify(database.prepare('SELECT * FROM person_requests').all());
  const read = database.prepare(`SELECT count(*) FROM audit WHERE event = 'answer to person read'`).pluck().get();
  database.close();
  expect(kept).not.toContain(hashOfCaller);
  expect(read).toBe(2);
  here.set.clock.at += 30 * dayMs;
  expect((await here.ask(path, 'olga')).status).toBe(404);
  expect(await here.json('/persons/erasures', 'olga')).toEqual({ erasures: [] });
  await catalogue.askedErasures.sweep(here.set.clock.at);
  expect(await catalogue.askedErasures.requests(undefined, 0, 10)).toEqual([]);
});

test('where the archive does not erase, there is no answer to the person yet', async () => {
  const here = await stage();
  await called(here, (await here.archived()).call);
  jest.spyOn(here.ports.store, 'erase').mockRejectedValue(new PreavisError('archive_unreachable', 'it is away'));
  const { body } = await post(here, '/persons/erase', { number });
  expect(body).toMatchObject({ answer: null, recordings: [{ outcome: { kind: 'failed' } }] });
  const { logEmptied, ...erased } = body;
  expect(logEmptied).toBe(true);
  expect(await here.json(`/persons/erasures/${String(body['id'])}`, 'olga')).toEqual(erased);
});

test('nothing more is looked for a person when whoever asked has left', async () => {
  const here = await stage();
  for (let count = 0; count < 3; count += 1) await called(here, (await here.archived()).call);
  const find = personRoutes().find(({ path }) => path === '/persons/find');
  if (find === undefined || find.act === 'anybody') throw new Error('no such route');
  const look = jest.spyOn(here.ports.catalogue.calls, 'find');
  const pages = makeCursors('a secret of this test').of('persons', 'user:olga', {});
  const asked = {
    params: {},
    query: {},
    headers: {},
    isHead: false,
    credentials: noCredentials,
    signal: gone(),
    pages,
  };
  const actor = actorOf('officer', { name: 'user:olga' });
  const body = { number, includeEvidence: false };
  await expect(find.handle({ ...asked, actor, body }, here.ports)).rejects.toMatchObject({ name: 'AbortError' });
  expect(look.mock.calls.length).toBeLessThanOrEqual(1);
});

test('one company learns nothing of a language that the person has spoken with another', async () => {
  const here = await stage();
  const { catalogue } = here.ports;
  jest.spyOn(catalogue.recordings, 'controllers').mockResolvedValue(['acme']);
  here.door.tokens.set('acme', actorOf('officer', { name: 'user:acme', controllers: ['acme'] }));
  await called(here, (await here.archived()).call);
  await catalogue.preferences.set(hashOfCaller, 'de', here.set.clock.at + dayMs);
  const indexFor = async (controller: string, who: string): Promise<unknown> => {
    const answer = await ask(here, '/persons/export', { number, controller }, who);

    return JSON.parse((await filesIn(answer)).get('index.json')?.toString() ?? '');
  };
  expect(await indexFor('acme', 'acme')).toMatchObject({ language: 'fr', rememberedLanguage: null, calls: [] });
  expect(await indexFor('own', 'olga')).toMatchObject({ rememberedLanguage: 'de' });
  const erased = await post(here, '/persons/erase', { number, controller: 'acme' }, 'acme');
  expect(erased).toMatchObject({ status: 200, body: { calls: 0, answer: { language: 'fr' } } });
});

test('whoever sees a part of the calls answers no person', async () => {
  const here = await stage();
  here.door.tokens.set('some', actorOf('officer', { name: 'user:some', lines: ['default'] }));
  here.door.tokens.set('own', actorOf('officer', { name: 'user:own', controllers: ['own'] }));
  here.door.tokens.set('acme', actorOf('officer', { name: 'user:acme', controllers: ['acme'] }));
  expect(await post(here, '/persons/find', { number }, 'some')).toMatchObject({ status: 403 });
  expect(await post(here, '/persons/find', { number }, 'acme')).toMatchObject({ status: 403 });
  const other = { number, controller: 'bakker' };
  expect(await post(here, '/persons/find', other, 'own')).toMatchObject({ status: 403 });
  expect(await post(here, '/persons/find', { number }, 'own')).toMatchObject({ status: 200, body: { calls: 0 } });
  expect(await post(here, '/persons/find', { number: 'Jan' })).toMatchObject({ status: 400 });
  expect(await post(here, '/persons/find', { number, controller: 'acme' })).toMatchObject({ status: 400 });
});

test('a bundle is not sent where its purpose has ended while it was made, though another one goes on', async () => {
  const here = await stage();
  const { id } = await here.archived(['training', 'agreement']);
  const known = here.door.actorOf.bind(here.door);
  let asked = 0;
  here.door.actorOf = (credentials) => {
    if ((asked += 1) > 1) here.set.clock.at += 29 * dayMs;

    return known(credentials);
  };
  const refused = await ask(here, `/recordings/${id}/evidence`, { purpose: 'training' });
  expect([refused.status, await refused.json()]).toEqual([403, expect.objectContaining({ code: 'purpose_over' })]);
  expect(await here.leftFiles()).toEqual([]);
  expect((await ask(here, `/recordings/${id}/evidence`, { purpose: 'agreement' })).status).toBe(200);
});

test('a bundle is not sent where the session has ended while it was made', async () => {
  const here = await stage();
  const { id } = await here.archived(['agreement']);
  let asked = 0;
  const known = here.door.actorOf.bind(here.door);
  here.door.actorOf = (credentials) => ((asked += 1) > 1 ? Promise.resolve(undefined) : known(credentials));
  expect((await ask(here, `/recordings/${id}/evidence`, {}, 'lea')).status).toBe(401);
  expect(await here.leftFiles()).toEqual([]);
});
