import { openPostgresCatalogue, type Catalogue } from '../../../../src/catalogue/catalogue.ts';
import type { ConnectCatalogue } from '../../../support/catalogue/catalogues.ts';
import { certificateContract } from '../../../support/catalogue/certificateContract.ts';
import { chainHeadContract } from '../../../support/catalogue/chainHeadContract.ts';
import { decisionContract } from '../../../support/catalogue/decisionContract.ts';
import { deliveryContract } from '../../../support/catalogue/deliveryContract.ts';
import { leaseContract } from '../../../support/catalogue/leaseContract.ts';
import { legalHoldContract } from '../../../support/catalogue/legalHoldContract.ts';
import { usePostgres } from '../../../support/catalogue/postgres.ts';

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

deliveryContract(newDatabase);

describe('a lease', () => {
  leaseContract(newDatabase);
});

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
