import { requireOneTime } from '../../../../src/catalogue/clockApart.ts';
import { callStart } from '../../../support/call/calls.ts';
import { clockAt } from '../../../support/catalogue/catalogues.ts';
import { postgresDatabases } from '../../../support/catalogue/databases.ts';
import { elsewhere } from '../../../support/catalogue/holders.ts';
import { usePostgres } from '../../../support/catalogue/postgres.ts';
import { repositoriesContract } from '../../../support/catalogue/repositoriesContract.ts';

/** What SQLite's catalogue keeps (test/integration/catalogue/contract) is kept in PostgreSQL as well. */

const databases = postgresDatabases(usePostgres());
repositoriesContract(databases, { every: false });

test('a clock of a machine that is an hour from that of the database is told, in words', async () => {
  const { connect } = databases.newDatabase();
  const at = (offMs: number) => connect({ now: () => Date.now() + offMs });
  expect(await requireOneTime(await at(9 * 60_000)).catch((error: unknown) => error)).toBeUndefined();
  for (const [offMs, words] of [
    [3_600_000, 'the clock of this machine is 60 minutes ahead of that of the database'],
    [-3_600_000, 'the clock of this machine is 60 minutes behind that of the database'],
  ] as const) {
    await expect(requireOneTime(await at(offMs))).rejects.toMatchObject({ code: 'clock_apart', message: words });
  }
});

test('a lease counts by the clock of the database alone, whatever that of a machine says', async () => {
  const { connect } = databases.newDatabase();
  const since = { boot: 'a boot', ms: 1_000 };
  const [behind, ahead] = [
    await connect(clockAt(callStart)),
    await connect({ now: () => 9e12, sinceBoot: () => since }),
  ];
  await behind.leases.take('upload', elsewhere());
  expect(await ahead.leases.take('upload', elsewhere('a third'))).toMatchObject({ kind: 'busy' });
  await ahead.leases.take('retention', elsewhere());
  since.boot = 'the next boot';
  expect(await ahead.leases.take('retention', elsewhere('a third'))).toMatchObject({ kind: 'busy' });
});
