import { openPostgresCatalogue, type Catalogue } from '../../../../src/catalogue/catalogue.ts';
import type { ConnectCatalogue } from '../../../support/catalogue/catalogues.ts';
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

  return async (clock, webhooks = []) => {
    const catalogue = await openPostgresCatalogue({ url: await made, connections: 4 }, clock, { webhooks });
    opened.push(catalogue);

    return catalogue;
  };
}

repositoriesContract(newDatabase);
