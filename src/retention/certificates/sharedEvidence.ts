import type { CataloguePart } from '../../catalogue/catalogue.ts';
import { claimedKid, type Signer } from '../../core/crypto/signing.ts';
import { PreavisError } from '../../core/errors.ts';
import { missingFrom, type Ledger } from './ledger.ts';

/**
 * Several machines that share a catalogue share one ledger and one signing key. The catalogue knows both by what was signed last: with another
 * ledger, a catalogue that is put back would bring back what was erased, and with another key nobody could tell whose certificates these are.
 */
export type SharedEvidencePorts = {
  catalogue: CataloguePart<{ certificates: 'newest'; chainHeads: 'last' }>;
  ledger: Ledger;
  signer: () => Promise<Signer>;
  /** Whether a key is the one here, or one that evidence.trustedKeys names. */
  trusts: (kid: string) => Promise<boolean>;
};

/** One that was signed just now may not be in the ledger yet; so many certificates are looked through for one that is. */
const looked = 100;

/** Throws ledger_incomplete where the ledger here does not have the newest certificate that any machine has put into its own. */
export async function requireOneLedger({
  catalogue,
  ledger,
}: Omit<SharedEvidencePorts, 'trusts' | 'signer'>): Promise<void> {
  const newest = (await catalogue.certificates.newest(looked)).find(({ inLedger }) => inLedger);
  if (newest === undefined) return;
  const one = async function* () {
    yield await Promise.resolve(newest);
  };
  for await (const { number } of missingFrom(ledger, one())) {
    throw new PreavisError(
      'ledger_incomplete',
      `${ledger.file} does not have certificate ${number}: it is not the ledger of this catalogue, or was cut`,
      {
        hint: 'Give every machine that shares the catalogue the same evidence.ledgerFile, in a folder that all of them mount. If it is the same, restore it from its copy, then run `preavis certificates replay`.',
      },
    );
  }
}

/** The signer of this machine; throws signing_key_unusable where the newest signature in the catalogue is of a key that is not trusted here. */
export async function requireOneKey({
  catalogue,
  signer,
  trusts,
}: Omit<SharedEvidencePorts, 'ledger'>): Promise<Signer> {
  const own = await signer();
  const [certificate] = await catalogue.certificates.newest(1);
  const newest = certificate ?? (await catalogue.chainHeads.last());
  const kid = newest && claimedKid(newest.jws);
  if (kid === undefined || (await trusts(kid))) return own;
  throw new PreavisError('signing_key_unusable', `another machine has signed with another key: ${kid}`, {
    hint: 'Copy the file evidence.signingKeyFile of the machine that signs to every other one. Where the key was changed on purpose, put the kid of the other one into evidence.trustedKeys.',
  });
}
