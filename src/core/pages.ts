import { setImmediate as breathe } from 'node:timers/promises';

/**
 * The parts of a list that is too long for memory, or for one statement, in their order; at least one, which may be empty.
 *
 * @param first where the list begins
 * @param page the rows from there on, at most so many
 * @param behind where the next part begins, by the last row of one
 */
export async function* pagesOf<Row, Place>(
  limit: number,
  first: Place,
  page: (from: Place, limit: number) => Promise<readonly Row[]>,
  behind: (last: Row) => Place,
): AsyncGenerator<readonly Row[]> {
  for (let from = first; ;) {
    const rows = await page(from, limit);
    yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < limit) return;
    from = behind(last);
  }
}

/** So many rows are looked at for one page: no list, however little of it fits, keeps the process busy. */
const mostLookedAt = 2_000;
/** Looked at together, behind the first part. */
const batch = 100;

/**
 * A page of what fits of a list. `next` is the place of the last one of it: how many others lie between two that fit, or behind the last, nobody
 * learns from it or from the number of pages. Only where `mostLookedAt` in a row do not fit a page ends before.
 *
 * @param read rows in their order, beyond a place
 * @param fitting those of the rows that fit, in their order, and what is shown of each
 */
export async function fittingPage<Row, Place, Shown>({
  after,
  limit,
  read,
  placeOf,
  fitting,
}: {
  after: Place;
  limit: number;
  read: (after: Place, most: number) => Promise<readonly Row[]>;
  placeOf: (row: Row) => Place;
  fitting: (rows: readonly Row[]) => Promise<{ row: Row; shown: Shown }[]>;
}): Promise<{ shown: Shown[]; next: Place | undefined }> {
  const found: { row: Row; shown: Shown }[] = [];
  const shownOf = (some: readonly { shown: Shown }[]): Shown[] => some.map(({ shown }) => shown);
  let last = after;
  for (let looked = 0, most = limit + 1; looked < mostLookedAt; looked += most, most = batch) {
    const rows = await read(last, most);
    found.push(...(await fitting(rows)));
    if (found.length > limit) {
      const page = found.slice(0, limit);
      const end = page.at(-1);

      return { shown: shownOf(page), next: end && placeOf(end.row) };
    }
    const end = rows.at(-1);
    if (end === undefined || rows.length < most) return { shown: shownOf(found), next: undefined };
    last = placeOf(end);
    await breathe();
  }

  return { shown: shownOf(found), next: last };
}
