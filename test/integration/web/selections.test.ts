import { createHash } from 'node:crypto';
import csv from 'papaparse';
import { writeFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { openPromise } from 'yauzl';
import { catalogues } from '../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { actorOf, webStage, type WebStage } from '../../support/web/webStage.ts';

const folder = temporaryFolder();
const open = catalogues();
const stages: WebStage[] = [];

afterEach(async () => {
  await Promise.all(stages.splice(0).map(({ server }) => server.stop()));
});

async function stage(): Promise<WebStage> {
  const here = await webStage(folder.path(`${Math.random()}`), open);
  stages.push(here);
  here.door.tokens.set('legal', actorOf('legal'));
  here.door.tokens.set('officer', actorOf('officer'));

  return here;
}

const select = (here: WebStage, recordings: readonly string[], token = 'officer'): Promise<Response> =>
  here.ask('/selections', token, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ recordings }),
  });

async function unzipped(zip: Buffer): Promise<Map<string, Buffer>> {
  const file = folder.path(`${Math.random()}.zip`);
  await writeFile(file, zip);
  const opened = await openPromise(file);
  const found = new Map<string, Buffer>();
  for await (const entry of opened.eachEntry()) {
    found.set(entry.fileName, await buffer(await opened.openReadStreamPromise(entry)));
  }

  return found;
}

test('a selection has each WAV as it was recorded, its receipt, and a table of all', async () => {
  const here = await stage();
  const [one, other] = [await here.archived(), await here.archived(['agreement'])];
  const answer = await select(here, [one.id, other.id, one.id]);
  expect(answer.headers.get('content-type')).toBe('application/zip');
  const files = await unzipped(Buffer.from(await answer.arrayBuffer()));
  expect([...files.keys()].sort()).toEqual(
    ['recordings.csv', ...[one, other].flatMap(({ id }) => [`${id}.json`, `${id}.wav`])].sort(),
  );
  for (const { id, wav } of [one, other]) expect(files.get(`${id}.wav`)?.equals(wav)).toBe(true);
  expect(files.get(`${one.id}.json`)?.toString()).toBe(
    await (await here.ask(`/recordings/${one.id}/receipt`, 'officer')).text(),
  );
  const table = csv.parse<Record<string, string>>(files.get('recordings.csv')?.toString() ?? '', {
    header: true,
    skipEmptyLines: true,
  });
  expect(table.data.map(({ recording, sha256 }) => ({ recording, sha256 }))).toEqual(
    [one, other].map(({ id, wav }) => ({ recording: id, sha256: createHash('sha256').update(wav).digest('hex') })),
  );
  expect(table.meta.fields).toContain('pbx');
  const events = (await here.set.catalogue.auditTrail.of(one.id)).map(({ event }) => event);
  expect(events.slice(-2)).toEqual(['download begun', 'downloaded']);
});

test('a selection with a recording that they may not have is refused whole, before a byte of it', async () => {
  const here = await stage();
  const [one, other] = [await here.archived(), await here.archived(['agreement'])];
  expect((await select(here, [other.id, one.id], 'legal')).status).toBe(404);
  expect((await select(here, [other.id, '01ARZ3NDEKTSV4RRFFQ69G5FAV'], 'legal')).status).toBe(404);
  expect((await select(here, [], 'legal')).status).toBe(400);
  expect((await here.set.catalogue.auditTrail.of(other.id)).map(({ event }) => event)).not.toContain('download begun');
});

test('a selection that is refused names the recordings that they may not have, and why', async () => {
  const here = await stage();
  here.door.tokens.set('scoped', actorOf('officer', { lines: ['orders'] }));
  const [one, other] = [await here.archived(), await here.archived(['agreement'])];
  const faultsTo = async (token: string, ids: readonly string[]) =>
    ((await (await select(here, ids, token)).json()) as { faults: unknown }).faults;
  const nobodys = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
  // One that is out of scope is told of as one that there is not.
  expect(await faultsTo('scoped', [one.id, other.id, nobodys])).toEqual([
    { where: 'body.recordings.0', message: 'is none that you may see' },
    { where: 'body.recordings.2', message: 'is none that you may see' },
  ]);
  expect(await faultsTo('scoped', [other.id, one.id, one.id])).toHaveLength(1);
});

test('a selection ends in the middle when its session does, and the ZIP does not open', async () => {
  const here = await stage();
  const [one, other] = [await here.archived(), await here.archived()];
  let asked = 0;
  const known = here.door.actorOf.bind(here.door);
  here.door.actorOf = (credentials) => ((asked += 1) > 2 ? Promise.resolve(undefined) : known(credentials));
  const answer = await select(here, [one.id, other.id]);
  await expect(answer.arrayBuffer()).rejects.toThrow();
  const events = (await here.set.catalogue.auditTrail.of(other.id)).map(({ event }) => event);
  expect(events).not.toContain('download begun');
});
