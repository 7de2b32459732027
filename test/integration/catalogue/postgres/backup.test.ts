import { openPostgresCatalogue, type Catalogue } from '../../../../src/catalogue/catalogue.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { chainStart, linkOf } from '../../../../src/core/crypto/hashChain.ts';
import { usePostgres } from '../../../support/catalogue/postgres.ts';

const server = usePostgres();
const opened: Catalogue[] = [];
afterEach(() => {
  for (const catalogue of opened.splice(0)) catalogue.close();
});

async function open(url: string): Promise<Catalogue> {
  const options = { mustExist: true };
  const catalogue = await openPostgresCatalogue({ url, connections: 2, installation: 'lab' }, systemClock, options);
  opened.push(catalogue);

  return catalogue;
}

const nameIn = (url: string): string => new URL(url).pathname.slice(1);

test('a catalogue that pg_dump has written and psql has read is the same one, and goes on as it would have', async () => {
  const url = await server.newDatabase();
  await server.open(url, { installation: 'lab' });
  const before = await open(url);
  for (const event of ['first', 'second', 'third'])
    await before.auditTrail.append(null, { event, actor: 'test', detail: { word: 'ÿ"\\' } });
  await before.passes.note('upload', 1);
  const copy = await server.newDatabase();
  await server
    .lab()
    .shell(`pg_dump ${nameIn(url)} | psql --quiet --set=ON_ERROR_STOP=1 --single-transaction ${nameIn(copy)}`);
  const after = await open(copy);
  expect(await after.file.identity()).toBe(await before.file.identity());
  expect(await after.passes.last('upload')).toBe(1);
  await after.auditTrail.append(null, { event: 'fourth', actor: 'test' });
  const lines = await after.auditTrail.lines(1, 100, 100);
  expect(lines.map(({ id }) => id)).toEqual([1, 2, 3, 4]);
  let link: string = chainStart;
  for (const { chain, digest } of lines) {
    link = linkOf(link, digest);
    expect(chain).toBe(link);
  }
});
