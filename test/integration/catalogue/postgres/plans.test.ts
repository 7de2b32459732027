import type { Pool, PoolClient } from 'pg';
import * as z from 'zod';
import { makeListings } from '../../../../src/catalogue/calls/listings.ts';
import { makeSearch } from '../../../../src/catalogue/calls/search.ts';
import type { CallSearch } from '../../../../src/catalogue/calls/searchConditions.ts';
import { makeFigures } from '../../../../src/catalogue/figures.ts';
import { makePlots } from '../../../../src/catalogue/plots.ts';
import { translate } from '../../../../src/catalogue/postgres/translation.ts';
import { makePromises } from '../../../../src/catalogue/retention/promises.ts';
import { makeTrailSearch, type TrailSearch } from '../../../../src/catalogue/retention/trailSearch.ts';
import type { Query, Step } from '../../../../src/catalogue/sql/step.ts';
import { dayMs } from '../../../../src/core/clock.ts';
import { fillWithCalls, firstOfMany } from '../../../support/catalogue/manyCalls.ts';
import { searches as searchesOfBoth } from '../../../support/catalogue/searchContract.ts';
import { usePostgres } from '../../../support/catalogue/postgres.ts';

/** What lists read among 100,000 calls: as test/integration/catalogue/calls/search.test.ts looks at SQLite's plans. */

const server = usePostgres();
let pool: Pool | undefined;
let end = 0;

beforeAll(async () => {
  const { openPostgres } = await import('../../../../src/catalogue/postgres/open.ts');
  pool = await openPostgres({ url: await server.newDatabase(), statementTimeoutMs: 120_000 });
  await fillWithCalls(pool, 100_000);
  end = firstOfMany + 100_000 * 20_000;
});
afterAll(async () => {
  await pool?.end();
});

/** Of the table of calls there are more than 4,000 pages, of that of recordings as many: one of them is 8 KiB. */
const mostPages = 1_500;
/** Where few of them fit, a page looks at a thousand calls, each in up to three tables, by three or four pages in each. */
const mostPagesOfCandidates = 10_000;
/** So many rows of a table at a time, with those that do not fit: a thousand calls, or all of the few that are held. */
const mostRows = 2_000;

const explained = z
  .tuple([
    z.looseObject({ Plan: z.looseObject({ 'Shared Hit Blocks': z.number(), 'Shared Read Blocks': z.number() }) }),
  ])
  .transform(([{ Plan }]) => ({
    pages: Plan['Shared Hit Blocks'] + Plan['Shared Read Blocks'],
    wide: readWidely(Plan as unknown as Node),
  }));

type Node = {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Rows Removed by Filter'?: number;
  Plans?: Node[];
};

/** Tables of which a step of the plan has read more rows than a page looks at. */
const readWidely = ({ Plans: steps = [], ...node }: Node): string[] => {
  const table = node['Relation Name'];
  const rows = node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0);

  return [
    ...(table !== undefined && rows > mostRows ? [`${node['Node Type']} of ${rows} rows of ${table}`] : []),
    ...steps.flatMap(readWidely),
  ];
};

const literal = (value: unknown): string => {
  if (value === null) return 'NULL';

  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : JSON.stringify(value);
};

let prepared = 0;

/** Too many pages, whatever they are of. */
const byPages = ({ pages }: z.output<typeof explained>): string | undefined =>
  pages > mostPages ? `${pages} pages` : undefined;
/** More than each candidate of a page by itself. */
const byCandidates = ({ pages, wide }: z.output<typeof explained>): string | undefined =>
  pages > mostPagesOfCandidates || wide.length > 0 ? `${pages} pages, ${wide.join(', ')}` : undefined;

