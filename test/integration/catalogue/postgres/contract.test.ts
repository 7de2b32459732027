import { openPostgresCatalogue, type Catalogue } from '../../../../src/catalogue/catalogue.ts';
import { onlyHere } from '../../../../src/catalogue/here.ts';
import { requireOneTime } from '../../../../src/catalogue/clockApart.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { callStart } from '../../../support/call/calls.ts';
import { clockAt, type ConnectCatalogue } from '../../../support/catalogue/catalogues.ts';
import { elsewhere } from '../../../support/catalogue/holders.ts';
import type { LeaseDatabase } from '../../../support/catalogue/leaseContract.ts';
import { usePostgres } from '../../../support/catalogue/postgres.ts';
import { repositoriesContract } from '../../../support/catalogue/repositoriesContract.ts';

/** What SQLite's catalogue keeps (test/integration/catalogue/contract) is kept in PostgreSQL as well. */

const server = usePostgres();
const opened: Catalogue[] = [];
afterEach(() => {
  for (const catalogue of opened.splice(0)) catalogue.close();
});

function newDatabase(): ConnectCatalogue {
  const made = server.newDatabase();

  return async (clock, webhooks = [], here = onlyHere) => {
    const catalogue = await openPostgresCatalogue({ url: await made, connections: 4 }, clock, { webhooks, here });
    opened.push(catalogue);

    return catalogue;
  };
}

/** By its own clock, which no test can set: what counts by it is put back instead. */
function newLeases(): LeaseDatabase {
  const made = server.newDatabase();
  const byHand = async (text: string): Promise<void> => {
    await (await server.open(await made)).query(text);
  };

  return {
    connect: async () => {
      const catalogue = await openPostgresCatalogue({ url: await made, connections: 4 }, systemClock);
      opened.push(catalogue);

      return catalogue;
    },
    later: (ms) => byHand(`UPDATE leases SET until = until - ${ms}`),
    byHand,
  };
}

repositoriesContract(newDatabase, newLeases);

test('a clock of a machine that is an hour from that of the database is told, in words', async () => {
  const connect = newDatabase();
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
  const connect = newDatabase();
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
