import { catalogues, type ConnectCatalogue } from '../../../support/catalogue/catalogues.ts';
import { certificateContract } from '../../../support/catalogue/certificateContract.ts';
import { chainHeadContract } from '../../../support/catalogue/chainHeadContract.ts';
import { decisionContract } from '../../../support/catalogue/decisionContract.ts';
import { deliveryContract } from '../../../support/catalogue/deliveryContract.ts';
import { legalHoldContract } from '../../../support/catalogue/legalHoldContract.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
let files = 0;

function newDatabase(): ConnectCatalogue {
  const file = folder.path(`${(files += 1)}.db`);

  return (clock, webhooks) => Promise.resolve(open(file, clock, webhooks));
}

deliveryContract(newDatabase);

describe('a hold', () => {
  legalHoldContract(newDatabase);
});

describe('an erasure, or its certificate,', () => {
  certificateContract(newDatabase);
});

describe('a decision', () => {
  decisionContract(newDatabase);
});

describe('a signed head of the audit trail', () => {
  chainHeadContract(newDatabase);
});
