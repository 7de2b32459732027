import { jest } from '@jest/globals';
import { translate } from '../../../../src/catalogue/postgres/translation.ts';
import * as step from '../../../../src/catalogue/sql/step.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { usePostgres } from '../../../support/catalogue/postgres.ts';

/** As test/integration/catalogue/plans.test.ts of SQLite: what PostgreSQL makes of each statement of the repositories. */

const server = usePostgres();

/** Every statement that the repositories have, but for those that are put together for each question. */
async function statementsIn(): Promise<readonly string[]> {
  const made = new Set<string>();
  jest.unstable_mockModule('../../../../src/catalogue/sql/step.ts', () => ({
    ...step,
    sql: (text: Parameters<typeof step.sql>[0]) => {
      const statement = step.sql(text);
      made.add(statement.postgres);

      return statement;
    },
  }));
  const { openPostgresCatalogue } = await import('../../../../src/catalogue/catalogue.ts');
  (await openPostgresCatalogue({ url: await server.newDatabase() }, systemClock)).close();

  return [...made];
}

test('every statement is one that PostgreSQL can carry out, although each is prepared when it is first asked', async () => {
  const statements = await statementsIn();
  expect(statements.length).toBeGreaterThan(200);
  const pool = await server.open(await server.newDatabase());
  const faults: string[] = [];
  for (const [index, each] of statements.entries()) {
    const { text } = translate(each);
    await pool.query(`PREPARE statement${index} AS ${text}`).catch((error: unknown) => {
      faults.push(`${(error as Error).message}: ${text}`);
    });
  }
  expect(faults).toEqual([]);
});
