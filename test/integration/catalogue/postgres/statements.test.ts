import { translate } from '../../../../src/catalogue/postgres/translation.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { usePostgres } from '../../../support/catalogue/postgres.ts';
import { statementsMade } from '../../../support/catalogue/statements.ts';

/** As test/integration/catalogue/plans.test.ts of SQLite: what PostgreSQL makes of each statement of the repositories. */

const server = usePostgres();

const open = async (): Promise<void> => {
  const { openPostgresCatalogue } = await import('../../../../src/catalogue/catalogue.ts');
  (await openPostgresCatalogue({ url: await server.newCatalogue() }, systemClock)).close();
};

test('every statement is one that PostgreSQL can carry out, although each is prepared when it is first asked', async () => {
  const statements = await statementsMade('postgres', open);
  expect(statements.length).toBeGreaterThan(200);
  const pool = await server.open(await server.newCatalogue());
  const faults: string[] = [];
  for (const [index, each] of statements.entries()) {
    const { text } = translate(each);
    await pool.query(`PREPARE statement${index} AS ${text}`).catch((error: unknown) => {
      faults.push(`${(error as Error).message}: ${text}`);
    });
  }
  expect(faults).toEqual([]);
});
