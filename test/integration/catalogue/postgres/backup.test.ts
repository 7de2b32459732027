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

test('a catalogue that pg_dump has written and pg_restore has read is the same one, and goes on as it would have', async () => {
  // Of a user who may do nothing else in the server.
  await server.lab().shell(`
    psql --quiet --command="CREATE ROLE plain LOGIN PASSWORD 'plain'" postgres
    for name in one copy; do createdb --owner=plain --encoding=UTF8 --locale=C --template=template0 $name; done`);
  const urlOf = (name: string): string => `postgres://plain:plain@127.0.0.1:${server.lab().port}/${name}`;
  await server.open(urlOf('one'), { installation: 'lab' });
  const before = await open(urlOf('one'));
  for (const event of ['first', 'second', 'third'])
    await before.auditTrail.append(null, { event, actor: 'test', detail: { word: 'ÿ"\\' } });
  await before.passes.note('upload', 1);
  await server.lab().shell(`
    export PGUSER=plain PGPASSWORD=plain
    pg_dump --format=custom one | pg_restore --exit-on-error --single-transaction --dbname=copy`);
  const after = await open(urlOf('copy'));
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
