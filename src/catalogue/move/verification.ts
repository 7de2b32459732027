import * as z from 'zod';
import { chainStart, entryDigest, linkOf } from '../../core/crypto/hashChain.ts';
import { PreavisError } from '../../core/errors.ts';
import type { Source } from './source.ts';
import { digestOf, type Batch, type Row, type Table } from './tables.ts';
import type { Target } from './target.ts';

/** Whether PostgreSQL has what the SQLite catalogue has: each row of each table, and the audit trail link by link. */

/** `broken`: lines whose link did not fit in SQLite either: they were changed before the move, which keeps them as they are. */
export type Trail = {
  readonly lines: number;
  readonly head: string | undefined;
  readonly broken: number;
  /** The number of the last line. */
  readonly last: bigint | undefined;
};

type Ports = { readonly source: Pick<Source, 'batch'>; readonly target: Pick<Target, 'held' | 'links'> };

export const trailTable = 'audit';

export const emptyTrail: Trail = { lines: 0, head: undefined, broken: 0, last: undefined };

const differs = (table: string, what: string): PreavisError =>
  new PreavisError('move_differs', `the table ${table} has ${what} in PostgreSQL`);

/**
 * Compares all rows of a table. Of the audit trail PostgreSQL makes each link anew as well.
 *
 * @param compared is told of how many rows more
 * @throws PreavisError `move_differs`, which names the table and no row: what it has may be of persons
 */
export async function verifyTable(
  { source, target }: Ports,
  table: Table,
  compared: (rows: number) => void,
): Promise<Trail> {
  let after: Row | undefined;
  let trail = emptyTrail;
  for (;;) {
    const batch = source.batch(table, after);
    const rows = batch?.rows ?? [];
    const asked = target.held(table, after, batch?.last);
    // Each of both makes its own at the same time.
    const digest = digestOf(rows);
    const held = await asked;
    if (held.rows !== rows.length) {
      throw differs(table.name, held.rows < rows.length ? 'fewer rows' : 'rows that SQLite has not,');
    }
    if (held.digest !== digest) throw differs(table.name, 'other rows');
    if (batch === undefined) return trail;
    if (table.name === trailTable) trail = await verifyLinks(target, table, { batch, after, before: trail });
    after = batch.last;
    compared(rows.length);
  }
}

const lineRow = z.object({
  id: z.bigint(),
  at: z.bigint(),
  recording_id: z.string().nullable(),
  event: z.string(),
  from_status: z.string().nullable(),
  to_status: z.string().nullable(),
  actor: z.string(),
  detail: z.string(),
  chain: z.string().nullable(),
});

async function verifyLinks(
  target: Pick<Target, 'links'>,
  { columns }: Table,
  { batch, after, before }: { batch: Batch; after: Row | undefined; before: Trail },
): Promise<Trail> {
  const lines = batch.rows.map((row) =>
    lineRow.parse(Object.fromEntries(columns.map(({ name }, index) => [name, row[index]]))),
  );
  const links = await target.links(after, batch.last, before.head);
  let { head, broken } = before;
  for (const [index, line] of lines.entries()) {
    const link = links[index];
    if (link?.chain !== line.chain) throw differs(trailTable, 'other links');
    if (line.chain === null) continue;
    if (link.made !== line.chain) {
      // It was so before, if SQLite's line does not make its link either.
      if (link.made !== linkFrom(head, line)) throw differs(trailTable, 'lines that make other links');
      broken += 1;
    }
    head = line.chain;
  }

  return { lines: before.lines + lines.length, head, broken, last: lines.at(-1)?.id ?? before.last };
}

function linkFrom(before: string | undefined, line: z.output<typeof lineRow>): string {
  const { at, recording_id, event, from_status, to_status, actor, detail } = line;

  return linkOf(
    before ?? chainStart,
    entryDigest([Number(at), recording_id, event, from_status, to_status, actor, detail]),
  );
}
