import { postgresDatabases } from '../../../support/catalogue/databases.ts';
import { usePostgres } from '../../../support/catalogue/postgres.ts';
import { searchContract } from '../../../support/catalogue/searchContract.ts';

/** What is found in SQLite (test/integration/catalogue/calls/search.test.ts) is found in PostgreSQL as well. */

searchContract(postgresDatabases(usePostgres()), { runs: 40 });
