import { sqliteDatabases } from '../../../support/catalogue/databases.ts';
import { repositoriesContract } from '../../../support/catalogue/repositoriesContract.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
let files = 0;

repositoriesContract(
  sqliteDatabases(() => folder.path(`${(files += 1)}.db`)),
  { every: true },
);
