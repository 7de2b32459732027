import { catalogues, type ConnectCatalogue } from '../../../support/catalogue/catalogues.ts';
import { repositoriesContract } from '../../../support/catalogue/repositoriesContract.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
let files = 0;

function newDatabase(): ConnectCatalogue {
  const file = folder.path(`${(files += 1)}.db`);

  return (clock, webhooks) => Promise.resolve(open(file, clock, webhooks));
}

repositoriesContract(newDatabase);
