import { catalogues } from '../../../support/catalogue/catalogues.ts';
import { leaseContract } from '../../../support/catalogue/leaseContract.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
let files = 0;

describe('a lease', () => {
  leaseContract(() => {
    const file = folder.path(`${(files += 1)}.db`);

    return (clock) => Promise.resolve(open(file, clock));
  });
});