/** Carries a step out, and tells which of its statements read more than they may. */
async function costlyIn(client: PoolClient, step: Step<unknown>, faultIn = byPages): Promise<string[]> {
  const costly: string[] = [];
  const ask = async ({ statement, given, want }: Query): Promise<unknown> => {
    const { text, names } = translate(statement.postgres);
    const name = `statement${(prepared += 1)}`;
    const values = names.map((each) => given[each]);
    await client.query(`PREPARE ${name} AS ${text}`);
    const with_ = values.length === 0 ? '' : `(${values.map(literal).join(', ')})`;
    const { rows: plan } = await client.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE ${name}${with_}`,
    );
    const fault = faultIn(explained.parse(JSON.parse(plan[0]?.['QUERY PLAN'] ?? '')));
    if (fault !== undefined) costly.push(`${fault}: ${text}`);
    if (want === 'change') throw new Error('it changes something');
    const { rows } = await client.query<unknown[]>({ text, values, rowMode: 'array' });
    const objects = async () => (await client.query<Record<string, unknown>>(text, values)).rows;

    switch (want) {
      case 'all':
        return objects();
      case 'one':
        return (await objects())[0];
      case 'values':
        return rows.map(([first]) => first);
      case 'value':
        return rows[0]?.[0];
    }
  };
  const run = async (part: Step<unknown>): Promise<unknown> => {
    let next = part.next();
    while (next.done !== true) {
      const asked = next.value;
      next = part.next(asked.kind === 'query' ? await ask(asked) : await run(asked.step));
    }

    return next.value;
  };
  await run(step);

  return costly;
}

/** Those that are asked of both databases, with the values of these calls, and rare ones; `written` is told of by itself below. */
const searches: Readonly<Record<string, CallSearch>> = {
  ...Object.fromEntries(Object.entries(searchesOfBoth).filter(([name]) => name !== 'written')),
  'line, which is rare': { lines: ['rare'] },
  'line that there is not': { lines: ['none'] },
  result: { result: 'unrecorded' },
  caller: { caller: 'k0.77' },
  'failed, which is rare': { status: 'failed' },
  'own calls of the installation': { controllers: [null] },
  'line, reason and language': { lines: ['line-3'], reason: 'refused', language: 'de' },
};
const trails: Readonly<Record<string, TrailSearch>> = {
  all: {},
  event: { event: 'archived' },
  'actor that there is not': { actor: 'nobody' },
  day: { from: firstOfMany + 3 * dayMs, to: firstOfMany + 4 * dayMs },
};

// PostgreSQL plans a statement anew for its values, or once for all of them, as it thinks best after some times.
describe.each(['force_custom_plan', 'force_generic_plan'])('with %s', (mode) => {
  let client: PoolClient;
  beforeAll(async () => {
    if (pool === undefined) throw new Error('there is no database');
    client = await pool.connect();
    await client.query(`SET plan_cache_mode = ${mode}`);
  });
  afterAll(() => {
    client.release(true);
  });

  test.each(Object.entries(searches))(
    'a page of a search by %s reads a part of the tables alone',
    async (_, search) => {
      expect(await costlyIn(client, makeSearch().calls(search, end, undefined, 50))).toEqual([]);
    },
  );

  test.each(Object.entries(searchesOfBoth))(
    'a page of what few of many calls with a tag fit, with %s, looks at each of a thousand by itself',
    async (_, other) => {
      const search = { ...other, ...searchesOfBoth['written'] };
      expect(await costlyIn(client, makeSearch().calls(search, end, undefined, 50), byCandidates)).toEqual([]);
    },
  );

  test('what a page shows of its calls is looked up by their ids', async () => {
    const { rows } = await client.query<{ id: never }>('SELECT id FROM calls ORDER BY id DESC LIMIT 200');
    expect(
      await costlyIn(
        client,
        makeListings().of(
          rows.map(({ id }) => id),
          'user:anna',
        ),
      ),
    ).toEqual([]);
  });

  test.each(Object.entries(trails))('a page of the audit trail by %s reads a part of it alone', async (_, wanted) => {
    expect(await costlyIn(client, makeTrailSearch().search(wanted, undefined, 50))).toEqual([]);
  });

  test('a picture reads the calls of its days, or a part of the recordings, alone', async () => {
    const plots = makePlots();
    const from = firstOfMany + 3 * dayMs;
    expect(await costlyIn(client, plots.calls(from, from + dayMs, undefined))).toEqual([]);
    expect(await costlyIn(client, plots.calls(from, from + dayMs, ['acme']))).toEqual([]);
    expect(await costlyIn(client, plots.storage('', 200))).toEqual([]);
    expect(await costlyIn(client, plots.byEnd({ keepUntil: 0, id: '' }, 100))).toEqual([]);
  });

  test('the names of the PBXs, and the calls of one in a month, are found in an index', async () => {
    const figures = makeFigures();
    const period = { from: firstOfMany, to: end };
    expect(await costlyIn(client, makeSearch().pbxs())).toEqual([]);
    expect(await costlyIn(client, figures.unrecorded(period, ['acme'], 'north'))).toEqual([]);
    expect(await costlyIn(client, figures.unrecordedByPbx(period, ['north', 'south'], undefined))).toEqual([]);
  });

  test('what is due, and what is promised, is found by few rows', async () => {
    const promises = makePromises();
    expect(
      await costlyIn(client, promises.dueAttempts(firstOfMany, 'erasure failed', { keepUntil: -1, id: '' }, 100)),
    ).toEqual([]);
    expect(await costlyIn(client, promises.promised(end))).toEqual([]);
  });
});
