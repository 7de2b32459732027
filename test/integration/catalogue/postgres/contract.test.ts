import { postgresDatabases } from '../../../support/catalogue/databases.ts';
import { usePostgres } from '../../../support/catalogue/postgres.ts';
import { repositoriesContract } from '../../../support/catalogue/repositoriesContract.ts';

/** What SQLite's catalogue keeps (test/integration/catalogue/contract) is kept in PostgreSQL as well. */

repositoriesContract(postgresDatabases(usePostgres()), { every: false });
