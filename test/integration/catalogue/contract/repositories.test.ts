import Database from 'better-sqlite3';
import { callStart } from '../../../support/call/calls.ts';
import { catalogues, clockAt, type ConnectCatalogue } from '../../../support/catalogue/catalogues.ts';
import type { LeaseDatabase } from '../../../support/catalogue/leaseContract.ts';
import { repositoriesContract } from '../../../support/catalogue/repositoriesContract.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
let files = 0;

function newDatabase(): ConnectCatalogue {
  const file = folder.path(`${(files += 1)}.db`);

  return (clock, webhooks, here) => Promise.resolve(open(file, clock, webhooks, here));
}

function newLeases(): LeaseDatabase {
  const file = folder.path(`${(files += 1)}.db`);
  const clock = clockAt(callStart);

  return {
    connect: () => Promise.resolve(open(file, clock)),
    later: (ms) => {
      clock.at += ms;

      return Promise.resolve();
    },
    byHand: (text) => {
      const database = new Database(file);
      database.exec(text);
      database.close();

      return Promise.resolve();
    },
  };
}

repositoriesContract(newDatabase, newLeases);
