import { copyFile, rm } from 'node:fs/promises';
import { makeEvidence, type Evidence } from '../../../../src/services/signing.ts';
import { archiveStage, type ArchiveStage } from '../../../support/archive/archiving.ts';
import { catalogues } from '../../../support/catalogue/catalogues.ts';
import { archivedCall, due, erasePass } from '../../../support/retention/erasing.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

/** Two machines on one catalogue: the one that has erased, and another with a folder of its own. */

const folder = temporaryFolder();
const open = catalogues();
let stages = 0;

type Two = { first: ArchiveStage; own: string; other: (trustedKeys?: string[], store?: string) => Evidence };

async function two(): Promise<Two> {
  const own = folder.path(`${(stages += 1)}`);
  const first = await archiveStage(own, open);
  await archivedCall(first);
  first.clock.at = due;
  expect(await erasePass(first)).toMatchObject({ erased: 1 });
  const evidence = { signingKeyFile: folder.path(`key-${stages}.pem`), ledgerFile: folder.path(`ledger-${stages}`) };
  const other = (trustedKeys: string[] = [], store = 'postgres'): Evidence =>
    makeEvidence(
      { ari: { pbx: 'south' }, catalogue: { store }, evidence: { ...evidence, trustedKeys } } as never,
      first.catalogue,
    );

  return { first, own, other };
}

const outcome = (step: Promise<unknown>): Promise<unknown> =>
  step.then(
    () => 'done',
    (error: unknown) => error,
  );

test('a machine that does not have the ledger of the others erases nothing, and adds nothing to its own', async () => {
  const { first, own, other } = await two();
  const { ledger, requireLedger, signer, trusts } = other();
  await copyFile(`${own}/signing-key.pem`, folder.path(`key-${stages}.pem`));
  const refusal = {
    code: 'ledger_incomplete',
    message: expect.stringContaining('does not have certificate 1: it is not the ledger of this catalogue') as unknown,
  };
  await archivedCall(first);
  first.clock.at += 1;
  const pass = erasePass({ ...first, ledger, signer, trusts });
  expect(await outcome(pass)).toMatchObject(refusal);
  expect(await outcome(requireLedger())).toMatchObject(refusal);
  await rm(ledger.file, { force: true });
  await copyFile(first.ledger.file, ledger.file);
  expect(await outcome(ledger.check())).toBe('done');
  expect(await outcome(requireLedger())).toBe('done');
});

test('a machine with another key signs nothing, unless that of the others is trusted', async () => {
  const { first, other } = await two();
  const kid = (await first.signer()).kid;
  // Made by itself, as by a command before the catalogue was shared.
  const strange = other([kid]);
  expect((await strange.signer()).kid).not.toBe(kid);
  expect(await outcome(other().signer())).toMatchObject({
    code: 'signing_key_unusable',
    message: `another machine has signed with another key: ${kid}`,
  });
});

test('where nobody shares the catalogue, ledger and key are looked at as before', async () => {
  const { other } = await two();
  await other(['a key of before'], 'sqlite').signer();
  const alone = other([], 'sqlite');
  expect(await outcome(alone.ledger.check())).toBe('done');
  expect(await outcome(alone.requireLedger())).toBe('done');
  expect(await outcome(alone.signer())).toBe('done');
});
