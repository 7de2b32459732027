import type { ConnectCatalogue } from './catalogues.ts';
import { certificateContract } from './certificateContract.ts';
import { chainHeadContract } from './chainHeadContract.ts';
import { decisionContract } from './decisionContract.ts';
import { deliveryContract } from './deliveryContract.ts';
import { hereContract } from './hereContract.ts';
import { leaseContract, type LeaseDatabase } from './leaseContract.ts';
import { legalHoldContract } from './legalHoldContract.ts';

/** What a catalogue keeps in any database. */
export function repositoriesContract(newDatabase: () => ConnectCatalogue, newLeases: () => LeaseDatabase): void {
  deliveryContract(newDatabase);

  describe('a lease', () => {
    leaseContract(newLeases);
  });

  describe('a PBX', () => {
    hereContract(newDatabase);
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
}
