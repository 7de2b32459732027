import { annotationContract } from './annotationContract.ts';
import { approvalContract } from './approvalContract.ts';
import { askedErasureContract } from './askedErasureContract.ts';
import { certificateContract } from './certificateContract.ts';
import { auditTrailContract } from './auditTrailContract.ts';
import { callContract } from './callContract.ts';
import { chainHeadContract } from './chainHeadContract.ts';
import { codeContract } from './codeContract.ts';
import type { Databases } from './databases.ts';
import { decisionContract } from './decisionContract.ts';
import { deliveryContract } from './deliveryContract.ts';
import { endedUnwatchedContract } from './endedUnwatchedContract.ts';
import { figuresContract } from './figuresContract.ts';
import { hereContract } from './hereContract.ts';
import { leaseContract } from './leaseContract.ts';
import { legalHoldContract } from './legalHoldContract.ts';
import { preferenceContract } from './preferenceContract.ts';
import { promisesContract } from './promisesContract.ts';
import { purposeEndContract } from './purposeEndContract.ts';
import { recordableContract } from './recordableContract.ts';
import { sessionContract } from './sessionContract.ts';
import { signInContract } from './signInContract.ts';
import { trailSearchContract } from './trailSearchContract.ts';
import { unreadableRowContract } from './unreadableRowContract.ts';
import { watchContract } from './watchContract.ts';
import { workerContract } from './workerContract.ts';

/**
 * What a catalogue keeps in any database.
 *
 * @param every what takes long and says little of a database is not left out
 */
export function repositoriesContract({ newDatabase, newLeases }: Databases, { every }: { every: boolean }): void {
  const connecting = () => newDatabase().connect;
  deliveryContract(connecting);

  describe('a lease', () => {
    leaseContract(newLeases);
  });

  describe('a PBX', () => {
    hereContract(connecting);
  });

  describe('a call of one of several serves', () => {
    workerContract(connecting);
  });

  describe('a hold', () => {
    legalHoldContract(connecting);
  });

  describe('an erasure, or its certificate,', () => {
    certificateContract(connecting);
  });

  describe('a decision', () => {
    decisionContract(connecting);
  });

  describe('a signed head of the audit trail', () => {
    chainHeadContract(connecting);
  });

  describe('the catalogue says of who signs in, or is signed in, that', () => {
    signInContract(newDatabase);
    sessionContract(newDatabase);
  });

  describe('the catalogue says of who asks to hear a recording that', () => {
    approvalContract(newDatabase);
  });

  describe('the catalogue says of a caller that', () => {
    preferenceContract(newDatabase);
  });

  describe('the catalogue says of a call that', () => {
    codeContract(newDatabase);
    recordableContract(newDatabase, every);
  });

  callContract(newDatabase);

  describe('the audit trail', () => {
    auditTrailContract(newDatabase);
  });

  describe('a search of the audit trail', () => {
    trailSearchContract(newDatabase);
  });

  describe('the catalogue says of what happened, or was not watched, that it', () => {
    watchContract(newDatabase);
    endedUnwatchedContract(newDatabase);
  });

  describe('what people write about a recording', () => {
    annotationContract(newDatabase);
  });

  describe('what somebody has decided to erase', () => {
    askedErasureContract(newDatabase);
  });

  describe('a recording for two purposes', () => {
    purposeEndContract(newDatabase);
  });

  describe('figures', () => {
    figuresContract(newDatabase);
  });

  describe('what is due and not erased', () => {
    promisesContract(newDatabase);
  });

  unreadableRowContract(newDatabase);
}
