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
