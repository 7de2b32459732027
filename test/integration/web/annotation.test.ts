import { buffer } from 'node:stream/consumers';
import { fromBufferPromise } from 'yauzl';
import { parseConfig } from '../../../src/config/load.ts';
import { makeCallerHash } from '../../../src/call/plan/preferences.ts';
import { catalogues } from '../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { actorOf, webStage, webTree, type WebStage } from '../../support/web/webStage.ts';

const folder = temporaryFolder();
const open = catalogues();
const stages: WebStage[] = [];

afterEach(async () => {
  await Promise.all(stages.splice(0).map(({ server }) => server.stop()));
});

async function stage(): Promise<WebStage> {
  const here = await webStage(folder.path(`${Math.random()}`), open);
  stages.push(here);
  here.door.tokens.set('anna', actorOf('coach', { name: 'user:anna' }));
  here.door.tokens.set('bert', actorOf('coach', { name: 'user:bert' }));
  here.door.tokens.set('olga', actorOf('officer', { name: 'user:olga' }));

  return here;
}

type Sent = { status: number; etag: string | null; body: Record<string, unknown> };

async function send(
  here: WebStage,
  who: string,
  method: 'PUT' | 'POST' | 'DELETE',
  path: string,
  { body, seen }: { body?: unknown; seen?: string | null | undefined } = {},
): Promise<Sent> {
  const answer = await here.ask(path, who, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(typeof seen === 'string' ? { 'if-match': seen } : {}),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();

  return {
    status: answer.status,
    etag: answer.headers.get('etag'),
    body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
  };
}

const read = (here: WebStage, id: string, who = 'anna') => here.json(`/recordings/${id}/annotation`, who);

test('tags and a rating are kept, shown in lists and told to the audit trail without their words', async () => {
  const here = await stage();
  const { id } = await here.archived();
  const tagged = await send(here, 'anna', 'PUT', `/recordings/${id}/tags`, {
    seen: '"0"',
    body: { tags: [' Réclamation', 'vip', 'VIP'] },
  });
  expect(tagged).toMatchObject({ status: 200, etag: '"1"', body: { tags: ['réclamation', 'vip'], rating: null } });
  const criteria = [
    { criterion: 'greeting', value: 4 },
    { criterion: 'closing', value: 2 },
  ];
  const rated = await send(here, 'bert', 'PUT', `/recordings/${id}/rating`, { seen: tagged.etag, body: { criteria } });
  // (3/4 + 1/2) / 2
  expect(rated).toMatchObject({ status: 200, etag: '"2"', body: { rating: { score: 63, by: 'user:bert' } } });
  const { recordings } = (await here.json('/recordings', 'anna')) as { recordings: Record<string, unknown>[] };
  expect(recordings[0]).toMatchObject({ tags: ['réclamation', 'vip'], score: 63, collections: [] });
  const steps = (await here.set.catalogue.auditTrail.of(id)).filter(({ event }) => event === 'annotated');
  expect(steps.map(({ actor, detail }) => [actor, detail])).toEqual([
    ['user:anna', { role: 'coach', what: 'tags' }],
    ['user:bert', { role: 'coach', what: 'rating' }],
  ]);
  const taken = await send(here, 'anna', 'DELETE', `/recordings/${id}/rating`, { seen: rated.etag });
  expect(taken.body).toMatchObject({ rating: null, tags: ['réclamation', 'vip'] });
});

test('whoever has not seen what somebody else wrote meanwhile replaces nothing', async () => {
  const here = await stage();
  const { id } = await here.archived();
  const tags = (who: string, words: string[], seen?: string | null) =>
    send(here, who, 'PUT', `/recordings/${id}/tags`, { body: { tags: words }, seen });
  const first = await tags('anna', ['first'], '"0"');
  expect(await tags('bert', ['second'], '"0"')).toMatchObject({ status: 412, body: { code: 'version_conflict' } });
  expect(await tags('bert', ['second'])).toMatchObject({ status: 428, body: { code: 'version_missing' } });
  expect(await tags('bert', ['second'], '*')).toMatchObject({ status: 428 });
  expect(await read(here, id)).toMatchObject({ tags: ['first'], version: 1 });
  expect(await tags('bert', ['second'], first.etag)).toMatchObject({ status: 200, body: { tags: ['second'] } });
});

test('a rating has criteria and values of the form alone', async () => {
  const here = await stage();
  const { id } = await here.archived();
  const rate = (criteria: unknown) =>
    send(here, 'anna', 'PUT', `/recordings/${id}/rating`, { seen: '"0"', body: { criteria } });
  for (const criteria of [
    [],
    [{ criterion: 'closing', value: 4 }],
    [{ criterion: 'constructor', value: 1 }],
    [
      { criterion: 'closing', value: 1 },
      { criterion: 'closing', value: 2 },
    ],
  ]) {
    expect(await rate(criteria)).toMatchObject({ status: 400, body: { code: 'request_invalid' } });
  }
  expect(await here.json('/annotation-form', 'anna')).toMatchObject({
    criteria: [
      { criterion: 'greeting', label: { '*': 'Greeting' }, text: null, points: 5 },
      { criterion: 'closing', label: { en: 'Closing', fr: 'Fin' }, points: 3 },
    ],
    collections: [{ collection: 'exemplary' }, { collection: 'needs-work' }],
  });
});

test('comments stand in the order of their positions, and only who wrote one changes it', async () => {
  const here = await stage();
  const { id, call } = await here.archived();
  const path = `/recordings/${id}/comments`;
  const hostile = "<script>alert(1)</script> \"=cmd|' /C calc'!A0";
  const late = await send(here, 'anna', 'POST', path, { body: { atMs: 900, text: hostile } });
  expect(late).toMatchObject({ status: 201, etag: '"1"', body: { text: hostile, atMs: 900, own: true } });
  await send(here, 'bert', 'POST', path, { body: { atMs: 100, text: 'Early' } });
  await send(here, 'bert', 'POST', path, { body: { atMs: null, text: 'Of the whole' } });
  const comments = (await read(here, id))['comments'] as { text: string; own: boolean }[];
  expect(comments.map(({ text, own }) => [text, own])).toEqual([
    ['Of the whole', false],
    ['Early', false],
    [hostile, true],
  ]);
  const one = `${path}/${String(late.body['id'])}`;
  const changed = { atMs: 800, text: 'Better' };
  expect(await send(here, 'bert', 'PUT', one, { body: changed, seen: late.etag })).toMatchObject({ status: 403 });
  expect(await send(here, 'bert', 'DELETE', one, { seen: late.etag })).toMatchObject({ status: 403 });
  const now = await send(here, 'anna', 'PUT', one, { body: changed, seen: late.etag });
  expect(now).toMatchObject({ status: 200, etag: '"2"', body: changed });
  expect(await send(here, 'anna', 'PUT', one, { body: changed, seen: late.etag })).toMatchObject({ status: 412 });
  expect(await send(here, 'olga', 'DELETE', one, { seen: now.etag })).toMatchObject({ status: 204 });
  expect(await send(here, 'anna', 'DELETE', one, { seen: now.etag })).toMatchObject({ status: 404 });
  expect(await send(here, 'anna', 'POST', path, { body: { atMs: 80_000_000, text: 'Beyond' } })).toMatchObject({
    status: 400,
  });
  const other = await here.archived();
  expect(await send(here, 'olga', 'DELETE', `/recordings/${other.id}/comments/${call}`, { seen: '"1"' })).toMatchObject(
    { status: 404 },
  );
});

test('a collection keeps the order that people give it, and shows each what they may see', async () => {
  const here = await stage();
  const made = [
    await here.archived(),
    await here.archived(),
    await here.archived(),
    await here.archived(['agreement']),
  ];
  const [one = '', two = '', three = '', foreign = ''] = made.map(({ id }) => id as string);
  const place = (who: string, id: string, body: unknown = {}) =>
    send(here, who, 'PUT', `/recordings/${id}/collections/exemplary`, { body });
  for (const id of [one, two, three]) expect(await place('anna', id)).toMatchObject({ status: 204 });
  await place('olga', foreign, { after: one });
  await place('anna', three, { after: null });
  const listed = async (who: string, query = ''): Promise<string[]> => {
    const { recordings } = (await here.json(`/collections/exemplary/recordings${query}`, who)) as {
      recordings: { id: string }[];
    };
    return recordings.map(({ id }) => id);
  };
  expect(await listed('olga')).toEqual([three, one, foreign, two]);
  expect(await listed('anna')).toEqual([three, one, two]);
  // So often that no number is left between two neighbours.
  for (let move = 0; move < 30; move += 1) await place('anna', move % 2 === 0 ? two : one, { after: three });
  expect(await listed('olga')).toEqual([three, one, two, foreign]);
  const page = await here.json('/collections/exemplary/recordings?limit=2', 'anna');
  expect(await listed('anna', `?cursor=${String(page['next'])}`)).toEqual([two]);
  expect(await place('anna', one, { after: made[0]?.call })).toMatchObject({ status: 400 });
  // Whether one that she does not see is in it she does not learn.
  expect(await place('anna', one, { after: foreign })).toMatchObject({ status: 400 });
  expect(await place('anna', foreign)).toMatchObject({ status: 404 });
  expect(await send(here, 'anna', 'DELETE', `/recordings/${one}/collections/exemplary`)).toMatchObject({ status: 204 });
  expect(await listed('anna')).toEqual([three, two]);
  expect((await here.ask('/collections/toString/recordings', 'anna')).status).toBe(400);
  expect((await here.ask('/collections/others/recordings', 'anna')).status).toBe(404);
});

test('calls are found by tag, rating and collection, each combined with any other filter', async () => {
  const here = await stage();
  const [one, other] = [await here.archived(), await here.archived()];
  await send(here, 'anna', 'PUT', `/recordings/${one.id}/tags`, { seen: '"0"', body: { tags: ['vip'] } });
  const criteria = [{ criterion: 'closing', value: 3 }];
  await send(here, 'anna', 'PUT', `/recordings/${other.id}/rating`, { seen: '"0"', body: { criteria } });
  await send(here, 'anna', 'PUT', `/recordings/${other.id}/collections/needs-work`, { body: {} });
  const found = async (query: string): Promise<string[]> =>
    ((await here.json(`/recordings?${query}`, 'anna')) as { recordings: { id: string }[] }).recordings.map(
      ({ id }) => id,
    );
  expect(await found('tag=VIP')).toEqual([one.id]);
  expect(await found('tag=vip&scoreFrom=1')).toEqual([]);
  expect(await found('scoreFrom=100')).toEqual([other.id]);
  expect(await found('scoreTo=99')).toEqual([]);
  expect(await found('collection=needs-work&line=default')).toEqual([other.id]);
  expect(await found('controller=own&direction=incoming')).toEqual([other.id, one.id]);
  expect(await found('controller=acme')).toEqual([]);
});

test('a selection has what was written about each recording, and a person is given what was written about them', async () => {
  const here = await stage();
  const [one, other] = [await here.archived(), await here.archived()];
  await send(here, 'anna', 'PUT', `/recordings/${one.id}/tags`, { seen: '"0"', body: { tags: ['vip'] } });
  const text = '<b>Says her name</b>';
  await send(here, 'anna', 'POST', `/recordings/${one.id}/comments`, { body: { atMs: 300, text } });
  const zipped = async (path: string, body: unknown): Promise<Map<string, string>> => {
    const answer = await here.ask(path, 'olga', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const opened = await fromBufferPromise(Buffer.from(await answer.arrayBuffer()));
    const files = new Map<string, string>();
    for await (const entry of opened.eachEntry()) {
      files.set(entry.fileName, (await buffer(await opened.openReadStreamPromise(entry))).toString());
    }

    return files;
  };
  const selected = await zipped('/selections', { recordings: [one.id, other.id] });
  expect([...selected.keys()].filter((name) => name.endsWith('.notes.json'))).toEqual([`${one.id}.notes.json`]);
  expect(JSON.parse(selected.get(`${one.id}.notes.json`) ?? '')).toMatchObject({
    tags: ['vip'],
    comments: [{ atMs: 300, text, author: 'user:anna' }],
  });
  const hash = makeCallerHash('k'.repeat(32), 'BE')('+32475123456') ?? '';
  await here.set.catalogue.callers.keep({ call: one.call, hash, sealed: null });
  const given = await zipped('/persons/export', { number: '+32475123456', language: 'fr' });
  const index = JSON.parse(given.get('index.json') ?? '') as { calls: { recording: Record<string, unknown> }[] };
  expect(index.calls[0]?.recording).toMatchObject({ tags: ['vip'], comments: [{ atMs: 300, text }] });
  // Who wrote it is not theirs to know.
  expect([...given.values()].join()).not.toContain('anna');
  expect(given.get('index.html')).toContain('&lt;b&gt;Says her name&lt;/b&gt;');
});

test('what was written goes with the recording, and nothing is written about it any more', async () => {
  const here = await stage();
  const { id, call } = await here.archived();
  await send(here, 'anna', 'PUT', `/recordings/${id}/tags`, { seen: '"0"', body: { tags: ['vip'] } });
  await send(here, 'anna', 'POST', `/recordings/${id}/comments`, { body: { atMs: 100, text: 'Says her name' } });
  await send(here, 'anna', 'PUT', `/recordings/${id}/collections/exemplary`, { body: {} });
  const { catalogue } = here.set;
  await catalogue.recordings.move(id, 'archived', 'erased', {}, { event: 'erased', actor: 'test' });
  expect(await catalogue.comments.of(id)).toEqual([]);
  expect(await catalogue.annotations.of(id)).toEqual({ version: 0, tags: [], rating: null });
  expect(await catalogue.collections.of(id)).toEqual([]);
  const late = await send(here, 'olga', 'POST', `/recordings/${id}/comments`, { body: { atMs: 1, text: 'Late' } });
  expect(late).toMatchObject({ status: 410, body: { code: 'recording_gone' } });
  expect(await here.json(`/calls?tag=vip`, 'olga')).toMatchObject({ calls: [] });
  expect((await here.ask(`/calls/${call}`, 'olga')).status).toBe(200);
});

test('a collection of one company has no name and no place for another', async () => {
  const collections = {
    shared: { label: 'Shared' },
    ours: { label: 'Of the house', controllers: ['own'] },
    theirs: { label: 'Complaints about Mr Peeters', controllers: ['acme'] },
  };
  const tree = webTree();
  const config = parseConfig({
    ...tree,
    catalogue: { file: folder.path('companies/catalogue.db') },
    controllers: { acme: { name: 'Acme' } },
    annotation: { collections },
  });
  const here = await webStage(folder.path('companies'), open, { ports: { config } });
  stages.push(here);
  here.door.tokens.set('house', actorOf('coach', { controllers: ['own'] }));
  here.door.tokens.set('acme', actorOf('coach', { controllers: ['acme'] }));
  here.door.tokens.set('all', actorOf('coach'));
  const names = async (who: string): Promise<unknown> =>
    ((await here.json('/annotation-form', who)) as { collections: { collection: string }[] }).collections.map(
      ({ collection }) => collection,
    );
  expect(await names('house')).toEqual(['shared', 'ours']);
  expect(await names('acme')).toEqual(['shared', 'theirs']);
  expect(await names('all')).toEqual(['shared', 'ours', 'theirs']);
  const { id } = await here.archived();
  const place = (who: string, collection: string) =>
    send(here, who, 'PUT', `/recordings/${id}/collections/${collection}`, { body: {} });
  expect(await place('house', 'ours')).toMatchObject({ status: 204 });
  for (const who of ['house', 'all']) expect(await place(who, 'theirs')).toMatchObject({ status: 404 });
  expect((await here.ask('/collections/theirs/recordings', 'house')).status).toBe(404);
  expect((await here.ask('/collections/theirs/recordings', 'acme')).status).toBe(200);
  expect(await here.json('/collections/ours/recordings', 'all')).toMatchObject({ recordings: [{ id }] });
});
