import fc from 'fast-check';
import type { Pool } from 'pg';
import { chainStart, entryDigest, linkOf } from '../../../../src/core/crypto/hashChain.ts';
import { usePostgres } from '../../../support/catalogue/postgres.ts';
import { tried } from '../../../support/properties.ts';

const server = usePostgres();

type Line = {
  id: number;
  at: number;
  recording_id: string | null;
  event: string;
  from_status: string | null;
  to_status: string | null;
  actor: string;
  detail: string;
  chain: string;
};

const insert = `INSERT INTO audit (at, recording_id, event, from_status, to_status, actor, detail) VALUES ($1, $2, $3, $4, $5, $6, $7)`;
const append = (pool: Pick<Pool, 'query'>, event: string, actor = 'test') =>
  pool.query(insert, [Date.now(), null, event, null, null, actor, '{}']);
const linesOf = async (pool: Pool): Promise<Line[]> => (await pool.query<Line>('SELECT * FROM audit ORDER BY id')).rows;

/** Where it is broken: undefined where each line is linked to the one before it, and none is missing. */
function firstBroken(lines: readonly Line[]): Line | undefined {
  let link = chainStart;
  return lines.find(({ id, at, recording_id, event, from_status, to_status, actor, detail, chain }, index) => {
    link = linkOf(link, entryDigest([at, recording_id, event, from_status, to_status, actor, detail]));

    return chain !== link || id !== index + 1;
  });
}

describe('the audit trail in PostgreSQL', () => {
  it('has the links that SQLite would have, whatever is written in its lines', async () => {
    const pool = await server.open(await server.newCatalogue());
    // PostgreSQL keeps no text with a NUL.
    const text = fc.string({ unit: 'binary' }).filter((each) => !each.includes('\0'));
    const maybe = fc.option(text);
    const line = fc.tuple(fc.nat(), maybe, text, maybe, maybe, text, fc.json());
    await fc.assert(
      fc.asyncProperty(fc.option(fc.constant('ab'.repeat(32))), line, async (before, content) => {
        const { rows } = await pool.query<{ link: string }>(
          'SELECT preavis_link($1, $2, $3, $4, $5, $6, $7, $8) AS link',
          [before, ...content],
        );
        expect(rows[0]?.link).toBe(linkOf(before ?? chainStart, entryDigest(content)));
      }),
      tried(200),
    );
  });

  it('is one chain without a gap, whoever appends at the same time, and for whoever reads meanwhile', async () => {
    const url = await server.newCatalogue();
    const [reader, ...writers] = await Promise.all(Array.from({ length: 5 }, () => server.open(url)));
    if (reader === undefined) throw new Error('nobody reads');
    const done = new AbortController();
    const reading = (async () => {
      let reads = 0;
      for (; !done.signal.aborted; reads += 1) expect(firstBroken(await linesOf(reader))).toBeUndefined();

      return reads;
    })();
    await Promise.all(
      writers.flatMap((pool, writer) =>
        Array.from({ length: 4 }, async () => {
          for (let each = 0; each < 25; each += 1) await append(pool, `line ${each}`, `writer ${writer}`);
        }),
      ),
    );
    done.abort();
    expect(await reading).toBeGreaterThan(0);
    const lines = await linesOf(reader);
    expect(lines).toHaveLength(400);
    expect(firstBroken(lines)).toBeUndefined();
  });

  it('goes on behind the last line that was kept, where a transaction was given up', async () => {
    const pool = await server.open(await server.newCatalogue());
    await append(pool, 'kept');
    const client = await pool.connect();
    try {
      await client.query('BEGIN');
      await append(client, 'given up');
      const waiting = append(pool, 'after it');
      await client.query('ROLLBACK');
      await waiting;
    } finally {
      client.release();
    }
    const lines = await linesOf(pool);
    expect(lines.map(({ event }) => event)).toEqual(['kept', 'after it']);
    expect(firstBroken(lines)).toBeUndefined();
  });

  it('is not appended to by a transaction that does not see the last line', async () => {
    const pool = await server.open(await server.newCatalogue());
    const client = await pool.connect();
    try {
      for (const isolation of ['REPEATABLE READ', 'SERIALIZABLE']) {
        await client.query(`BEGIN ISOLATION LEVEL ${isolation}`);
        await expect(append(client, 'unseen')).rejects.toMatchObject({ code: '23000' });
        await client.query('ROLLBACK');
      }
    } finally {
      client.release();
    }
  });

  it('takes no change, removal or recording that is not there', async () => {
    const pool = await server.open(await server.newCatalogue());
    await append(pool, 'kept');
    for (const sql of [`UPDATE audit SET actor = 'other'`, 'DELETE FROM audit', 'TRUNCATE audit']) {
      await expect(pool.query(sql)).rejects.toMatchObject({ message: 'append only' });
    }
    await expect(pool.query(insert, [1, 'none', 'of nothing', null, null, 'test', '{}'])).rejects.toMatchObject({
      message: 'no such recording',
    });
  });

  it('keeps lines that were moved here as they are, and goes on behind them', async () => {
    const pool = await server.open(await server.newCatalogue());
    const link = linkOf(chainStart, entryDigest([5, null, 'moved', null, null, 'test', '{}']));
    await pool.query(
      `INSERT INTO audit (id, at, event, actor, detail, chain) VALUES (7, 4, 'before the chain', 'test', '{}', NULL),
        (8, 5, 'moved', 'test', '{}', $1)`,
      [link],
    );
    await append(pool, 'new');
    const [first, second, third] = await linesOf(pool);
    expect([first?.chain, second?.chain, third?.id]).toEqual([null, link, 9]);
    expect(third?.chain).toBe(linkOf(link, entryDigest([third?.at, null, 'new', null, null, 'test', '{}'])));
  });
});
